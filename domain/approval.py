"""Who may approve a claim, and what a person decided."""

from collections.abc import Sequence
from datetime import datetime

from domain import audit
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.errors import Conflict, NotAllowed
from domain.lifecycle import CLOSED, UNDER_REVIEW, VERIFYING, after
from domain.policy import Policy

ROLES = ("operator", "reviewer", "manager", "auditor", "admin")
ACTIONS = ("approve", "reject", "resolve")


def route(claims: Sequence[Claim], policy: Policy, now: datetime) -> Decision:
    """Sends verified claims to the first stage that their severity demands. Others are left alone."""
    decision = Decision()
    for claim in claims:
        if claim.status != VERIFYING:
            continue
        claim.status = after(claim.status, "route")
        claim.stages = list(policy.stages[claim.severity])
        claim.stage = 1
        decision.changed.append(claim)
        data = {"severity": claim.severity, "stages": claim.stages, "policy": policy.version}
        decision.events.append(audit.append(claim, now, "rule:approval", "claim.routed", data))
    if decision.changed:
        ids = [claim.id for claim in decision.changed]
        decision.steps.append(Step("announce", ids, subject=decision.changed[0].standing))
    return decision


def decide(
    claim: Claim, action: str, *, who: str, role: str, note: str, version: int | None, now: datetime
) -> Decision:
    """One person's decision on one claim.

    Raises `Conflict` when the claim has moved on from the `version` the person saw, or when its state does not
    allow the action; `NotAllowed` when the stage belongs to another role.
    """
    if action not in ACTIONS:
        raise Conflict(f"Unknown action {action}; there are: {', '.join(ACTIONS)}.")
    if version is not None and version != claim.version:
        raise Conflict(f"The claim is at version {claim.version} by now; you saw version {version}.")
    status = after(claim.status, action)
    _demand_role(claim, role)
    data = {"action": action, "role": role, "note": note, "stage": claim.stage, "of_stages": len(claim.stages)}
    if action == "approve" and claim.stage < len(claim.stages):
        kind = "claim.stage_passed"
        claim.stage += 1
    else:
        kind = f"claim.{status}"
        claim.status = status
    if status in CLOSED:
        claim.closed_at = now
    event = audit.append(claim, now, who, kind, data)
    return Decision(changed=[claim], events=[event], steps=[Step("announce", [claim.id], subject=claim.standing)])


def _demand_role(claim: Claim, role: str) -> None:
    if role == "admin":
        return
    demanded = claim.stages[claim.stage - 1] if claim.status == UNDER_REVIEW else None
    if demanded is not None and role != demanded:
        raise NotAllowed(f"This stage belongs to the role {demanded}; yours is {role}.")
    if role == "auditor":
        raise NotAllowed("Auditors read; they do not decide.")
