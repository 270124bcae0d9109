"""Who must approve a claim: the stages it is sent to, and who steps in when one is late."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims.claim import Claim
from domain.claims.lifecycle import UNDER_REVIEW, VERIFYING, after
from domain.notifications.notice import news_of
from domain.policy import AUTHORITIES, ApprovalRule, Policy

_ACTOR = "rule:approval"


def route(claims: Sequence[Claim], policy: Policy, now: datetime) -> Decision:
    """Sends verified claims to the first stage that the policy's matrix demands, or approves them by its rule.

    Claims in another status are left alone.
    """
    decision = Decision()
    for claim in claims:
        if claim.status != VERIFYING:
            continue
        cost = policy.codes[claim.code].estimated_cost
        rule = policy.approval_for(claim.severity, claim.claim_type, cost)
        data = _reason(rule, policy, claim, cost)
        if rule.automatic:
            _approve_by_rule(decision, claim, data, now)
        else:
            _send_to_first_stage(decision, claim, rule, data, now)
        decision.changed.append(claim)
    decision.steps += [*news_of(decision.changed), *overdue_steps(decision.changed, now)]
    return decision


def _reason(rule: ApprovalRule, policy: Policy, claim: Claim, cost: float) -> dict[str, object]:
    return {
        "policy": policy.version,
        "rule": policy.approval.index(rule) + 1,
        "severity": claim.severity,
        "estimated_cost": cost,
        "currency": policy.currency,
    }


def _approve_by_rule(decision: Decision, claim: Claim, data: dict[str, object], now: datetime) -> None:
    claim.status = after(claim.status, "approve_by_rule")
    decision.events.append(audit.append(claim, now, _ACTOR, "claim.approved", data | {"automatic": True}))


def _send_to_first_stage(
    decision: Decision, claim: Claim, rule: ApprovalRule, data: dict[str, object], now: datetime
) -> None:
    claim.status = after(claim.status, "route")
    claim.stages, claim.stage = list(rule.stages), 1
    claim.approved_by, claim.escalated_to = [], None
    claim.four_eyes, claim.stage_hours = rule.four_eyes, rule.stage_hours
    data |= {"stages": claim.stages, "four_eyes": rule.four_eyes, "stage_hours": rule.stage_hours}
    decision.events.append(audit.append(claim, now, _ACTOR, "claim.routed", data))


def overdue_steps(claims: Iterable[Claim], now: datetime) -> list[Step]:
    """Steps that look after stages that will not have decided in time, one for all that are due together."""
    together: dict[tuple[float, str], list[str]] = {}
    for claim in claims:
        if claim.status == UNDER_REVIEW and claim.stage_hours and _next_authority(claim):
            together.setdefault((claim.stage_hours, claim.standing), []).append(claim.id)
    return [
        Step("escalate", ids, due_at=now + timedelta(hours=hours), subject=standing)
        for (hours, standing), ids in together.items()
    ]


def escalate(
    overdue: Iterable[tuple[Claim, str]], now: datetime, lacking: Collection[str] = frozenset()
) -> Decision:
    """Opens late stages to the next authority as well.

    Each claim comes with the standing in which it was to be decided; one that moved on since is left alone.
    Nobody could decide the claims whose ids are among `lacking`, since evidence that the policy demands is not on
    file: they are looked at again after as long as a stage may take.
    """
    decision = Decision()
    waiting: list[Claim] = []
    for claim, standing in overdue:
        if claim.standing != standing or claim.status != UNDER_REVIEW:
            continue
        authority = _next_authority(claim)
        if authority is None:
            continue
        if claim.id in lacking:
            waiting.append(claim)
            continue
        data = {"stage": claim.stage, "from": deciders(claim), "to": authority, "stage_hours": claim.stage_hours}
        claim.escalated_to = authority
        decision.changed.append(claim)
        decision.events.append(audit.append(claim, now, "rule:escalation", "claim.escalated", data))
    decision.steps += [*news_of(decision.changed), *overdue_steps([*decision.changed, *waiting], now)]
    return decision


def deciders(claim: Claim) -> list[str]:
    """The roles that may decide the claim's present stage: its own, and those it was escalated to."""
    stage_role = claim.stages[claim.stage - 1]
    if claim.escalated_to is None:
        return [stage_role]
    return list(AUTHORITIES[AUTHORITIES.index(stage_role) : AUTHORITIES.index(claim.escalated_to) + 1])


def _next_authority(claim: Claim) -> str | None:
    highest = AUTHORITIES.index(deciders(claim)[-1])
    return AUTHORITIES[highest + 1] if highest + 1 < len(AUTHORITIES) else None
