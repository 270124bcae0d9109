"""Formats the usage records that a verdict rests on, with the figures that decide."""

from collections.abc import Iterator
from typing import Any

from domain.eligibility.wording import kwh

Answer = dict[str, Any]


def records(answers: list[Answer]) -> Iterator[str]:
    """Yields a line for each record that decided, and for the one that it was compared with."""
    for facts in (answer["facts"] for answer in answers if "session_id" in answer["facts"]):
        yield f"  by session {facts['session_id']}: {_figures(facts)}"
        if other := facts.get("other"):
            yield f"  beside session {other['session_id']}: {_figures(other)}"


def _figures(facts: Answer) -> str:
    parts = [
        f"connector {facts['connector_id']}" if facts["connector_id"] else "no connector stated",
        f"{_minute(facts['started_at'])} to {_minute(facts['ended_at'])} UTC",
        "no energy stated" if facts["energy_kwh"] is None else f"{kwh(facts['energy_kwh'])} kWh",
    ]
    start, stop = facts["meter_start_kwh"], facts["meter_stop_kwh"]
    if (start, stop) != (None, None):
        parts.append(f"register {_register(start)} to {_register(stop)} kWh")
    # Only records with signed values state what of them.
    if facts.get("signed_kwh") is not None:
        parts.append(f"signed {kwh(facts['signed_kwh'])} kWh ({'; '.join(dict.fromkeys(facts['signatures']))})")
    found = ", ".join(facts["findings"])
    return f"{', '.join(parts)}; {f'findings {found}' if found else 'no findings'}"


def _register(value: float | None) -> str:
    return "unknown" if value is None else kwh(value)


def _minute(moment: str | None) -> str:
    return "unknown" if moment is None else f"{moment[:10]} {moment[11:16]}"
