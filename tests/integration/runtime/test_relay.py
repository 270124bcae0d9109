"""The relay: sends what is pending, once, soon, and goes on after outages."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue

import pytest
from sqlalchemy import Engine

from adapters.postgres.steps.queue import StepQueue, StepSignal
from domain.errors import TransientError
from domain.identifiers import new_claim_id
from domain.steps import Deliver, Route, Step, Verify
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim
from tests.servers.waiting import wait_until
from workers.runtime.relay import IN_FLIGHT, Relay
from workers.steps.registry import LANES, kinds_in

LONG = 10.0 * PATIENCE_SECONDS
Send = Callable[[str, Sequence[int]], None]


def a_relay(engine: Engine, send: Send, *, lease_seconds: float = LONG, poll_seconds: float = LONG) -> Relay:
    return Relay(StepQueue(engine, lease_seconds), StepSignal(engine), send, poll_seconds)


def schedule(spotclaim: Spotclaim, count: int, kind: Callable[[list[str]], Step] = Verify) -> None:
    spotclaim.record(*(kind([new_claim_id()]) for _ in range(count)))


@contextmanager
def running(spotclaim: Spotclaim, relay: Relay) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=relay.run, args=[stopping])
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        spotclaim.rows("SELECT pg_notify('spotclaim_steps', '')")  # it may be waiting
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_what_is_due_is_sent_packed(spotclaim: Spotclaim, engine: Engine) -> None:
    """Forty steps of one kind are one message."""
    schedule(spotclaim, 40)
    schedule(spotclaim, 2, kind=Route)
    sent: list[tuple[str, int]] = []

    count = a_relay(engine, lambda kind, ids: sent.append((kind, len(ids)))).run_once()

    assert (count, sent) == (42, [("verify", 40), ("route", 2)])


def test_nothing_is_sent_twice(spotclaim: Spotclaim, engine: Engine) -> None:
    """While it is on its way."""
    schedule(spotclaim, 3)
    relay = a_relay(engine, lambda *_: None)

    assert [relay.run_once(), relay.run_once()] == [3, 0]


def test_two_relays_do_not_send_one_step_twice(spotclaim: Spotclaim, engine: Engine) -> None:
    """Three of them, while steps come and are done."""
    sent: SimpleQueue[Sequence[int]] = SimpleQueue()
    relays = [a_relay(engine, lambda _, ids: sent.put(ids)) for _ in range(3)]

    def relay_all(relay: Relay) -> None:
        while relay.run_once():
            pass

    for _ in range(10):
        schedule(spotclaim, 60)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(relay_all, relays))
        spotclaim.rows("DELETE FROM steps WHERE mod(id, 2) = 0")

    counted: Counter[int] = Counter()
    while not sent.empty():
        counted.update(sent.get())
    assert set(counted.values()) == {1}


def test_only_so_many_are_on_their_way(spotclaim: Spotclaim, engine: Engine) -> None:
    """Few enough to be done before their leases end; more go when these are done."""
    schedule(spotclaim, IN_FLIGHT + 10)
    relay = a_relay(engine, lambda *_: None)
    assert [relay.run_once(), relay.run_once()] == [IN_FLIGHT, 0]

    spotclaim.rows("DELETE FROM steps WHERE leased_until IS NOT NULL")

    assert relay.run_once() == 10


def test_what_could_not_be_sent_is_still_pending(spotclaim: Spotclaim, engine: Engine) -> None:
    """The broker is away: the caller hears of it, and the next attempt sends all."""
    schedule(spotclaim, 5)
    broken = [True]
    sent: list[int] = []

    def send(_: str, ids: Sequence[int]) -> None:
        if broken.pop() if broken else False:
            raise TransientError("RabbitMQ is away.")
        sent.extend(ids)

    relay = a_relay(engine, send)
    with pytest.raises(TransientError):
        relay.run_once()

    assert (relay.run_once(), len(sent)) == (5, 5)


def test_a_lost_message_goes_again_after_its_lease(spotclaim: Spotclaim, engine: Engine) -> None:
    """The broker lost it, or its worker died: the row is still there."""
    schedule(spotclaim, 1)
    sent: SimpleQueue[Sequence[int]] = SimpleQueue()

    with running(spotclaim, a_relay(engine, lambda _, ids: sent.put(ids), lease_seconds=0.2, poll_seconds=0.1)):
        times = [sent.get(timeout=PATIENCE_SECONDS) for _ in range(3)]

    assert times[0] == times[1] == times[2]


def test_a_running_relay_is_woken_by_each_commit(spotclaim: Spotclaim, engine: Engine) -> None:
    """Though it would look by itself only when we have given up."""
    sent: SimpleQueue[Sequence[int]] = SimpleQueue()

    with running(spotclaim, a_relay(engine, lambda _, ids: sent.put(ids))):
        listening = (
            "SELECT count(*) FROM pg_stat_activity WHERE query ^@ 'LISTEN' AND datname = current_database()"
        )
        assert wait_until(lambda: spotclaim.value(listening) == 1, PATIENCE_SECONDS)
        for _ in range(5):
            schedule(spotclaim, 1)
            sent.get(timeout=PATIENCE_SECONDS)


def test_a_relay_outlives_an_outage(spotclaim: Spotclaim, engine: Engine) -> None:
    """Every connection is cut, three times; what is scheduled afterwards is sent."""
    sent: SimpleQueue[Sequence[int]] = SimpleQueue()

    with running(spotclaim, a_relay(engine, lambda _, ids: sent.put(ids), poll_seconds=0.2)):
        for _ in range(3):
            schedule(spotclaim, 1)
            sent.get(timeout=PATIENCE_SECONDS)
            spotclaim.rows(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        schedule(spotclaim, 1)
        sent.get(timeout=PATIENCE_SECONDS)


def test_deliveries_that_hang_hold_up_nothing_else(spotclaim: Spotclaim, engine: Engine) -> None:
    """However many are on their way to a destination that does not answer, claims go on."""
    schedule(spotclaim, 2 * IN_FLIGHT, kind=lambda ids: Deliver(ids, "chat"))
    schedule(spotclaim, 1, kind=Verify)
    sent: Counter[str] = Counter()

    def send(kind: str, ids: Sequence[int]) -> None:
        sent[kind] += len(ids)

    for lane in LANES:
        Relay(StepQueue(engine, LONG, kinds_in(lane)), StepSignal(engine), send, LONG).run_once()

    assert sent == {"deliver": IN_FLIGHT, "verify": 1}
