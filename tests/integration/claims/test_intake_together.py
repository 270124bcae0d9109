"""Many workers take in at once: one open claim for a spot and a code, exact counts, no deadlocks."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from threading import Barrier

import pytest
from sqlalchemy import Engine

from adapters.postgres.store import PostgresStore
from domain.changes import Changes
from domain.field.batch import Batch
from domain.field.fault import Fault
from tests.builders import a_clear, a_fault, a_usage_record
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim, WatchedStore
from tests.servers.waiting import wait_until

SPOTS, WRITERS, ROUNDS = 50, 4, 15
CODES = ("METER_MISREAD", "SPOT_OCCUPIED")


@pytest.fixture
def store(engine: Engine) -> WatchedStore:
    return WatchedStore(PostgresStore(engine))


@pytest.fixture
def shared(engine: Engine, store: WatchedStore) -> Spotclaim:
    return Spotclaim(engine, store=store)


def take_in_at_once(spotclaim: Spotclaim, batches: list[Batch]) -> None:
    """Each batch by a worker of its own, all at the same moment; each has its own copy, as from a broker."""
    start = Barrier(len(batches))

    def take_in(batch: Batch) -> None:
        own = deepcopy(batch)
        start.wait()
        spotclaim.intake(own)

    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(take_in, batches))


def faults_of(number: int) -> list[Fault]:
    chance = random.Random(number)
    return [
        (a_clear if chance.random() < 0.1 else a_fault)(
            spot_id=f"E{chance.randrange(SPOTS)}", raw_code=chance.choice(CODES)
        )
        for _ in range(40)
    ]


def demand_exact_counts(spotclaim: Spotclaim, faults: list[Fault]) -> None:
    """Every fault is stored once; every claim counts its own; none is open twice."""
    claims = spotclaim.claims()
    assert spotclaim.value("SELECT count(*) FROM faults") == len(faults)
    assert len({(claim["spot_id"], claim["code"]) for claim in claims}) == len(claims)
    expected = Counter((fault.spot_id, fault.raw_code) for fault in faults if not fault.cleared)
    assert {(claim["spot_id"], claim["code"]): claim["fault_count"] for claim in claims} == dict(expected)
    spotclaim.demand_sound_chains()


def test_the_same_batch_by_four_workers_counts_once(shared: Spotclaim, store: WatchedStore) -> None:
    """A broker delivers a batch again while the first delivery is still at work."""
    everything = []
    for number in range(ROUNDS):
        faults = faults_of(number)
        everything += faults
        take_in_at_once(shared, [Batch(faults=faults)] * WRITERS)

    demand_exact_counts(shared, everything)
    assert [error for error in store.met if "deadlock" in error] == []


def test_overlapping_batches_are_counted_exactly(shared: Spotclaim, store: WatchedStore) -> None:
    """Each worker has some faults of its own and some of everybody's, in an order of its own."""
    everything = []
    for number in range(ROUNDS):
        common = faults_of(number)
        own = [faults_of(1000 * number + writer) for writer in range(1, WRITERS + 1)]
        everything += [*common, *(fault for faults in own for fault in faults)]
        batches = [Batch(faults=[*common, *faults]) for faults in own]
        for writer, batch in enumerate(batches):
            random.Random(writer).shuffle(batch.faults)
        take_in_at_once(shared, batches)

    demand_exact_counts(shared, everything)
    assert [error for error in store.met if "deadlock" in error] == []


def test_one_batch_in_opposite_orders_does_not_collide(shared: Spotclaim, store: WatchedStore) -> None:
    """Two deliveries of the same faults of one spot, reordered on the way, before its claim is open.

    A third writer holds the fault in the middle until both have come so far, and then lets go.
    """
    faults = sorted((a_fault(code="METER_MISREAD") for _ in range(21)), key=lambda fault: fault.key)

    with ThreadPoolExecutor(2) as pool:
        with suppress(LetGo), shared.store.transaction() as third:
            third.record(Changes(faults[10]))
            workers = [pool.submit(shared.intake, Batch(faults=deepcopy(some))) for some in (faults, faults[::-1])]
            assert wait_until(lambda: shared.waiting() == 2, PATIENCE_SECONDS)
            raise LetGo
        for worker in workers:
            worker.result()

    demand_exact_counts(shared, faults)
    assert [error for error in store.met if "deadlock" in error] == []


class LetGo(Exception):
    """Rolls a transaction back."""


def test_a_storm_on_one_spot_is_one_claim(shared: Spotclaim) -> None:
    """Forty workers report the same error of the same spot at once."""
    faults = [a_fault() for _ in range(40)]
    for some in range(0, 40, 8):
        take_in_at_once(shared, [Batch(faults=[fault]) for fault in faults[some : some + 8]])

    demand_exact_counts(shared, faults)


def test_usage_of_the_same_sessions_does_not_collide(shared: Spotclaim, store: WatchedStore) -> None:
    """Controllers repeat whole days of records, in whatever order."""
    rounds = 5
    for number in range(rounds):
        records = [a_usage_record(spot_id=f"E{n % 10}", session_id=f"s-{number}-{n}") for n in range(40)]
        batches = [Batch(usage=list(records)) for _ in range(WRITERS)]
        for writer, batch in enumerate(batches):
            random.Random(writer).shuffle(batch.usage)
        take_in_at_once(shared, batches)

    assert shared.value("SELECT count(*) FROM usage_records WHERE current") == rounds * 40
    assert [error for error in store.met if "deadlock" in error] == []
