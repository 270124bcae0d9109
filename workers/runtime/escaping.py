"""Escapes control characters of outside text for terminals and logs."""

import re
from typing import Any, Final

# Control characters move the cursor, colour, ring and retitle; marks of direction turn what stands around them.
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escaped(text: object, keep: str = "") -> str:
    """Escapes every control character of a text, except those in `keep`."""
    return _UNSEEN.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), str(text))


def escape_event(_logger: Any, _method: str, event: Any) -> Any:
    """Escapes the values of a log event; tracebacks keep their line ends. A processor of structlog."""
    return {
        name: escaped(value, keep="\n" if name == "exception" else "") if isinstance(value, str) else value
        for name, value in event.items()
    }


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
