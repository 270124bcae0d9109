"""Defines signed meter values: what a meter signed, as it came, and what came of checking it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MOST_VALUES: Final = 8
"""How many signed values a usage record holds; of more, the sources keep the first and the last ones."""

LONGEST_TEXT: Final = 32 * 1024
"""How many characters a signed text may have. Transparency software writes less than half of that."""

FORMAT, TEXT, CONTEXT, PUBLIC_KEY = "format", "text", "context", "public_key"
"""The fields of a signed value as it came. Only the text is always there.

The public key is a hint and no more: whoever forges a value can bring the key that fits it.
"""

VERIFIED, UNVERIFIED, INVALID = "verified", "unverified", "invalid"


@dataclass(frozen=True, slots=True)
class SignedReading:
    """What a register showed by a signed text, kWh.

    `begin` says whether it was read at the begin of a session or at its end. `at` is None where the meter does not
    vouch for its clock.
    """

    register: str
    kwh: float
    begin: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckedValue:
    """What came of checking a signed text: verified, unverified or invalid, with the reason.

    An invalid one has no readings; nor has one whose meter was not well when it signed.
    """

    outcome: str
    reason: str = ""
    readings: tuple[SignedReading, ...] = ()


CheckSigned = Callable[[Mapping[str, Any], str | None], list[CheckedValue]]
"""Checks a signed value, as it came, against a public key that was pinned; None where none was.

A text may hold several values. Never raises, and is bounded in time.
"""


def unchecked(value: Mapping[str, Any], public_key: str | None) -> list[CheckedValue]:
    """Checks nothing, and says so: where nothing that can check signatures is put together."""
    return [CheckedValue(UNVERIFIED, "signatures are not checked here")]
