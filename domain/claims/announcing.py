"""Schedules the notices of where claims stand."""

from collections.abc import Iterable

from domain.claims.claim import Claim
from domain.steps import Announce


def announce(claims: Iterable[Claim]) -> list[Announce]:
    """Schedules notices of where claims stand now.

    Claims with the same state key share one step.
    """
    alike: dict[str, list[str]] = {}
    for claim in claims:
        alike.setdefault(claim.state_key, []).append(claim.id)
    return [Announce(ids, state_key=state_key) for state_key, ids in alike.items()]
