"""The everyday errors of the fleet: raised, reported again by drivers who retry, flapping, and cleared."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from ingest.simulator.chance import Chance
from ingest.simulator.demand import PEAK, arrivals, demand
from ingest.simulator.errors import TROUBLES, WORST_DAY, day_factor, rates
from ingest.simulator.fleet import Spot, Zone
from ingest.simulator.moments import MINUTE, SECOND
from ingest.simulator.reports import Activities, Cleared, ErrorKind, Raised, Report

_IDLE_SHARE: Final = 0.4
_RETRIES: Final = 0.3
_MOST_RETRIES: Final = 5
_LONGEST_FACTOR: Final = 12


def troubles(seed: int, zone: Zone, spots: Sequence[Spot], start: int, times: float = 1.0) -> Activities:
    """The errors of a zone from a moment on, `times` as often as usual, in step with its demand and its days."""
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
    """How often things go wrong under a demand; 1 on average, as it is. Some fail without anybody near."""
    return _IDLE_SHARE + (1 - _IDLE_SHARE) * demand


def episode(spot: Spot, kind: ErrorKind, at: int, name: str, chance: Chance) -> list[Report]:
    """One error of a spot from its first report on; all reports that it gives, the clear last."""
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
    """The first report and those of drivers who try again."""
    moments = [at]
    while len(moments) <= _MOST_RETRIES and chance.happens(_RETRIES):
        moments.append(moments[-1] + int(chance.between(1, 10) * MINUTE))
    return moments


def _refusals(spot: Spot, kind: ErrorKind, at: int, name: str, chance: Chance) -> list[Report]:
    """A driver who reserves in vain, and tries again in vain; under another reservation each time."""
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


def _flaps(spot: Spot, kind: ErrorKind, at: int, name: str, chance: Chance) -> list[Report]:
    reports: list[Report] = []
    for number in range(int(chance.between(3, 11))):
        over = at + int(chance.between(5, 90) * SECOND)
        reports.append(Raised(at, chance.number(), spot, f"{name}.{number}", kind))
        reports.append(Cleared(over, chance.number(), spot, f"{name}.{number}.cleared", kind))
        at = over + int(chance.between(10, 120) * SECOND)
    return reports


def driver(chance: Chance) -> str:
    """An opaque reference to somebody."""
    return f"driver-{int(chance.between(10_000, 99_999))}"
