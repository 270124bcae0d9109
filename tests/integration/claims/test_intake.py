"""A batch becomes rows: everything together, everything once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest

from domain.audit.event import OPENED
from domain.changes import Changes
from domain.claims.decision_events import ClaimEscalated
from domain.claims.lifecycle import CLOSED, STATUSES
from domain.errors import TransientError
from domain.ports.store import Transaction
from tests.builders import FAULT_TIME, NOW, a_claim, a_clear, a_fault, a_quarantined, a_spot, a_usage_record
from tests.integration.parts import Spotclaim


def test_every_message_of_a_batch_is_kept(spotclaim: Spotclaim) -> None:
    """Faults, usage, spots, and what could not be understood."""
    fault = a_fault(evidence=[{"kind": "note", "text": "ü"}], zone="north", info="R3", filed_by="controller-7")

    spotclaim.take_in(
        faults=[fault],
        usage=[a_usage_record(samples=[{"kwh": 1.5}])],
        spots=[a_spot(warranty_until=date(2026, 12, 31))],
        quarantined=[a_quarantined(b"\xff\x00")],
    )

    [stored] = spotclaim.rows("SELECT *, replace(key::text, '-', '') AS key, claim_id::text FROM faults")
    [claim] = spotclaim.claims()
    assert {name: stored[name] for name in ("key", "zone", "info", "evidence", "filed_by", "occurred_at")} == {
        "key": fault.key,
        "zone": "north",
        "info": "R3",
        "evidence": [{"kind": "note", "text": "ü"}],
        "filed_by": "controller-7",
        "occurred_at": FAULT_TIME,
    }
    assert (stored["claim_id"], stored["code"]) == (claim["id"], "METER_MISREAD")
    assert spotclaim.value("SELECT samples FROM usage_records") == [{"kwh": 1.5}]
    assert spotclaim.value("SELECT warranty_until FROM spots") == date(2026, 12, 31)
    assert bytes(spotclaim.value("SELECT body FROM quarantine")) == b"\xff\x00"


def test_a_claim_its_event_and_its_step_come_together(spotclaim: Spotclaim) -> None:
    """One transaction writes all three."""
    spotclaim.take_in(faults=[a_fault(), a_fault()])

    [claim] = spotclaim.claims()
    [step] = spotclaim.steps()
    assert (claim["status"], claim["fault_count"], claim["version"]) == ("submitted", 2, 1)
    assert (step["kind"], step["subject_ids"], step["attempts"]) == ("verify", [claim["id"]], 0)
    spotclaim.demand_sound_chains()


@pytest.mark.parametrize("escalated", [False, True])
def test_a_claim_is_stored_as_it_was_opened(spotclaim: Spotclaim, *, escalated: bool) -> None:
    """What its opening does not state has its default, unless more happens to it in the same transaction."""
    claim = a_claim(also_filed_by=["o'neill", '"b\\n'], connector_id=2, cleared_at=NOW, resolve_due_at=None)
    changes = Changes()
    changes.put(claim, part=OPENED)
    if escalated:
        changes.record(claim, ClaimEscalated(to="manager"), NOW, "rule:escalation")

    with spotclaim.store.transaction() as transaction:
        transaction.record(changes)
    with spotclaim.store.transaction() as transaction:
        stored = transaction.claims([claim.id])

    assert stored == [claim]


def everything(spotclaim: Spotclaim) -> list[list[dict[str, Any]]]:
    tables = ("faults", "usage_records", "spots", "claims", "audit_events", "steps")
    return [spotclaim.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


def test_a_repeated_batch_changes_nothing(spotclaim: Spotclaim) -> None:
    """A worker that died before it acknowledged gets the batch again."""
    batch = {"faults": [a_fault(), a_clear()], "usage": [a_usage_record()], "spots": [a_spot()]}
    spotclaim.take_in(**batch)
    before = everything(spotclaim)

    spotclaim.take_in(**batch)

    assert everything(spotclaim) == before


def test_a_message_twice_in_one_batch_counts_once(spotclaim: Spotclaim) -> None:
    """Publishers repeat what was not confirmed to them."""
    fault, record, spot = a_fault(), a_usage_record(), a_spot()

    spotclaim.take_in(faults=[fault] * 3, usage=[record] * 3, spots=[spot] * 3)

    assert [claim["fault_count"] for claim in spotclaim.claims()] == [1]
    assert [
        spotclaim.value(f"SELECT count(*) FROM {table}") for table in ("faults", "usage_records", "spots")
    ] == [
        1,
        1,
        1,
    ]


def test_new_faults_beside_known_ones_are_counted(spotclaim: Spotclaim) -> None:
    """A batch that overlaps an earlier one counts what is new in it."""
    first, second, third = a_fault(), a_fault(), a_fault(occurred_at=FAULT_TIME + timedelta(minutes=9))
    spotclaim.take_in(faults=[first, second])

    spotclaim.take_in(faults=[second, third])

    [claim] = spotclaim.claims()
    assert (claim["fault_count"], claim["version"]) == (3, 2)
    assert claim["last_seen_at"] == FAULT_TIME + timedelta(minutes=9)
    spotclaim.demand_sound_chains()


@pytest.mark.parametrize("status", STATUSES)
def test_only_a_closed_claim_makes_room_for_another(spotclaim: Spotclaim, status: str) -> None:
    """While a claim is open, in whatever state, the faults of its spot and code are its own."""
    spotclaim.take_in(faults=[a_fault()])
    closed_at = NOW if status in CLOSED else None
    spotclaim.rows("UPDATE claims SET status = %s, closed_at = %s", status, closed_at)

    spotclaim.take_in(faults=[a_fault()])

    assert sorted(claim["fault_count"] for claim in spotclaim.claims()) == ([1, 1] if status in CLOSED else [2])


def test_a_clear_without_a_claim_is_kept(spotclaim: Spotclaim) -> None:
    """It opens nothing, and its fault may still come."""
    spotclaim.take_in(faults=[a_clear()])

    assert (spotclaim.claims(), spotclaim.steps()) == ([], [])
    assert spotclaim.rows("SELECT cleared, claim_id FROM faults") == [{"cleared": True, "claim_id": None}]


def test_the_same_bytes_in_quarantine_are_one_row_with_a_count(spotclaim: Spotclaim) -> None:
    """A controller that sends nonsense every minute fills no table."""
    spotclaim.take_in(quarantined=[a_quarantined(b"nonsense")])
    spotclaim.take_in(quarantined=[a_quarantined(b"nonsense"), a_quarantined(b"nonsense")])

    assert spotclaim.rows("SELECT times, reason FROM quarantine") == [{"times": 3, "reason": "NOT_JSON"}]


def test_five_hundred_messages_are_one_batch(spotclaim: Spotclaim) -> None:
    """On two hundred and fifty spots, with one step for all the claims."""
    spotclaim.take_in(faults=[a_fault(spot_id=f"E{number % 250}") for number in range(500)])

    assert {claim["fault_count"] for claim in spotclaim.claims()} == {2}
    [step] = spotclaim.steps()
    assert len(step["subject_ids"]) == 250


def test_nothing_is_kept_of_a_batch_that_failed(spotclaim: Spotclaim) -> None:
    """Everything together, or not at all."""
    with pytest.raises(RuntimeError), spotclaim.store.transaction() as transaction:
        transaction.register_spots([a_spot()])
        transaction.record_usage([a_usage_record()])
        transaction.quarantine([a_quarantined()])
        raise RuntimeError("the process dies here")

    assert everything(spotclaim) == [[]] * 6


def test_a_database_that_comes_back_is_waited_for(spotclaim: Spotclaim) -> None:
    """Connections that were cut are made again."""
    spotclaim.take_in(faults=[a_fault()])
    for _ in range(5):
        with spotclaim.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        spotclaim.take_in(faults=[a_fault()])

    assert spotclaim.claims()[0]["fault_count"] == 6


def test_an_outage_is_raised_to_whoever_must_stop(set_up: Callable[..., Spotclaim]) -> None:
    """The batch goes back to the broker, and nothing was changed."""

    class Away:
        def transaction(self) -> AbstractContextManager[Transaction]:
            raise TransientError("PostgreSQL is away.")

    away = set_up(store=Away())
    away.stopping.set()

    with pytest.raises(TransientError):
        away.take_in(faults=[a_fault()])
