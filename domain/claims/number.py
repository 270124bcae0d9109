"""Numbers claims, in a way that people can say: `SC-2026-004711`."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

_NUMBER = re.compile(r"SC-\d{4}-\d{6,}", re.ASCII)


class ClaimIdentity(NamedTuple):
    """What a claim is known by: its id, and the number that people say."""

    id: str
    number: str


NewIdentity = Callable[[], ClaimIdentity]


def identities(ids: Iterable[str], numbers: Iterable[int], now: datetime) -> Iterator[ClaimIdentity]:
    """Pairs ids with numbers, each of which states the year.

    Numbers do not begin again with the year, so that the year said wrong finds no other claim.
    """
    for claim_id, number in zip(ids, numbers, strict=True):
        yield ClaimIdentity(claim_id, f"SC-{now.year}-{number:06d}")


def as_number(text: str) -> str | None:
    """Returns the number that a text spells, in capitals or not; None if it spells none."""
    spelled = text.strip().upper()
    return spelled if _NUMBER.fullmatch(spelled) else None
