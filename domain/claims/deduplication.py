"""How faults become claims: every fault meets the claim of its spot and code, or opens it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims.claim import Claim, SpotAndCode
from domain.claims.hold_down import watch
from domain.claims.lifecycle import AWAITING_EVIDENCE, INELIGIBLE, JUDGED, OBSERVED, SUBMITTED
from domain.error_codes import CLAIM_TYPES, CODES_OF_OTHERS, classify
from domain.field.fault import Fault
from domain.policy import Policy

# A spot that shows its error again so soon says nothing new of how many do.
_SEEN_JUST_NOW: Final = timedelta(minutes=1)
# What the earliest fault says for the claim.
_DETAILS: Final = ("connector_id", "zone", "affected_user", "reservation_id", "session_id")
_said = attrgetter(*_DETAILS)


def meet_claims(faults: Iterable[Fault], policy: Policy) -> dict[SpotAndCode, list[Fault]]:
    """Faults grouped by the claim they belong to; each fault learns its own code on the way."""
    groups: dict[SpotAndCode, list[Fault]] = {}
    for fault in faults:
        of_vendor = policy.mappings.get(fault.taxonomy)
        fault.code = (of_vendor and of_vendor.get(fault.raw_code)) or classify(fault.taxonomy, fault.raw_code)
        groups.setdefault((fault.spot_id, fault.code), []).append(fault)
    return groups


def earlier_than_known(
    groups: Mapping[SpotAndCode, list[Fault]], open_claims: Mapping[SpotAndCode, Claim]
) -> dict[SpotAndCode, datetime]:
    """Since when the errors are there that begin with these faults, or earlier than their claims knew."""
    begins: dict[SpotAndCode, datetime] = {}
    for pair, faults in groups.items():
        moments = [fault.occurred_at for fault in faults if not fault.cleared]
        claim = open_claims.get(pair)
        if moments and (claim is None or min(moments) < claim.first_seen_at):
            begins[pair] = min(moments)
    return begins


def open_or_count(
    groups: dict[SpotAndCode, list[Fault]],
    open_claims: dict[SpotAndCode, Claim],
    policy: Policy,
    now: datetime,
    new_id: Callable[[], str],
    clears: Mapping[SpotAndCode, Sequence[Fault]] = MappingProxyType({}),
) -> Decision:
    """Every group raises the count of its open claim, or opens one. A clear alone opens nothing.

    `groups` must hold no message that was taken in before. `clears` are those taken in before that belonged to no
    claim: whichever occurred after the first fault belongs to it after all, in whatever order they came. The next
    step of every opened claim is `verify`, or `submit` after its code's hold-down, and one step names all that are
    due together; a claim that was judged is judged again when what speaks for it changes. `detect` looks at all
    that were seen, whether many of them are one incident.
    """
    decision = Decision()
    again: list[str] = []
    seen_again: list[str] = []
    for pair, faults in groups.items():
        decision.faults += faults
        claim = open_claims.get(pair)
        if claim is None:
            if all(fault.cleared for fault in faults):
                continue
            claim = _open(faults, policy, now, new_id())
            decision.opened.append(claim)
            decision.events.append(
                _record_opening(claim, _take_in(claim, faults, clears.get(pair, ())), faults, now)
            )
            continue
        spoke, seen = (claim.first_seen_at, _said(claim)), claim.last_seen_at
        if counted := _take_in(claim, faults, clears.get(pair, ())):
            decision.counted.append(claim)
            decision.events.append(audit.append(claim, now, faults[0].source, "claim.faults_counted", counted))
            if _judged_otherwise(claim, faults, moved=spoke != (claim.first_seen_at, _said(claim))):
                again.append(claim.id)
            if claim.last_seen_at - seen >= _SEEN_JUST_NOW:
                seen_again.append(claim.id)
    decision.steps += _first_steps(decision, policy, now)
    if again:
        decision.steps.append(Step("verify", again))
    if sighted := [*(claim.id for claim in decision.opened), *seen_again]:
        decision.steps.append(Step("detect", sighted))
    return decision


def _judged_otherwise(claim: Claim, faults: Iterable[Fault], *, moved: bool) -> bool:
    """Whether these faults can change the verdict: by the evidence they bring, by speaking for the claim in the
    place of a later one, or by naming somebody else as responsible."""
    if claim.status == AWAITING_EVIDENCE and any(fault.evidence for fault in faults):
        return True
    if claim.status not in JUDGED or claim.status == SUBMITTED:
        return False
    return moved or (claim.status == INELIGIBLE and claim.code in CODES_OF_OTHERS)


def _first_steps(decision: Decision, policy: Policy, now: datetime) -> list[Step]:
    """Verification at once; claims that are observed are looked at when what was raised has lasted."""
    submitted = [claim.id for claim in decision.opened if claim.status == SUBMITTED]
    observed = [claim for claim in (*decision.opened, *decision.counted) if claim.status == OBSERVED]
    return [*([Step("verify", submitted)] if submitted else ()), *watch(observed, policy, now)]


def _open(faults: list[Fault], policy: Policy, now: datetime, claim_id: str) -> Claim:
    first = _earliest([fault for fault in faults if not fault.cleared])
    code = policy.codes[first.code]
    return Claim(
        id=claim_id,
        spot_id=first.spot_id,
        code=first.code,
        claim_type=CLAIM_TYPES[first.code],
        severity=code.severity,
        status=OBSERVED if code.hold_down_seconds else SUBMITTED,
        opened_at=now,
        first_seen_at=first.occurred_at,
        last_seen_at=first.occurred_at,
        policy_version=policy.version,
        connector_id=first.connector_id,
        zone=first.zone,
        affected_user=first.affected_user,
        reservation_id=first.reservation_id,
        session_id=first.session_id,
        filed_by=first.filed_by,
    )


def _take_in(claim: Claim, faults: Sequence[Fault], clears: Sequence[Fault]) -> dict[str, Any]:
    """Counts what belongs to the claim, and returns what the audit event says of that; nothing if nothing does.

    The earliest fault speaks for the claim, whenever it comes. A clear from before it belongs to no claim yet.
    """
    raised = [fault for fault in faults if not fault.cleared]
    moved: dict[str, Any] = {}
    if raised:
        claim.fault_count += len(raised)
        claim.last_seen_at = max([claim.last_seen_at, *[fault.occurred_at for fault in raised]])
        moved = _let_speak(claim, _earliest(raised)) | _note_filers(claim, raised)
    ended: list[Fault] = []
    if clears or len(raised) < len(faults):
        since, all_clears = claim.first_seen_at, [*(fault for fault in faults if fault.cleared), *clears]
        ended = [fault for fault in all_clears if fault.occurred_at >= since]
    if ended:
        latest = max(fault.occurred_at for fault in ended)
        claim.cleared_at = latest if claim.cleared_at is None else max(claim.cleared_at, latest)
    belonging = [*raised, *ended]
    for fault in belonging:
        fault.claim_id = claim.id
    return _counted(claim, belonging) | moved if belonging else {}


def _note_filers(claim: Claim, raised: list[Fault]) -> dict[str, Any]:
    """Keeps who filed it and had not yet, and returns that; controllers send storms, and are named once."""
    names = {fault.filed_by for fault in raised if fault.filed_by is not None and fault.filed_by != claim.filed_by}
    new = names.difference(claim.also_filed_by)
    if not new:
        return {}
    claim.also_filed_by = [*claim.also_filed_by, *sorted(new)]
    return {"also_filed_by": claim.also_filed_by}


def _earliest(raised: list[Fault]) -> Fault:
    """Of two of one moment always the same."""
    if len(raised) == 1:
        return raised[0]
    moment = min(fault.occurred_at for fault in raised)
    first = [fault for fault in raised if fault.occurred_at == moment]
    return first[0] if len(first) == 1 else min(first, key=lambda fault: _ordered(_said(fault)))


def _ordered(said: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """What a fault or a claim says, so that it can be put in order with another."""
    return [(value is not None, value) for value in said]


def _let_speak(claim: Claim, fault: Fault) -> dict[str, Any]:
    """Takes the details of a fault that is earlier, and returns those that are other ones now."""
    if fault.occurred_at > claim.first_seen_at:
        return {}
    said, known = _said(fault), _said(claim)
    if fault.occurred_at == claim.first_seen_at and (said == known or _ordered(said) >= _ordered(known)):
        return {}
    moved = {name: getattr(fault, name) for name in _DETAILS if getattr(fault, name) != getattr(claim, name)}
    claim.first_seen_at = fault.occurred_at
    for name, value in moved.items():
        setattr(claim, name, value)
    return moved


def _record_opening(claim: Claim, counted: dict[str, Any], faults: list[Fault], now: datetime) -> audit.AuditEvent:
    data = {
        "spot_id": claim.spot_id,
        "code": claim.code,
        "severity": claim.severity,
        "connector_id": claim.connector_id,
        "policy": claim.policy_version,
        **counted,
    }
    return audit.append(claim, now, claim.filed_by or faults[0].source, "claim.opened", data)


def _counted(claim: Claim, faults: list[Fault]) -> dict[str, Any]:
    return {
        "faults": [fault.key for fault in faults],
        "fault_count": claim.fault_count,
        "first_seen_at": audit.instant(claim.first_seen_at),
        "last_seen_at": audit.instant(claim.last_seen_at),
        "cleared_at": audit.instant(claim.cleared_at) if claim.cleared_at else None,
    }
