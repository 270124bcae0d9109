"""What is told to whom: one message for many claims, never many messages for one error."""

from collections.abc import Callable, Sequence
from datetime import datetime

from domain import audit
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.delivery import FAILED, SENT, Delivery
from domain.policy import NotificationRule, Policy

MAX_ATTEMPTS = 8
_SPOTS_NAMED = 10


def announce(claims: Sequence[Claim], policy: Policy, now: datetime, new_id: Callable[[], str]) -> Decision:
    """Deliveries for claims that reached a new status; claims of one code and zone share one message."""
    decision = Decision()
    groups: dict[tuple[str, str, str, str | None], list[Claim]] = {}
    for claim in claims:
        for destination in _destinations(claim, policy.notifications):
            groups.setdefault((destination, claim.status, claim.code, claim.zone), []).append(claim)
    for (destination, status, code, zone), members in groups.items():
        title, body = _wording(status, code, zone, members)
        delivery = Delivery(
            id=new_id(),
            destination=destination,
            event=f"claim.{status}",
            title=title,
            body=body,
            claim_ids=[claim.id for claim in members],
            created_at=now,
        )
        decision.deliveries.append(delivery)
        decision.steps.append(Step("deliver", delivery.claim_ids, subject=delivery.id))
    return decision


def record_outcome(
    delivery: Delivery, claims: Sequence[Claim], *, sent: bool, answer: str, now: datetime
) -> Decision:
    """What became of an attempt. A message that was sent is an audit event of every claim it spoke of."""
    delivery.attempts += 1
    delivery.answer = answer
    decision = Decision(deliveries=[delivery])
    if sent:
        delivery.status, delivery.finished_at = SENT, now
        data = {"delivery": delivery.id, "destination": delivery.destination, "event": delivery.event}
        for claim in claims:
            decision.changed.append(claim)
            decision.events.append(audit.append(claim, now, "rule:notifications", "claim.announced", data))
    elif delivery.attempts >= MAX_ATTEMPTS:
        delivery.status, delivery.finished_at = FAILED, now
    return decision


def _destinations(claim: Claim, rules: Sequence[NotificationRule]) -> list[str]:
    names = [
        name
        for rule in rules
        if rule.event == f"claim.{claim.status}"
        and claim.severity in (rule.severities or (claim.severity,))
        and claim.claim_type in (rule.claim_types or (claim.claim_type,))
        for name in rule.destinations
    ]
    return list(dict.fromkeys(names))


def _wording(status: str, code: str, zone: str | None, claims: Sequence[Claim]) -> tuple[str, str]:
    where = f" in {zone}" if zone else ""
    waiting = f" for the {claims[0].stages[claims[0].stage - 1]}" if status == "under_review" else ""
    subject = f"spot {claims[0].spot_id}" if len(claims) == 1 else f"{len(claims)} spots"
    title = f"{code} on {subject}{where}: {status.replace('_', ' ')}{waiting}"
    lines = [_line(claim) for claim in claims[:_SPOTS_NAMED]]
    if len(claims) > _SPOTS_NAMED:
        lines.append(f"and {len(claims) - _SPOTS_NAMED} more spots")
    return title, "\n".join(lines)


def _line(claim: Claim) -> str:
    times = "once" if claim.fault_count == 1 else f"{claim.fault_count} times"
    due = f"{claim.resolve_due_at:%Y-%m-%d %H:%M} UTC"
    return f"{claim.spot_id} ({claim.severity}): reported {times}, resolve by {due}, claim {claim.id}"
