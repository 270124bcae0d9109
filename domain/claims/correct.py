"""Corrects open claims for people: their severity, their error, and the policy that binds them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from domain.changes import Changes
from domain.claims import sla
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.correction_events import ClaimCorrected, ClaimRebound
from domain.claims.decide import Authority, Person, authority_of, demand_note, demand_version
from domain.claims.lifecycle import APPROVED, CLOSED, JUDGED, SUBMITTED, UNDER_REVIEW
from domain.errors import Conflict, InputRefused
from domain.field.spot import Spot
from domain.policy.error_codes import CLAIM_TYPES
from domain.policy.policy import SEVERITIES, ApprovalRule, Policy
from domain.policy.roles import SUPERVISORS
from domain.steps import Announce, Detect, Verify
from domain.text import unknown

CORRECT: Final = "correct"
REBIND: Final = "rebind"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person corrects. Without a severity another error brings its own."""

    severity: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a correction and why, and what they saw; see `domain.claims.decide.decide`."""

    person: Person
    note: str
    version: int | None = None
    changed_at: int | None = None


def correct(
    claim: Claim, correction: Correction, asked: Asked, *, spot: Spot | None, policy: Policy, now: datetime
) -> Changes:
    """Corrects the severity or the error of an open claim; `policy` is the one that binds it.

    Its clocks are reckoned anew from the intervals on record, and it is judged again. Approvals count on only
    where the same stages must approve the same error. Raises `InputRefused` for what is no severity or code, and
    for nothing; `NoteRefused` without a reason; `Conflict` for a claim that is closed, has moved on, or is so
    already; `NotAllowed` for those who may not.
    """
    authority = demand_correctable(claim, CORRECT, asked, now)
    changed = _changed(claim, correction, policy)
    corrected = replace(claim, **changed)
    name = asked.person.name
    afresh = starts_afresh(claim, corrected, policy, anew="code" in changed or name in claim.approved_by)
    stated = changed | {f"{part}_before": getattr(claim, part) for part in ("severity", "code") if part in changed}
    if not claim.was_filed_by(name):
        stated["also_filed_by"] = [*claim.also_filed_by, name]
    stated |= _later_hours(corrected, policy, afresh)
    changed_clocks = clocks(corrected, afresh, spot, policy, now)
    event = ClaimCorrected(**stated, **common(authority, asked, afresh, changed_clocks))
    changes = _recorded(claim, event, policy, name, now)
    if "code" in changed:
        changes.put(Detect([claim.id]))
    return changes


def rebind(claim: Claim, asked: Asked, *, spot: Spot | None, policy: Policy, now: datetime) -> Changes:
    """Binds an open claim to the present policy instead of the one that bound it.

    What follows is as with a correction; its severity stays. Raises what `demand_correctable` does, and `Conflict`
    for a claim that is bound by the present policy, or by none yet.
    """
    authority = demand_correctable(claim, REBIND, asked, now)
    if claim.time_zone is None:
        raise Conflict("No policy binds the claim yet; its verification binds it to the present one.")
    if claim.policy_version == policy.version:
        raise Conflict(f"The claim is bound by policy {policy.version} already.")
    afresh = starts_afresh(claim, claim, policy, anew=False)
    event = ClaimRebound(
        policy=policy.version,
        policy_before=claim.policy_version,
        **_later_hours(claim, policy, afresh),
        **common(authority, asked, afresh, clocks(claim, afresh, spot, policy, now)),
    )
    return _recorded(claim, event, policy, asked.person.name, now)


def _recorded(
    claim: Claim, event: ClaimCorrected | ClaimRebound, policy: Policy, name: str, now: datetime
) -> Changes:
    changes = Changes()
    changes.record(claim, event, now, name)
    changes.put(Verify([claim.id]), Announce([claim.id], event=event.KIND.partition(".")[2]))
    changes.put(*sla.schedule([claim], lambda _: policy, now))
    return changes


def demand_correctable(claim: Claim, action: str, asked: Asked, now: datetime) -> Authority:
    """Demands a reason, the version that was seen, an open claim, and somebody who may correct it."""
    demand_note(action, asked.note)
    demand_version(claim, asked.version, claim.version if asked.changed_at is None else asked.changed_at)
    if claim.status in CLOSED:
        raise Conflict(f"The claim is {claim.status}; only open claims are corrected. Reopen it first.")
    return authority_of(asked.person, SUPERVISORS, f"To {action} a claim takes", now)


def _changed(claim: Claim, correction: Correction, policy: Policy) -> dict[str, Any]:
    """Returns the columns that change. Raises `InputRefused` and `Conflict`."""
    severity, code = correction.severity, correction.code
    if severity is None and code is None:
        raise InputRefused("NOTHING_TO_CORRECT", "Name the severity or the code that is right.")
    if severity is not None and severity not in SEVERITIES:
        raise InputRefused("UNKNOWN_SEVERITY", unknown("severity", severity, SEVERITIES))
    if code is not None and code not in policy.codes:
        raise InputRefused("UNKNOWN_CODE", unknown("code", code, policy.codes))
    wanted: dict[str, Any] = {}
    if code is not None and code != claim.code:
        wanted = {"code": code, "claim_type": CLAIM_TYPES[code], "severity": policy.codes[code].severity}
    if severity is not None:
        wanted["severity"] = severity
    changed = {name: value for name, value in wanted.items() if value != getattr(claim, name)}
    if not changed:
        raise Conflict(f"The claim has the error {claim.code} and the severity {claim.severity} already.")
    return changed


def starts_afresh(claim: Claim, corrected: Claim, policy: Policy, *, anew: bool) -> bool:
    """Checks whether a corrected claim is judged and approved from the start.

    One that is being approved, or is approved, goes on unless other stages must approve it, or `anew` says that
    its approvals cannot count on.
    """
    if claim.status not in (UNDER_REVIEW, APPROVED):
        return claim.status in JUDGED
    rule = _rule(corrected, policy)
    # What was approved by rule has no stages, and then four eyes mean nothing.
    other_eyes = bool(rule.stages) and rule.four_eyes != claim.four_eyes
    return anew or list(rule.stages) != claim.stages or other_eyes


def _rule(claim: Claim, policy: Policy) -> ApprovalRule:
    return policy.approval_for(claim.severity, claim.claim_type, policy.codes[claim.code].estimated_cost)


def _later_hours(corrected: Claim, policy: Policy, afresh: bool) -> dict[str, Any]:
    """Returns how long the stages to come may take, where that changes; the present one keeps its time."""
    hours = _rule(corrected, policy).stage_hours
    goes_on = corrected.status == UNDER_REVIEW and not afresh
    return {"stage_hours": hours} if goes_on and hours != corrected.stage_hours else {}


def clocks(corrected: Claim, afresh: bool, spot: Spot | None, policy: Policy, now: datetime) -> dict[str, Any]:
    """Reckons the clocks of a corrected claim anew, as fields of a `ClockChange`.

    One that starts afresh has a pause of no length, which tells the review before from the next. Of the alerts
    that were fired those stay that hold by the clocks as they are now; the others may fire in their time.
    """
    changed = sla.acknowledge(corrected, now)
    if corrected.time_zone is None:
        return changed
    changed |= sla.bind(corrected, SUBMITTED if afresh else corrected.status, spot, policy, now)
    if afresh and "resumed_at" not in changed:
        moment = max([now, *corrected.pauses[-1:]])
        changed |= {"paused_at": moment, "resumed_at": moment}
    bound = replace(corrected, time_zone=changed["time_zone"], policy_version=policy.version)
    shown = sla.readings(bound, policy, now)
    alerts = [alert for alert in corrected.sla_alerts if _holds(alert, shown)]
    return changed if alerts == corrected.sla_alerts else changed | {"sla_alerts": alerts}


def _holds(alert: str, shown: dict[str, sla.Reading]) -> bool:
    clock, _, what = alert.partition(".")
    return shown[clock].breached if what == sla.BREACHED else shown[clock].warned


def common(authority: Authority, asked: Asked, afresh: bool, changed: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields that the events of all corrections have."""
    lent = {} if authority.of is None else {"on_behalf_of": authority.of}
    moved = {"clocks": ClockChange(**changed)} if changed else {}
    return {"role": authority.role, "note": asked.note, "afresh": afresh} | lent | moved
