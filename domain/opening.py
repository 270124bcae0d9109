"""How faults become claims: every fault meets the claim of its spot and code, or opens it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from domain import audit
from domain.catalogue import CLAIM_TYPES, classify
from domain.claim import Claim, SpotAndCode
from domain.decision import Decision, Step
from domain.fault import Fault
from domain.lifecycle import AWAITING_EVIDENCE, OBSERVED, SUBMITTED, after
from domain.policy import Policy


def meet_claims(faults: Iterable[Fault], policy: Policy) -> dict[SpotAndCode, list[Fault]]:
    """Faults grouped by the claim they belong to; each fault learns its own code on the way."""
    groups: dict[SpotAndCode, list[Fault]] = {}
    for fault in faults:
        of_vendor = policy.mappings.get(fault.taxonomy)
        fault.code = (of_vendor and of_vendor.get(fault.raw_code)) or classify(fault.taxonomy, fault.raw_code)
        groups.setdefault((fault.spot_id, fault.code), []).append(fault)
    return groups


def open_or_count(
    groups: dict[SpotAndCode, list[Fault]],
    open_claims: dict[SpotAndCode, Claim],
    policy: Policy,
    now: datetime,
    new_id: Callable[[], str],
) -> Decision:
    """Every group raises the count of its open claim, or opens one. A clear alone opens nothing.

    `groups` must hold no message that was taken in before. The next step of every opened claim is `verify`,
    or `submit` after its code's hold-down, and one step names all that are due together; a claim that awaits
    evidence is checked again when a fault brings some.
    """
    decision = Decision()
    supplied: list[str] = []
    for pair, faults in groups.items():
        decision.faults += faults
        claim = open_claims.get(pair)
        if claim is not None:
            decision.changed.append(claim)
            decision.events.append(_count(claim, faults, now))
            if claim.status == AWAITING_EVIDENCE and any(fault.evidence for fault in faults):
                supplied.append(claim.id)
        elif not all(fault.cleared for fault in faults):
            claim = _open(faults, policy, now, new_id())
            decision.opened.append(claim)
            decision.events.append(_record_opening(claim, faults, now))
        for fault in faults:
            fault.claim_id = claim.id if claim is not None else None
    decision.steps += _first_steps(decision.opened, policy, now)
    if supplied:
        decision.steps.append(Step("verify", supplied))
    return decision


def _first_steps(opened: list[Claim], policy: Policy, now: datetime) -> list[Step]:
    """Verification at once, but for claims that are observed first."""
    submitted = [claim.id for claim in opened if claim.status == SUBMITTED]
    steps = [Step("verify", submitted)] if submitted else []
    if len(submitted) == len(opened):
        return steps
    observed: dict[float, list[str]] = {}
    for claim in opened:
        if claim.status == OBSERVED:
            observed.setdefault(policy.codes[claim.code].hold_down_seconds, []).append(claim.id)
    return steps + [Step("submit", ids, due_at=now + timedelta(seconds=held)) for held, ids in observed.items()]


def submit(claims: Iterable[Claim], now: datetime) -> Decision:
    """What becomes of claims whose hold-down is over: a fault that cleared meanwhile is no claim.

    Claims that are not observed any more are left alone.
    """
    decision = Decision()
    for claim in claims:
        if claim.status != OBSERVED:
            continue
        cleared = claim.cleared_at is not None and claim.cleared_at >= claim.last_seen_at
        claim.status = after(claim.status, "lapse" if cleared else "submit")
        claim.closed_at = now if cleared else None
        data = {"cleared_at": audit.instant(claim.cleared_at) if claim.cleared_at else None}
        kind = "claim.lapsed" if cleared else "claim.submitted"
        decision.changed.append(claim)
        decision.events.append(audit.append(claim, now, "rule:hold_down", kind, data))
    submitted = [claim.id for claim in decision.changed if claim.status == SUBMITTED]
    if submitted:
        decision.steps.append(Step("verify", submitted))
    return decision


def _open(faults: list[Fault], policy: Policy, now: datetime, claim_id: str) -> Claim:
    first = min((fault for fault in faults if not fault.cleared), key=lambda fault: fault.occurred_at)
    code = policy.codes[first.code]
    claim = Claim(
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
    _take_in(claim, faults)
    return claim


def _take_in(claim: Claim, faults: list[Fault]) -> None:
    for fault in faults:
        if fault.cleared:
            claim.cleared_at = max(claim.cleared_at or fault.occurred_at, fault.occurred_at)
        else:
            claim.fault_count += 1
            claim.first_seen_at = min(claim.first_seen_at, fault.occurred_at)
            claim.last_seen_at = max(claim.last_seen_at, fault.occurred_at)


def _record_opening(claim: Claim, faults: list[Fault], now: datetime) -> audit.AuditEvent:
    data = {
        "spot_id": claim.spot_id,
        "code": claim.code,
        "severity": claim.severity,
        "connector_id": claim.connector_id,
        "policy": claim.policy_version,
        **_counted(claim, faults),
    }
    return audit.append(claim, now, claim.filed_by or faults[0].source, "claim.opened", data)


def _count(claim: Claim, faults: list[Fault], now: datetime) -> audit.AuditEvent:
    _take_in(claim, faults)
    return audit.append(claim, now, faults[0].source, "claim.faults_counted", _counted(claim, faults))


def _counted(claim: Claim, faults: list[Fault]) -> dict[str, Any]:
    return {
        "faults": [fault.key for fault in faults],
        "fault_count": claim.fault_count,
        "first_seen_at": audit.instant(claim.first_seen_at),
        "last_seen_at": audit.instant(claim.last_seen_at),
        "cleared_at": audit.instant(claim.cleared_at) if claim.cleared_at else None,
    }
