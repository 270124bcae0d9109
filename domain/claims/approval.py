"""Routes claims through the stages of approval, and escalates those that are late."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.changes import Changes
from domain.claims.announcing import announce
from domain.claims.claim import Claim
from domain.claims.decision_events import ClaimApproved, ClaimEscalated, ClaimRouted
from domain.claims.lifecycle import UNDER_REVIEW, VERIFYING
from domain.policy.policy import ApprovalRule, Policy
from domain.policy.roles import AUTHORITIES
from domain.steps import Escalate

_ACTOR: Final = "rule:approval"


def route(claims: Sequence[Claim], policy: Policy, now: datetime) -> Changes:
    """Sends verified claims to their first stage, or approves them by rule.

    The policy's matrix says which. Claims in another status are left alone.
    """
    changes = Changes()
    for claim in claims:
        if claim.status != VERIFYING:
            continue
        rule = policy.approval_for(claim.severity, claim.claim_type, policy.codes[claim.code].estimated_cost)
        reason = _reason(rule, policy, claim)
        event: ClaimApproved | ClaimRouted
        if rule.automatic:
            event = ClaimApproved(**reason, automatic=True)
        else:
            event = ClaimRouted(
                **reason, stages=list(rule.stages), four_eyes=rule.four_eyes, stage_hours=rule.stage_hours
            )
        changes.record(claim, event, now, _ACTOR)
    routed = changes.of(Claim)
    changes.put(*announce(routed), *overdue_steps(routed, now))
    return changes


def _reason(rule: ApprovalRule, policy: Policy, claim: Claim) -> dict[str, Any]:
    return {
        "policy": policy.version,
        "rule": policy.approval.index(rule) + 1,
        "severity": claim.severity,
        "estimated_cost": policy.codes[claim.code].estimated_cost,
        "currency": policy.currency,
    }


def overdue_steps(claims: Iterable[Claim], now: datetime) -> list[Escalate]:
    """Schedules escalations for stages that may not decide in time.

    Claims that are due together, with the same state key, share one step.
    """
    together: dict[tuple[float, str], list[str]] = {}
    for claim in claims:
        if claim.status == UNDER_REVIEW and claim.stage_hours and _next_authority(claim):
            together.setdefault((claim.stage_hours, claim.state_key), []).append(claim.id)
    return [
        Escalate(ids, state_key, due_at=now + timedelta(hours=hours))
        for (hours, state_key), ids in together.items()
    ]


def escalate(
    overdue: Iterable[tuple[Claim, str]], now: datetime, lacking: Collection[str] = frozenset()
) -> Changes:
    """Opens late stages to the next authority as well.

    Each claim comes with the state key that it had when the escalation was scheduled; one that has moved on since
    is left alone. Claims whose ids are among `lacking` could not be decided, since evidence that the policy
    demands is not on file: their escalation is scheduled again, after as long as a stage may take.
    """
    changes = Changes()
    waiting: list[Claim] = []
    for claim, state_key in overdue:
        if claim.state_key != state_key or claim.status != UNDER_REVIEW:
            continue
        authority = _next_authority(claim)
        if authority is None:
            continue
        if claim.id in lacking:
            waiting.append(claim)
            continue
        event = ClaimEscalated(
            stage=claim.stage, open_to=deciders(claim), to=authority, stage_hours=claim.stage_hours
        )
        changes.record(claim, event, now, "rule:escalation")
    escalated = changes.of(Claim)
    changes.put(*announce(escalated), *overdue_steps([*escalated, *waiting], now))
    return changes


def deciders(claim: Claim) -> list[str]:
    """Names the roles that may decide the claim's present stage.

    These are the stage's own, and those it was escalated to.
    """
    stage_role = claim.stages[claim.stage - 1]
    if claim.escalated_to is None:
        return [stage_role]
    return list(AUTHORITIES[AUTHORITIES.index(stage_role) : AUTHORITIES.index(claim.escalated_to) + 1])


def _next_authority(claim: Claim) -> str | None:
    highest = AUTHORITIES.index(deciders(claim)[-1])
    return AUTHORITIES[highest + 1] if highest + 1 < len(AUTHORITIES) else None
