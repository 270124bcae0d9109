"""Explains the SLA clocks of a claim to people and programs."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.claims import sla
from domain.claims.claim import Claim
from domain.policy.policy import Policy
from domain.ports.store import Clock
from domain.text import measure

_COLUMNS = [field.name for field in fields(Claim)]
_HOUR = timedelta(hours=1)


class SlaExplanation:
    """Explains the clocks of a claim as read from the database."""

    def __init__(self, policies: sla.Policies, clock: Clock) -> None:
        self._policies = policies
        self._clock = clock

    def __call__(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns one dict for each clock, JSON-ready; none before verification."""
        claim = Claim(**{name: row[name] for name in _COLUMNS if name in row})
        return explain(claim, self._policies, self._clock())


def explain(claim: Claim, policies: sla.Policies, now: datetime) -> list[dict[str, Any]]:
    """Explains what the clocks of a claim show, and why.

    A claim without clocks has none.
    """
    if claim.time_zone is None:
        return []
    policy = policies(claim.policy_version)
    return [
        {
            "clock": clock,
            "state": _state(shown),
            "target_hours": shown.terms.target / _HOUR,
            "used_hours": round(shown.used / _HOUR, 3),
            "share": round(shown.share, 4),
            "calendar": shown.terms.calendar.name,
            "time_zone": shown.terms.time_zone,
            "started_at": claim.opened_at,
            "warn_at": shown.warn_at,
            "due_at": shown.due_at,
            "stopped_at": shown.stopped_at,
            "breached": shown.breached,
            "pauses": _intervals(claim.pauses),
            "why": _why(claim, clock, policy, shown.terms),
        }
        for clock, shown in sla.readings(claim, policy, now).items()
    ]


def _state(shown: sla.Reading) -> str:
    if shown.breached:
        return "breached"
    if shown.stopped_at is not None:
        return "met"
    return "paused" if shown.paused else "running"


def _intervals(pauses: Sequence[datetime]) -> list[dict[str, datetime | None]]:
    return [{"from": begin, "until": end} for begin, end in _spans(pauses)]


def _spans(pauses: Sequence[datetime]) -> list[tuple[datetime, datetime | None]]:
    """Pairs begins and ends; the pause of no length that a correction leaves is none."""
    spans = zip(pauses[::2], [*pauses[1::2], None], strict=False)
    return [(begin, end) for begin, end in spans if begin != end]


def _why(claim: Claim, clock: str, policy: Policy, terms: sla.Terms) -> str:
    rule = policy.target_for(claim.severity, claim.claim_type)
    conditions = ", ".join(rule.severities + rule.claim_types) or "every claim"
    promised = (
        f"policy {policy.version}, target {policy.targets.index(rule) + 1} ({conditions}): {clock} within "
        f"{measure(terms.target / _HOUR, 'hour')} of the calendar {rule.calendar} in {terms.time_zone}, "
        f"counted from {_minute(claim.opened_at)}"
    )
    spans = ((_minute(begin), f"to {_minute(end)}" if end else "on") for begin, end in _spans(claim.pauses))
    pauses = ", ".join(f"from {begin} {end}" for begin, end in spans)
    return f"{promised}; {f'paused {pauses}' if pauses else 'never paused'}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
