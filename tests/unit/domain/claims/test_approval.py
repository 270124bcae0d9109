"""Which stages a claim must pass, and who steps in when one is late."""

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.audit import chain as audit
from domain.changes import Decision
from domain.claims.approval import deciders, escalate, route
from domain.claims.claim import Claim
from domain.claims.lifecycle import STATUSES
from domain.policy import ApprovalRule, Policy
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy

STAGES = {"low": ("operator",), "medium": ("reviewer",), "high": ("reviewer", "manager"), "critical": ("manager",)}
RULES = tuple(ApprovalRule(stages, severities=(severity,)) for severity, stages in STAGES.items())
POLICY = a_policy(approval=RULES, version="v7")
COST = POLICY.codes["METER_MISREAD"].estimated_cost


def ruled(*rules: ApprovalRule) -> Policy:
    return a_policy(approval=rules)


def verified(**changes: Any) -> Claim:
    return a_claim(**({"status": "verifying"} | changes))


def said(decision: Decision) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(decision.events[0].body)
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

    decision = route(claims, POLICY, NOW)

    assert [(step.kind, step.claim_ids) for step in decision.steps] == [("announce", [c.id for c in claims])]
    assert [event.kind for event in decision.events] == ["claim.routed"] * 2
    assert json.loads(decision.events[1].body) == {
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

    decision = route([claim], ruled(ApprovalRule(automatic=True, severities=("low",)), *RULES), NOW)

    assert (claim.status, claim.stages, claim.approved_by) == ("approved", [], [])
    assert (decision.events[0].actor, decision.events[0].kind) == ("rule:approval", "claim.approved")
    assert (said(decision)["automatic"], said(decision)["rule"]) == (True, 1)
    assert [(step.kind, step.subject) for step in decision.steps] == [("announce", "approved:0")]


def test_claims_that_stand_differently_are_told_apart() -> None:
    """Approved by rule here, under review there: news of its own for each."""
    claims = [verified(severity="low"), verified()]

    decision = route(claims, ruled(ApprovalRule(automatic=True, severities=("low",)), *RULES), NOW)

    assert [(step.subject, step.claim_ids) for step in decision.steps] == [
        ("approved:0", [claims[0].id]),
        ("under_review:1", [claims[1].id]),
    ]


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"verifying"}))
def test_routing_leaves_other_claims_alone(status: str) -> None:
    """A repeated step finds nothing to do, and announces nothing."""
    assert route([a_claim(status=status)], POLICY, NOW) == Decision()


def test_a_stage_with_a_time_limit_is_looked_after() -> None:
    """One step for all claims that are due together; none where there is no limit, or nobody higher."""
    hours = ApprovalRule(("reviewer",), severities=("high",), stage_hours=24)
    top = ApprovalRule(("admin",), severities=("critical",), stage_hours=1)
    claims = [verified(), verified(), verified(severity="low"), verified(severity="critical")]

    decision = route(claims, ruled(hours, top, ApprovalRule(("operator",))), NOW)

    [step] = [step for step in decision.steps if step.kind == "escalate"]
    assert (step.claim_ids, step.subject) == ([claims[0].id, claims[1].id], "under_review:1")
    assert step.due_at == NOW + timedelta(hours=24)


def test_a_late_stage_is_opened_to_the_next_authority() -> None:
    """And, when that one is late as well, to the one above, until there is none."""
    claim = a_claim_under_review("operator", stage_hours=24)
    events = []

    for expected in ("reviewer", "manager", "admin"):
        decision = escalate([(claim, claim.standing)], NOW)
        events += decision.events
        assert claim.escalated_to == expected
        assert said(decision)["to"] == expected
        [announce, *more] = decision.steps
        assert (announce.kind, announce.subject) == ("announce", f"under_review:1:{expected}")
        assert [(step.kind, step.due_at) for step in more] == (
            [] if expected == "admin" else [("escalate", NOW + timedelta(hours=24))]
        )

    assert deciders(claim) == ["operator", "reviewer", "manager", "admin"]
    assert escalate([(claim, claim.standing)], NOW) == Decision()
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

    assert escalate([(claim, "under_review:1")], NOW) == Decision()
