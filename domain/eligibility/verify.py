"""What follows from a verdict: the claim goes on, waits for evidence, or ends here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims import sla
from domain.claims.claim import Claim
from domain.claims.lifecycle import (
    AWAITING_EVIDENCE,
    INELIGIBLE,
    JUDGED,
    SUBMITTED,
    UNDER_REVIEW,
    VERIFYING,
    after,
)
from domain.eligibility.evaluation import Case
from domain.eligibility.rules import ACTIONS, evidence_deadline, judge
from domain.notifications.notice import news_of
from domain.policy import Policy


def verify(cases: Sequence[Case], policy: Policy, now: datetime, policies: sla.Policies | None = None) -> Decision:
    """Judges a batch. A claim whose verdict stays the same is left alone, so a repeated step changes nothing.

    A claim that is under review is judged again when more is known, and stays there with another verdict or leaves
    it. A claim gets its clocks with its first verdict; they stand while it waits for evidence. `policies` finds
    the one that bound a claim; without it that is always the present one.
    """
    bound_by = policies or (lambda _: policy)
    decision, timed = Decision(), list[Claim]()
    came = {status: list[Claim]() for status in (VERIFYING, AWAITING_EVIDENCE, INELIGIBLE)}
    for case in cases:
        claim, before = case.claim, case.claim.status
        if before not in JUDGED:
            continue
        verdict = judge(case, policy, now)
        if before != SUBMITTED and _known(case, verdict):
            continue
        _move(claim, verdict["outcome"])
        decision.changed.append(claim)
        clocks = (
            sla.bind(claim, case.spot, policy, now)
            if claim.time_zone is None
            else sla.follow(claim, bound_by(claim.policy_version), now)
        )
        if clocks:
            timed.append(claim)
        body = verdict | ({"clocks": clocks} if clocks else {})
        decision.events.append(audit.append(claim, now, "rule:eligibility", "claim.verified", body))
        claim.verdict_seq = claim.version
        if claim.status != before:
            came[claim.status].append(claim)
    if came[VERIFYING]:
        decision.steps.append(Step("route", [claim.id for claim in came[VERIFYING]]))
    for claim in came[AWAITING_EVIDENCE]:
        decision.steps.append(Step("verify", [claim.id], due_at=evidence_deadline(claim, policy, now)))
    if any(rule.event == f"claim.{INELIGIBLE}" for rule in policy.notifications):
        decision.steps += news_of(came[INELIGIBLE])
    decision.steps += sla.owe(timed, bound_by, now)
    return decision


def _known(case: Case, verdict: dict[str, Any]) -> bool:
    """Whether this is on record already, beside what the verdict did to the clocks."""
    return case.verdict is not None and case.verdict | verdict == case.verdict


def _move(claim: Claim, outcome: str) -> None:
    before, claim.status = claim.status, after(claim.status, ACTIONS[outcome])
    if before == UNDER_REVIEW != claim.status:
        claim.stage, claim.stages, claim.approved_by, claim.escalated_to = 0, [], [], None
