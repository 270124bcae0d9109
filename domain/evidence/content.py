"""Says what evidence of each kind must hold, whoever brings it.

`evidence_typed` of migrations 0026 and 0031 holds every row to the same, and counts no older one that lacks it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final

from domain.errors import EvidenceRefused
from domain.field.signed_value import FORMAT, LONGEST_TEXT, TEXT
from domain.policy.policy import SIGNED_METER_VALUE

MISSING, INVALID = "MISSING_FIELD", "INVALID_FIELD"
UNITS: Final = ("Wh", "kWh")
# Some of these are white space to one reader and not to the next: Python, Rust, ECMAScript.
NOT_BLANK: Final = r"[^\s\x1c-\x1f\x85\uFEFF]"
HTTPS_URL: Final = r"^https://[^\s/?#@]+([/?#]\S*)?$"
SHA256: Final = r"^[0-9A-Fa-f]{64}$"
LONGEST_URL: Final = 2048

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    holds: Callable[[Any], bool]
    wanted: str


def _is_register(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0


def _is_unit(value: Any) -> bool:
    return value in UNITS if isinstance(value, str) else False


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and re.search(NOT_BLANK, value) is not None


def _is_signed_text(value: Any) -> bool:
    return _is_text(value) and len(value) <= LONGEST_TEXT


def _is_id(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, int) and not isinstance(value, bool))


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_URL and re.search(HTTPS_URL, value) is not None


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.search(SHA256, value) is not None


_TIME = _Field("time", _is_time, "an RFC 3339 time with an offset")
# A file that somebody else keeps: where it is, and the digest that shows that it is the same.
_REFERENCE = (
    _Field("url", _is_url, "an https URL"),
    _Field("sha256", _is_sha256, "the SHA-256 of the file, 64 hexadecimal digits"),
)
_FIELDS: Final[dict[str, tuple[_Field, ...]]] = {
    "meter_reading": (
        _Field("register", _is_register, "a number, 0 or more"),
        _Field("unit", _is_unit, " or ".join(UNITS)),
        _TIME,
    ),
    SIGNED_METER_VALUE: (
        _Field(FORMAT, _is_text, "the format of the text, such as OCMF"),
        _Field(TEXT, _is_signed_text, f"the signed text as it came, up to {LONGEST_TEXT:,} characters"),
    ),
    "reservation_response": (_Field("status", _is_text, "the status that was answered, as text"), _TIME),
    "session": (_Field("session_id", _is_id, "the id of a session"),),
    "photo": _REFERENCE,
    "document": _REFERENCE,
    "note": (_Field("text", _is_text, "a text that is not blank"),),
}


def demand_content(kind: str, fields: Mapping[str, Any]) -> None:
    """Raises `EvidenceRefused` at the first field that the kind needs and that is missing or wrong.

    More fields may be there; they are kept as they are.
    """
    for field in _FIELDS[kind]:
        value = fields.get(field.name)
        if value is None:
            sentence = f"A {kind.replace('_', ' ')} needs `{field.name}`: {field.wanted}."
            raise EvidenceRefused(MISSING, sentence, f"/{field.name}")
        if not field.holds(value):
            sentence = f"`{field.name}` of a {kind.replace('_', ' ')} must be {field.wanted}."
            raise EvidenceRefused(INVALID, sentence, f"/{field.name}")
