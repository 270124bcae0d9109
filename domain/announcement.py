"""What is told to whom: one message for many claims, never many messages for one error."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from domain import audit
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.delivery import FAILED, SENT, Delivery
from domain.lifecycle import UNDER_REVIEW
from domain.policy import NotificationRule, Policy

MAX_ATTEMPTS = 8
_SPOTS_NAMED = 10

# What the clocks set off (`domain.sla.sweep`), in words.
ALERTS = {
    "sla_warned.acknowledge": "must be acknowledged soon",
    "sla_warned.resolve": "must be resolved soon",
    "sla_breached.acknowledge": "not acknowledged in time",
    "sla_breached.resolve": "not resolved in time",
}


def announce(
    claims: Sequence[Claim], policy: Policy, now: datetime, new_id: Callable[[], str], alert: str | None = None
) -> Decision:
    """Deliveries for claims that reached a new status: one for each destination, error code and kind of news.

    With an `alert` of their clocks, such as `sla_breached.resolve`, that is the news instead of the status.
    """
    decision = Decision()
    groups: dict[tuple[str, str, str], list[Claim]] = {}
    for claim in claims:
        news = ALERTS[alert] if alert else _news(claim)
        for destination in _destinations(claim, _event(claim, alert), policy.notifications):
            groups.setdefault((destination, news, claim.code), []).append(claim)
    for (destination, news, code), members in groups.items():
        title, body = _wording(news, code, members)
        delivery = Delivery(
            id=new_id(),
            destination=destination,
            event=_event(members[0], alert),
            title=title,
            body=body,
            claim_ids=[claim.id for claim in members],
            created_at=now,
        )
        decision.deliveries.append(delivery)
        decision.steps.append(Step("deliver", delivery.claim_ids, subject=delivery.id))
    return decision


def news_of(claims: Iterable[Claim]) -> list[Step]:
    """Steps that tell where claims stand now: one for all that stand alike."""
    alike: dict[str, list[str]] = {}
    for claim in claims:
        alike.setdefault(claim.standing, []).append(claim.id)
    return [Step("announce", ids, subject=standing) for standing, ids in alike.items()]


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


def _event(claim: Claim, alert: str | None) -> str:
    if alert:
        return f"claim.{alert.partition('.')[0]}"
    return "claim.escalated" if claim.escalated_to else f"claim.{claim.status}"


def _destinations(claim: Claim, event: str, rules: Sequence[NotificationRule]) -> list[str]:
    names = [
        name
        for rule in rules
        if rule.event == event
        and claim.severity in (rule.severities or (claim.severity,))
        and claim.claim_type in (rule.claim_types or (claim.claim_type,))
        for name in rule.destinations
    ]
    return list(dict.fromkeys(names))


def _news(claim: Claim) -> str:
    """What happened, in words; for a claim under review also who has it now."""
    if claim.escalated_to:
        return f"late at the {claim.stages[claim.stage - 1]}, now for the {claim.escalated_to} too"
    waiting = f" for the {claim.stages[claim.stage - 1]}" if claim.status == UNDER_REVIEW else ""
    return claim.status.replace("_", " ") + waiting


def _wording(news: str, code: str, claims: Sequence[Claim]) -> tuple[str, str]:
    zones = {claim.zone for claim in claims if claim.zone}
    where = "" if not zones else f" in {min(zones)}" if len(zones) == 1 else f" in {len(zones)} zones"
    subject = f"spot {claims[0].spot_id}" if len(claims) == 1 else f"{len(claims)} spots"
    lines = [_line(claim, name_zone=len(zones) > 1) for claim in claims[:_SPOTS_NAMED]]
    if len(claims) > _SPOTS_NAMED:
        lines.append(f"and {len(claims) - _SPOTS_NAMED} more spots")
    return f"{code} on {subject}{where}: {news}", "\n".join(lines)


def _line(claim: Claim, *, name_zone: bool) -> str:
    where = f" in {claim.zone}" if name_zone and claim.zone else ""
    times = "once" if claim.fault_count == 1 else f"{claim.fault_count} times"
    due = f", resolve by {claim.resolve_due_at:%Y-%m-%d %H:%M} UTC" if claim.resolve_due_at else ""
    return f"{claim.spot_id}{where} ({claim.severity}): reported {times}{due}, claim {claim.id}"
