"""What a transaction writes, and in which order."""

from typing import Any

import pytest

from adapters.postgres.store import WRITES, PostgresTransaction
from domain.audit.event import WHOLE
from domain.changes import Changes, DoneStep
from domain.claims.claim import Claim
from domain.evidence.item import Evidence
from domain.steps import Verify


class Written(PostgresTransaction):
    """A transaction that keeps what it would have sent to the server."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[object, ...]]] = []

    def _execute(self, sql: str, *parameters: object) -> Any:
        self.sent.append((sql, parameters))


def test_evidence_is_written_before_claims_change() -> None:
    """The database holds a change of status against the evidence that is there."""
    order = list(WRITES)

    assert order.index((Evidence, WHOLE)) < order.index((Claim, WHOLE))


def test_all_is_sent_at_once_and_the_relay_is_woken_last() -> None:
    """Given steps that follow and steps that are done, then one script holds both."""
    transaction = Written()

    transaction.record(Changes(Verify(["c1"]), DoneStep(7), DoneStep(8)))

    [(script, parameters)] = transaction.sent
    assert [part.split()[0] for part in script.split("; ")] == ["INSERT", "DELETE", "SELECT"]
    assert parameters == ('[["verify","claim",["c1"],{},null,0]]', [7, 8])


def test_nothing_is_sent_without_changes() -> None:
    """Not even an empty statement."""
    transaction = Written()

    transaction.record(Changes())

    assert transaction.sent == []


def test_records_without_a_statement_are_refused() -> None:
    """Nothing is dropped silently, and nothing else is written either."""
    transaction = Written()

    with pytest.raises(TypeError, match="no statement"):
        transaction.record(Changes(Verify(["c1"]), object()))

    assert transaction.sent == []
