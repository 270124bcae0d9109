"""How faults become claims: every fault meets the claim of its spot and code, or opens it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from domain import audit
from domain.catalogue import CLAIM_TYPES, classify
from domain.claim import Claim, SpotAndCode
from domain.decision import Decision, Step
from domain.fault import Fault
from domain.lifecycle import SUBMITTED
from domain.policy import Policy


def meet_claims(faults: Iterable[Fault]) -> dict[SpotAndCode, list[Fault]]:
    """Faults grouped by the claim they belong to; each fault learns its own code on the way."""
    groups: dict[SpotAndCode, list[Fault]] = {}
    for fault in faults:
        fault.code = classify(fault.taxonomy, fault.raw_code)
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
    and one step names them all.
    """
    decision = Decision()
    for pair, faults in groups.items():
        decision.faults += faults
        claim = open_claims.get(pair)
        if claim is not None:
            decision.changed.append(claim)
            decision.events.append(_count(claim, faults, now))
        elif not all(fault.cleared for fault in faults):
            claim = _open(faults, policy, now, new_id())
            decision.opened.append(claim)
            decision.events.append(_record_opening(claim, faults, now))
        for fault in faults:
            fault.claim_id = claim.id if claim is not None else None
    if decision.opened:
        decision.steps.append(Step("verify", [claim.id for claim in decision.opened]))
    return decision


def _open(faults: list[Fault], policy: Policy, now: datetime, claim_id: str) -> Claim:
    first = min((fault for fault in faults if not fault.cleared), key=lambda fault: fault.occurred_at)
    severity = policy.codes[first.code].severity
    claim = Claim(
        id=claim_id,
        spot_id=first.spot_id,
        code=first.code,
        claim_type=CLAIM_TYPES[first.code],
        severity=severity,
        status=SUBMITTED,
        opened_at=now,
        first_seen_at=first.occurred_at,
        last_seen_at=first.occurred_at,
        resolve_due_at=now + timedelta(hours=policy.resolve_hours[severity]),
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
        "resolve_due_at": audit.instant(claim.resolve_due_at),
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
