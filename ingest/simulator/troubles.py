"""Everyday errors of the fleet: raised, repeated by retrying drivers, flapping, cleared."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from ingest.simulator.chance import Chance
from ingest.simulator.demand import PEAK, arrivals, demand
from ingest.simulator.errors import TROUBLES, WORST_DAY, day_factor, rates
from ingest.simulator.fleet import SimulatedSpot, Zone
from ingest.simulator.moments import MINUTE, SECOND
from ingest.simulator.reports import Activities, Cleared, ErrorKind, Raised, Report

_IDLE_SHARE: Final = 0.4
_RETRIES: Final = 0.3
_MOST_RETRIES: Final = 5
_LONGEST_FACTOR: Final = 12


def troubles(seed: int, zone: Zone, spots: Sequence[SimulatedSpot], start: int, times: float = 1.0) -> Activities:
    """Generates the errors of a zone from a moment on, following its demand. `times` multiplies their rate."""
    chance = Chance(seed, "troubles", zone.name)
    until_here = list(accumulate(rates(seed, zone.name)))
    total = until_here[-1] * times * len(spots)
    if not total:
        return

    def factor(at: int) -> float:
        return _strain(demand(zone.time_zone, at)) * day_factor(seed, zone.name, at)

    for number, at in enumerate(arrivals(chance, start, total, factor, _strain(PEAK) * WORST_DAY), 1):
        kind = TROUBLES[bisect(until_here, chance.number() * until_here[-1], hi=len(TROUBLES) - 1)]
        yield at, episode(chance.pick(spots), kind, at, f"trouble-{number}", chance)


def _strain(demand: float) -> float:
    """Returns the factor of a demand on the error rate; 1 on average. Some errors occur without anybody near."""
    return _IDLE_SHARE + (1 - _IDLE_SHARE) * demand


def episode(spot: SimulatedSpot, kind: ErrorKind, at: int, name: str, chance: Chance) -> list[Report]:
    """Returns all reports of one error of a spot, the clear last."""
    if kind.of_reservation:
        return _refusals(spot, kind, at, name, chance)
    if spot.is_flapping:
        return _flaps(spot, kind, at, name, chance)
    moments = _again(at, chance)
    lasting = min(chance.exponential(kind.minutes), kind.minutes * _LONGEST_FACTOR) * MINUTE
    end = max(at + int(lasting), moments[-1] + 30 * SECOND)
    raised: list[Report] = [
        Raised(moment, chance.number(), spot, f"{name}.{number}", kind) for number, moment in enumerate(moments)
    ]
    return [*raised, Cleared(end, chance.number(), spot, f"{name}.cleared", kind)]


def _again(at: int, chance: Chance) -> list[int]:
    """Returns when the error is reported, first and by drivers who try again."""
    moments = [at]
    while len(moments) <= _MOST_RETRIES and chance.happens(_RETRIES):
        moments.append(moments[-1] + int(chance.between(1, 10) * MINUTE))
    return moments


def _refusals(spot: SimulatedSpot, kind: ErrorKind, at: int, name: str, chance: Chance) -> list[Report]:
    """Reports a driver's failed attempts to reserve, each under another reservation."""
    user = driver(chance)
    return [
        Raised(
            moment,
            chance.number(),
            spot,
            f"{name}.{number}",
            kind,
            reservation=int(chance.between(1_000_000, 9_999_999)),
            user=user,
        )
        for number, moment in enumerate(_again(at, chance))
    ]


def _flaps(spot: SimulatedSpot, kind: ErrorKind, at: int, name: str, chance: Chance) -> list[Report]:
    reports: list[Report] = []
    for number in range(int(chance.between(3, 11))):
        over = at + int(chance.between(5, 90) * SECOND)
        reports.append(Raised(at, chance.number(), spot, f"{name}.{number}", kind))
        reports.append(Cleared(over, chance.number(), spot, f"{name}.{number}.cleared", kind))
        at = over + int(chance.between(10, 120) * SECOND)
    return reports


def driver(chance: Chance) -> str:
    """Returns an opaque reference to a person."""
    return f"driver-{int(chance.between(10_000, 99_999))}"
