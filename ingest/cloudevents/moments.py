"""Parses the times and days of messages."""

from datetime import UTC, date, datetime

from domain.errors import MalformedMessage

_LENGTH_OF_A_DATE = len("2026-11-22")


def optional_moment(text: str | None, field: str) -> datetime | None:
    """Parses a moment that may be missing. Raises `MalformedMessage`."""
    return None if text is None else moment_of(text, field)[0]


def moment_of(text: str, field: str) -> tuple[datetime, bool]:
    """Parses a moment; the flag says whether the text states an offset. Without one it is read as UTC.

    Raises `MalformedMessage`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _no_time(field, "RFC 3339 time", text) from None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC), False
    # At the ends of the calendar, an offset would lead out of the years that can be stored.
    if moment.year in (1, 9999):
        return moment.replace(tzinfo=UTC), True
    return moment, True


def date_of(text: str | None, field: str) -> date | None:
    """Parses a day that may be missing. Raises `MalformedMessage`."""
    if text is None:
        return None
    try:
        # Some write a day as the moment when it begins.
        return date.fromisoformat(text) if len(text) <= _LENGTH_OF_A_DATE else datetime.fromisoformat(text).date()
    except ValueError:
        raise _no_time(field, "ISO 8601 date", text) from None


def _no_time(field: str, wanted: str, text: str) -> MalformedMessage:
    place = "/time" if field == "time" else f"/data/{field}"
    return MalformedMessage("INVALID_TIME", f"{field} is not an {wanted}: {text[:64]!r}.", place)
