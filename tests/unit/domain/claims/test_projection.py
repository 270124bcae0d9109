"""Folding: what the events of a claim say that its row must be."""

import json
from typing import Any

import pytest

from domain.audit.chain import AuditEvent, instant
from domain.claims import projection as fold
from domain.claims.approval import route
from domain.claims.deduplication import meet_claims, open_or_count
from domain.eligibility.verify import verify
from tests.builders import NOW, a_case, a_clear, a_fault, a_policy, a_usage_record, ids


def folded(events: list[AuditEvent]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for event in events:
        fold.apply(row, event.seq, event.at, event.kind, json.loads(event.body))
    return row


def demand_equal(claim: Any, row: dict[str, Any]) -> None:
    for name, value in row.items():
        present = getattr(claim, name)
        assert (instant(present) if hasattr(present, "tzinfo") else present) == value, name


def test_a_claim_is_what_its_events_say() -> None:
    """Opened, counted, cleared, judged, routed: after each of them."""
    policy, next_id, events = a_policy(), ids(), []
    groups = meet_claims([a_fault(), a_fault()], policy)
    decision = open_or_count(groups, {}, policy, NOW, lambda: next(next_id))
    [claim] = decision.opened
    events += decision.events
    demand_equal(claim, folded(events))

    more = meet_claims([a_fault(), a_clear()], policy)
    events += open_or_count(more, {(claim.spot_id, claim.code): claim}, policy, NOW, str).events
    demand_equal(claim, folded(events))

    events += verify([a_case(claim, a_usage_record(energy_kwh=-1.0))], policy, NOW).events
    demand_equal(claim, folded(events))
    assert folded(events)["verdict_seq"] == claim.verdict_seq == 3

    events += route([claim], policy, NOW).events
    row = folded(events)
    demand_equal(claim, row)
    assert (row["status"], row["stage"], row["stages"]) == ("under_review", 1, ["reviewer", "manager"])


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("claim.stage_passed", {"stage": 1}, {"stage": 2, "escalated_to": None}),
        ("claim.approved", {"stage": 2}, {"status": "approved", "closed_at": None, "escalated_to": None}),
        ("claim.rejected", {}, {"status": "rejected", "closed_at": "t", "escalated_to": None}),
        ("claim.resolved", {}, {"status": "resolved", "closed_at": "t", "escalated_to": None}),
        ("claim.escalated", {"to": "manager"}, {"escalated_to": "manager"}),
        (
            "claim.reopened",
            {"clocks": {"resolve_due_at": "t2"}},
            {
                "status": "submitted",
                "closed_at": None,
                "escalated_to": None,
                "stage": 0,
                "stages": [],
                "reopened": 1,
                "resolve_due_at": "t2",
            },
        ),
        ("claim.noted", {"note": "x"}, {}),
    ],
)
def test_decisions_move_a_claim(kind: str, data: dict[str, Any], expected: dict[str, Any]) -> None:
    """Closing it at the moment of the event; a note moves nothing."""
    row: dict[str, Any] = {}

    fold.apply(row, 5, "t", kind, data)

    assert row == expected
