"""Which stages a claim must pass, and who steps in when one is late."""

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.audit import chain as audit
from domain.changes import Changes
from domain.claims.approval import deciders, escalate, route
from domain.claims.claim import Claim
from domain.claims.lifecycle import STATUSES
from domain.policy.policy import ApprovalRule, Policy
from domain.steps import Announce, Escalate
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy
from tests.unit.domain.written import written

STAGES = {"low": ("operator",), "medium": ("reviewer",), "high": ("reviewer", "manager"), "critical": ("manager",)}
RULES = tuple(ApprovalRule(stages, severities=(severity,)) for severity, stages in STAGES.items())
POLICY = a_policy(approval=RULES, version="v7")
COST = POLICY.codes["METER_MISREAD"].estimated_cost


def ruled(*rules: ApprovalRule) -> Policy:
    return a_policy(approval=rules)


def verified(**changes: Any) -> Claim:
    return a_claim(**({"status": "verifying"} | changes))


def stated(changes: Changes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(changes.events[0].body)
    return body


@pytest.mark.parametrize(("severity", "stages"), STAGES.items())
def test_severity_decides_the_stages(severity: str, stages: tuple[str, ...]) -> None:
    """A verified claim waits for the first of them."""
    claim = verified(severity=severity)

    route([claim], POLICY, NOW)

    assert (claim.status, claim.stage, claim.stages) == ("under_review", 1, list(stages))


@pytest.mark.parametrize(("limit", "stages"), [(COST, ["operator"]), (COST - 0.01, ["manager"])])
def test_cost_decides_the_stages_too(limit: float, stages: list[str]) -> None:
    """Up to and including the limit."""
    claim = verified()

    route([claim], ruled(ApprovalRule(("operator",), cost_up_to=limit), ApprovalRule(("manager",))), NOW)

    assert claim.stages == stages


def test_routed_claims_are_announced_together() -> None:
    """One step for all that stand alike; the audit event says which rule of which policy sent them where."""
    claims = [verified(), verified(severity="low")]

    changes = route(claims, POLICY, NOW)

    assert changes.steps == [Announce([claim.id for claim in claims], state_key="under_review:1")]
    assert [event.kind for event in changes.events] == ["claim.routed"] * 2
    assert json.loads(changes.events[1].body) == {
        "policy": "v7",
        "rule": 1,
        "severity": "low",
        "estimated_cost": COST,
        "currency": "EUR",
        "stages": ["operator"],
        "four_eyes": False,
        "stage_hours": None,
    }


def test_a_rule_may_approve_without_a_person() -> None:
    """The record says that it was a rule, and which."""
    claim = verified(severity="low")

    changes = route([claim], ruled(ApprovalRule(automatic=True, severities=("low",)), *RULES), NOW)

    assert (claim.status, claim.stages, claim.approved_by) == ("approved", [], [])
    assert (changes.events[0].actor, changes.events[0].kind) == ("rule:approval", "claim.approved")
    assert (stated(changes)["automatic"], stated(changes)["rule"]) == (True, 1)
    assert changes.steps == [Announce([claim.id], state_key="approved:0")]


def test_claims_with_different_state_keys_are_announced_apart() -> None:
    """Approved by rule here, under review there: a notice of its own for each."""
    claims = [verified(severity="low"), verified()]

    changes = route(claims, ruled(ApprovalRule(automatic=True, severities=("low",)), *RULES), NOW)

    assert changes.steps == [
        Announce([claims[0].id], state_key="approved:0"),
        Announce([claims[1].id], state_key="under_review:1"),
    ]


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"verifying"}))
def test_routing_leaves_other_claims_alone(status: str) -> None:
    """A repeated step finds nothing to do, and announces nothing."""
    assert written(route([a_claim(status=status)], POLICY, NOW)) == []


def test_a_stage_with_a_time_limit_is_looked_after() -> None:
    """One step for all claims that are due together; none where there is no limit, or nobody higher."""
    hours = ApprovalRule(("reviewer",), severities=("high",), stage_hours=24)
    top = ApprovalRule(("admin",), severities=("critical",), stage_hours=1)
    claims = [verified(), verified(), verified(severity="low"), verified(severity="critical")]

    changes = route(claims, ruled(hours, top, ApprovalRule(("operator",))), NOW)

    assert [step for step in changes.steps if isinstance(step, Escalate)] == [
        Escalate([claims[0].id, claims[1].id], "under_review:1", due_at=NOW + timedelta(hours=24))
    ]


def test_a_late_stage_is_opened_to_the_next_authority() -> None:
    """And, when that one is late as well, to the one above, until there is none."""
    claim = a_claim_under_review("operator", stage_hours=24)
    events = []

    for expected in ("reviewer", "manager", "admin"):
        changes = escalate([(claim, claim.state_key)], NOW)
        events += changes.events
        state_key = f"under_review:1:{expected}"
        assert claim.escalated_to == expected
        assert stated(changes)["to"] == expected
        [announce, *more] = changes.steps
        assert announce == Announce([claim.id], state_key=state_key)
        assert more == (
            [] if expected == "admin" else [Escalate([claim.id], state_key, due_at=NOW + timedelta(hours=24))]
        )

    assert deciders(claim) == ["operator", "reviewer", "manager", "admin"]
    assert written(escalate([(claim, claim.state_key)], NOW)) == []
    assert audit.first_broken(events) is None
    assert {event.actor for event in events} == {"rule:escalation"}


@pytest.mark.parametrize(
    "moved_on",
    [
        {"stage": 2},
        {"status": "approved"},
        {"status": "rejected"},
        {"escalated_to": "manager"},
        {"pauses": [NOW, NOW]},
    ],
)
def test_a_claim_that_moved_on_is_not_escalated(moved_on: dict[str, Any]) -> None:
    """Somebody decided in time, the step comes twice, or the claim was away and has its time anew."""
    claim = a_claim_under_review("reviewer", "manager", **({"stage_hours": 24} | moved_on))

    assert written(escalate([(claim, "under_review:1")], NOW)) == []
