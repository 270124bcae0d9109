"""What follows from a verdict: the claim goes on, waits for evidence, or ends here."""

from collections.abc import Sequence
from datetime import datetime

from domain import audit, sla
from domain.case import INSUFFICIENT, Case
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.eligibility import ELIGIBLE, INELIGIBLE, evidence_deadline, judge
from domain.lifecycle import AWAITING_EVIDENCE, SUBMITTED, WAITING_FOR_VERDICT, after
from domain.policy import Policy

_ACTIONS = {ELIGIBLE: "find_eligible", INSUFFICIENT: "await_evidence", INELIGIBLE: "find_ineligible"}


def verify(cases: Sequence[Case], policy: Policy, now: datetime, policies: sla.Policies | None = None) -> Decision:
    """Judges a batch. Claims whose verdict is already in are left alone, so a repeated step changes nothing.

    A claim gets its clocks with its first verdict; they stand while it waits for evidence. `policies` finds the
    one that bound a claim; without it that is always the present one.
    """
    bound_by = policies or (lambda _: policy)
    decision = Decision()
    eligible: list[str] = []
    timed: list[Claim] = []
    for case in cases:
        claim = case.claim
        if claim.status not in WAITING_FOR_VERDICT:
            continue
        verdict = judge(case, policy, now)
        # What is on record holds the clocks beside the verdict. A claim that was taken up again is judged again.
        waited = claim.status == AWAITING_EVIDENCE
        known = case.verdict is not None and case.verdict | verdict == case.verdict
        if known and claim.status != SUBMITTED:
            continue
        claim.status = after(claim.status, _ACTIONS[verdict["outcome"]])
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
        if verdict["outcome"] == ELIGIBLE:
            eligible.append(claim.id)
        elif verdict["outcome"] == INSUFFICIENT and not waited:
            decision.steps.append(Step("verify", [claim.id], due_at=evidence_deadline(claim, policy, now)))
    if eligible:
        decision.steps.append(Step("route", eligible))
    decision.steps += sla.owe(timed, bound_by, now)
    return decision
