"""Verifies claims, and says what follows from a verdict.

The claim goes on, waits for evidence, or ends here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.changes import Changes
from domain.claims import sla
from domain.claims.announcing import announce
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.events import ClaimVerified
from domain.claims.lifecycle import AWAITING_EVIDENCE, INELIGIBLE, JUDGED, SUBMITTED, VERDICTS, VERIFYING, after
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.rules import evidence_deadline, judge
from domain.eligibility.usage_answer import records_stated
from domain.policy.policy import Policy
from domain.steps import Route, Verify

Digests = Callable[[Sequence[str]], Mapping[str, str]]
"""Finds the digests of usage records by their keys."""


def verify(
    cases: Sequence[EvaluationInput],
    policy: Policy,
    now: datetime,
    policies: sla.Policies | None = None,
    digests: Digests | None = None,
) -> Changes:
    """Verifies a batch of claims.

    A claim whose verdict stays the same is left alone, so a repeated step changes nothing. A claim under review is
    verified again when more is known, and stays there with another verdict or leaves it. A claim gets its clocks
    with its first verdict; they pause while it waits for evidence. `policies` finds the one that bound a claim;
    without it that is always the present one. `digests` finds those of the usage records that verdicts rest on,
    which they state; only these, since a row may be long.
    """
    bound_by = policies or (lambda _: policy)
    changes, timed = Changes(), list[Claim]()
    came = {status: list[Claim]() for status in (VERIFYING, AWAITING_EVIDENCE, INELIGIBLE)}
    judged = [(case, judge(case, policy, now)) for case in cases if case.claim.status in JUDGED]
    _state_digests([verdict for _, verdict in judged], digests)
    for case, verdict in judged:
        claim, before = case.claim, case.claim.status
        news = _news_of_spot(case) | _editors(claim, verdict)
        if before != SUBMITTED and not news and _known(case, verdict):
            continue
        verdict |= news
        status = after(before, VERDICTS[verdict["outcome"]])
        clocks = (
            sla.bind(claim, status, case.spot, policy, now)
            if claim.time_zone is None
            else sla.follow(claim, status, bound_by(claim.policy_version), now)
        )
        if clocks:
            timed.append(claim)
            verdict["clocks"] = ClockChange(**clocks)
        changes.record(claim, ClaimVerified(**verdict), now, "rule:eligibility")
        if claim.status != before:
            came[claim.status].append(claim)
    if came[VERIFYING]:
        changes.put(Route([claim.id for claim in came[VERIFYING]]))
    for claim in came[AWAITING_EVIDENCE]:
        changes.put(Verify([claim.id], due_at=evidence_deadline(claim, policy, now)))
    if any(rule.event == f"claim.{INELIGIBLE}" for rule in policy.notifications):
        changes.put(*announce(came[INELIGIBLE]))
    changes.put(*sla.schedule(timed, bound_by, now))
    return changes


def _state_digests(verdicts: Iterable[dict[str, Any]], digests: Digests | None) -> None:
    """Adds the digest of its row to what a verdict states of a usage record."""
    stated = [record for verdict in verdicts for record in records_stated(verdict["answers"])]
    found = digests(list({record["key"] for record in stated})) if digests and stated else {}
    for record in stated:
        if record["key"] in found:
            record["digest"] = found[record["key"]]


def _news_of_spot(case: EvaluationInput) -> dict[str, Any]:
    """Returns the registered details of the spot that its claim has not.

    What it has stays: a report states its zone, and a spot is moved or updated after the fault.
    """
    spot, claim = case.spot, case.claim
    if spot is None:
        return {}
    model = " ".join(part for part in (spot.vendor, spot.model) if part)
    registered = {"zone": spot.zone, "site": spot.site, "model": model, "firmware": spot.firmware}
    return {name: detail for name, detail in registered.items() if detail and getattr(claim, name) is None}


def _editors(claim: Claim, verdict: dict[str, Any]) -> dict[str, Any]:
    """Returns who filed the claim with those who edited a record that the verdict rests on, where that is news."""
    records = records_stated(verdict["answers"])
    names = {name for record in records for name in record.get("edited", {}).get("by", ())}
    news = sorted(name for name in names if not claim.was_filed_by(name))
    return {"also_filed_by": [*claim.also_filed_by, *news]} if news else {}


def _known(case: EvaluationInput, verdict: dict[str, Any]) -> bool:
    """Checks whether this verdict is on record already, apart from its clock change."""
    return case.verdict is not None and case.verdict | verdict == case.verdict
