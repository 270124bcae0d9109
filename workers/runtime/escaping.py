"""Text from outside as a terminal may be given it."""

import re
from typing import Any, Final

# Control characters move the cursor, colour, ring and retitle; marks of direction turn what stands around them.
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: object, keep: str = "") -> str:
    """The text with every control character written as an escape, but for those in `keep`."""
    return _UNSEEN.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), str(text))


def visible_event(_logger: Any, _method: str, event: Any) -> Any:
    """A processor of log lines: what they tell, made visible. Traces keep their line ends."""
    return {
        name: visible(value, keep="\n" if name == "exception" else "") if isinstance(value, str) else value
        for name, value in event.items()
    }


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
