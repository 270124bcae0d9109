"""Who may approve what, in how many stages, and what a decision leaves behind."""

import json
from typing import Any

import pytest

from domain import audit
from domain.approval import ACTIONS, ROLES, decide, route
from domain.claim import Claim
from domain.decision import Decision
from domain.errors import Conflict, NotAllowed
from domain.lifecycle import STATUSES
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy

STAGES = {"low": ("operator",), "medium": ("reviewer",), "high": ("reviewer", "manager"), "critical": ("manager",)}
POLICY = a_policy(stages=STAGES, version="v7")


def decided(claim: Claim, action: str, **changes: Any) -> Decision:
    said: dict[str, Any] = {"who": "eve", "role": "admin", "note": "", "version": None, "now": NOW}
    return decide(claim, action, **(said | changes))


@pytest.mark.parametrize(("severity", "stages"), STAGES.items())
def test_severity_decides_the_stages(severity: str, stages: tuple[str, ...]) -> None:
    """A verified claim waits for the first of them."""
    claim = a_claim(status="verifying", severity=severity)

    route([claim], POLICY, NOW)

    assert (claim.status, claim.stage, claim.stages) == ("under_review", 1, list(stages))


def test_routed_claims_are_announced_together() -> None:
    """One step names them all; the audit event says which policy sent them where."""
    claims = [a_claim(status="verifying"), a_claim(status="verifying", severity="low")]

    decision = route(claims, POLICY, NOW)

    assert [(step.kind, step.claim_ids) for step in decision.steps] == [("announce", [c.id for c in claims])]
    assert [event.kind for event in decision.events] == ["claim.routed"] * 2
    expected = {"severity": "low", "stages": ["operator"], "policy": "v7"}
    assert json.loads(decision.events[1].body) == expected


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"verifying"}))
def test_routing_leaves_other_claims_alone(status: str) -> None:
    """A repeated step finds nothing to do, and announces nothing."""
    assert route([a_claim(status=status)], POLICY, NOW) == Decision()


def test_each_stage_is_passed_before_the_claim_is_approved() -> None:
    """Two roles, two approvals, and an audit event for each."""
    claim = a_claim_under_review("reviewer", "manager")

    first = decided(claim, "approve", role="reviewer", who="rita")
    assert (claim.status, claim.stage) == ("under_review", 2)
    second = decided(claim, "approve", role="manager", who="max", note="seen the meter")

    assert (claim.status, claim.closed_at) == ("approved", None)
    events = [*first.events, *second.events]
    assert [(event.actor, event.kind) for event in events] == [
        ("rita", "claim.stage_passed"),
        ("max", "claim.approved"),
    ]
    assert audit.first_broken(events) is None
    said = {"action": "approve", "role": "manager", "note": "seen the meter", "stage": 2, "of_stages": 2}
    assert json.loads(events[1].body) == said


@pytest.mark.parametrize("stage", [1, 2])
def test_any_stage_may_reject(stage: int) -> None:
    """That closes the claim."""
    claim = a_claim_under_review("reviewer", "reviewer", stage=stage)

    decision = decided(claim, "reject", role="reviewer")

    assert (claim.status, claim.closed_at) == ("rejected", NOW)
    assert decision.events[0].kind == "claim.rejected"


def test_an_approved_claim_is_resolved() -> None:
    """That closes it."""
    claim = a_claim(status="approved", stages=["reviewer"], stage=1)

    decided(claim, "resolve", role="operator")

    assert (claim.status, claim.closed_at) == ("resolved", NOW)


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_every_decision_is_announced(action: str) -> None:
    """People wait to hear of it."""
    claim = a_claim_under_review()

    decision = decided(claim, action)

    assert [(step.kind, step.claim_ids) for step in decision.steps] == [("announce", [claim.id])]


@pytest.mark.parametrize("action", ["approve", "reject"])
@pytest.mark.parametrize("demanded", ["operator", "reviewer", "manager"])
@pytest.mark.parametrize("role", ROLES)
def test_a_stage_belongs_to_its_role(demanded: str, role: str, action: str) -> None:
    """Only that role and an admin decide there; for anybody else nothing changes."""
    claim = a_claim_under_review(demanded)

    if role in (demanded, "admin"):
        decided(claim, action, role=role)
        assert claim.status != "under_review"
        return

    with pytest.raises(NotAllowed):
        decided(claim, action, role=role)
    assert (claim.status, claim.version) == ("under_review", 0)


@pytest.mark.parametrize("claim", [a_claim_under_review("auditor"), a_claim(status="approved")])
def test_auditors_never_decide(claim: Claim) -> None:
    """They read, even where a policy names them."""
    action = "approve" if claim.status == "under_review" else "resolve"

    with pytest.raises(NotAllowed, match="Auditors read"):
        decided(claim, action, role="auditor")


def test_a_claim_that_moved_on_since_it_was_seen_is_a_conflict() -> None:
    """The person learns both versions and looks again."""
    claim = a_claim_under_review(version=5)

    with pytest.raises(Conflict, match="at version 5 by now; you saw version 4"):
        decided(claim, "approve", version=4)

    decided(claim, "approve", version=5)
    assert claim.status == "approved"


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_state_that_does_not_allow_the_action_is_a_conflict(status: str, action: str) -> None:
    """Whoever asks, and nothing changes."""
    claim = a_claim(status=status, stages=["reviewer"], stage=1)
    fits = {"approve": "under_review", "reject": "under_review", "resolve": "approved"}

    if status == fits[action]:
        decided(claim, action)
        return

    with pytest.raises(Conflict, match="allowed from here"):
        decided(claim, action)
    assert (claim.status, claim.version) == (status, 0)


@pytest.mark.parametrize("action", ["find_eligible", "route", "pass_stage", "", "delete"])
def test_only_peoples_actions_are_decisions(action: str) -> None:
    """What rules do is not for people to ask for."""
    with pytest.raises(Conflict, match="there are: approve, reject, resolve"):
        decided(a_claim_under_review(), action)
