"""A message that the database refuses goes to quarantine alone; its neighbours go in."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.postgres.store import PostgresStore
from domain.changes import Changes
from domain.field.fault import Fault
from domain.ports.store import Transaction
from tests.builders import a_fault, a_quarantined, a_spot, a_usage_record
from tests.integration.parts import Spotclaim

# Decoding refuses U+0000; a message that reached the store with it would be a mistake of ours.
POISON = "\0"


def poisoned_faults(count: int, *places: int) -> list[Any]:
    return [
        a_fault(spot_id=f"E{number}", description=POISON if number in places else "sound")
        for number in range(count)
    ]


@pytest.mark.parametrize("place", [0, 1, 49, 50, 98, 99])
def test_one_bad_fault_is_set_aside_alone(spotclaim: Spotclaim, place: int) -> None:
    """Wherever it stands among a hundred."""
    spotclaim.take_in(faults=poisoned_faults(100, place))

    assert {claim["spot_id"] for claim in spotclaim.claims()} == {f"E{n}" for n in range(100)} - {f"E{place}"}
    assert spotclaim.rows("SELECT reason FROM quarantine") == [{"reason": "NOT_STORABLE"}]
    spotclaim.demand_sound_chains()


def test_a_bad_fault_alone_is_set_aside(spotclaim: Spotclaim) -> None:
    """A batch of one."""
    spotclaim.take_in(faults=poisoned_faults(1, 0))

    assert (spotclaim.claims(), spotclaim.value("SELECT count(*) FROM quarantine")) == ([], 1)


def test_bad_messages_of_every_kind_are_found(spotclaim: Spotclaim) -> None:
    """Among sound faults, usage, spots and quarantined messages."""
    spotclaim.take_in(
        faults=poisoned_faults(5, 1, 3),
        usage=[a_usage_record(), a_usage_record(stop_reason=POISON), a_usage_record()],
        spots=[a_spot(vendor=POISON), a_spot()],
        quarantined=[a_quarantined(b"nonsense")],
    )

    counted = {
        table: spotclaim.value(f"SELECT count(*) FROM {table}") for table in ("faults", "usage_records", "spots")
    }
    assert counted == {"faults": 3, "usage_records": 2, "spots": 1}
    assert spotclaim.value("SELECT count(*) FROM quarantine WHERE reason = 'NOT_JSON'") == 1
    assert spotclaim.value("SELECT sum(times) FROM quarantine WHERE reason = 'NOT_STORABLE'") == 4


def test_what_was_refused_twice_is_one_row(spotclaim: Spotclaim) -> None:
    """The batch comes again; what was sound changes nothing."""
    faults = poisoned_faults(10, 4)
    spotclaim.take_in(faults=faults)
    spotclaim.take_in(faults=faults)

    assert spotclaim.value("SELECT count(*) FROM faults") == 9
    assert spotclaim.value("SELECT count(*) FROM quarantine") == 1


class PickyStore(PostgresStore):
    """The real store, but for one message that a bug of ours cannot write."""

    def __init__(self, engine: Engine, key: str) -> None:
        super().__init__(engine)
        self._key = key

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with super().transaction() as transaction:
            yield Picky(transaction, self._key)


class Picky:
    def __init__(self, transaction: Transaction, key: str) -> None:
        self._transaction = transaction
        self._key = key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def known_messages(self, keys: Sequence[str]) -> set[str]:
        return self._transaction.known_messages(keys)

    def record(self, changes: Changes) -> None:
        if any(fault.key == self._key for fault in changes.of(Fault)):
            raise ZeroDivisionError("a bug of ours")
        self._transaction.record(changes)


def test_a_bug_that_one_message_finds_stops_no_other(engine: Engine, set_up: Callable[..., Spotclaim]) -> None:
    """Even when it shows only after the claims of the whole batch were counted."""
    faults = [a_fault() for _ in range(7)]
    spotclaim = set_up(store=PickyStore(engine, faults[3].key))

    spotclaim.take_in(faults=faults)

    [claim] = spotclaim.claims()
    assert (claim["fault_count"], spotclaim.value("SELECT count(*) FROM faults")) == (6, 6)
    assert spotclaim.value("SELECT count(*) FROM quarantine") == 1
    spotclaim.demand_sound_chains()
