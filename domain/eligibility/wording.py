"""Formats sessions, moments and energy for people who check a verdict."""

from datetime import datetime, timedelta

from domain.field.usage import UsageRecord


def session(record: UsageRecord) -> str:
    """Names the session with its connector and times, to begin a sentence."""
    when = f"{minute(record.started_at)} to {minute(record.ended_at)}"
    return f"Session {record.session_id} (connector {record.connector_id}, {when} UTC)"


def minute(moment: datetime | None) -> str:
    """Formats a time for people, in UTC; "unknown" if nobody stated it."""
    if moment is None:
        return "unknown"
    # At the ends of the calendar an offset would lead out of it.
    offset = None if moment.year in (1, 9999) else moment.utcoffset()
    return f"{moment - (offset or timedelta(0)):%Y-%m-%d %H:%M}"


def kwh(value: float | None) -> str:
    """Formats energy or a register for people, to the watt hour, without unit."""
    if value is None:
        return "no"
    text = f"{value:g}" if abs(value) >= 1e15 else f"{value:.3f}".rstrip("0").rstrip(".")
    return f"{value:g}" if text in ("0", "-0") else text
