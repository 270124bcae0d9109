"""Finds the fields of a message that its type does not know: they are kept, and the sender is warned."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_type_hints

import structlog

from ingest.cloudevents.types import ErrorData, FaultData, SpotData, UsageData

log = structlog.get_logger("wire")

_KNOWN: Final[dict[type, frozenset[str]]] = {
    kind: frozenset(get_type_hints(kind)) for kind in (FaultData, UsageData, SpotData, ErrorData)
}
_NAMES: Final = sorted(set().union(*_KNOWN.values()).union(f"error.{name}" for name in get_type_hints(ErrorData)))
# A sender that makes names up must not fill the memory.
_MOST_NAMES = 1000
_warned: set[str] = set()


def unknown_fields(data: Mapping[str, Any], kind: type) -> dict[str, Any] | None:
    """Returns the fields of the data that its type does not know; None if it knows all.

    Those of a fault's `error` have its name before theirs, as `error.inof`.
    """
    error = data["error"] if kind is FaultData else {}
    if data.keys() <= _KNOWN[kind] and error.keys() <= _KNOWN[ErrorData]:
        return None
    found = {name: data[name] for name in data.keys() - _KNOWN[kind]}
    found |= {f"error.{name}": error[name] for name in error.keys() - _KNOWN[ErrorData]}
    for name in found.keys() - _warned:
        if len(_warned) < _MOST_NAMES:
            _warned.add(name)
            log.warning("unknown field kept", field=name[:64], nearest=_nearest(name))
    return found


def warnings(unknown: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yields the name of each unknown field with a sentence that says so, by name."""
    for name in sorted(unknown or ()):
        near = _nearest(name)
        meant = f"; the nearest that is known is {near}" if near else ""
        yield name, f"{name[:64]} is not known, and was kept{meant}."


def _nearest(name: str) -> str | None:
    """Finds the known field that a name may be a slip of."""
    return next(iter(get_close_matches(name.lower(), _NAMES, n=1, cutoff=0.75)), None)
