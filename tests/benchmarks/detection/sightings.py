"""What detection gets to see of a simulated fleet: its faults in the order they arrive, in windows.

The simulator's errors, outbreaks and ways of delivery, without its sessions and without writing them as messages,
which would take most of the time and change nothing here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from domain.incidents.baseline import Observed, Places, Tally
from domain.incidents.thresholds import HOURS, hour_of_week
from domain.incidents.windows import KINDS, MODEL, ZONE, Group
from ingest.simulator import repeats as delivery
from ingest.simulator.fleet import SimulatedSpot, by_zone
from ingest.simulator.moments import HOUR, SECOND
from ingest.simulator.reports import Raised, Report
from ingest.simulator.stream import Plan
from ingest.simulator.troubles import troubles

WINDOW: Final = HOUR


class Sighting(NamedTuple):
    """A fault that was raised: when it arrived first and when it happened, in milliseconds."""

    arrived: int
    at: int
    code: str
    spot: SimulatedSpot

    @property
    def groups(self) -> tuple[Group, Group]:
        """Where it counts."""
        spot = self.spot
        return Group(self.code, ZONE, spot.zone.name), Group(self.code, MODEL, model_of(spot))


class Seen(NamedTuple):
    """A group's window when a fault had arrived: the newest fault in it, how many spots and faults it held."""

    group: Group
    arrived: int
    last: int
    hour: int
    spots: int
    faults: int


def model_of(spot: SimulatedSpot) -> str:
    """The model with its firmware."""
    return f"{spot.model.vendor} {spot.model.name} {spot.firmware}"


def everyday(plan: Plan) -> list[Sighting]:
    """The fleet's everyday errors, in the order they arrive."""
    found: list[Sighting] = []
    for zone, spots in by_zone(plan.fleet).items():
        for at, reports in troubles(plan.seed, zone, spots, plan.start, plan.errors):
            if at >= plan.end:
                break
            found += _sightings(reports)
    return sorted(found, key=lambda sighting: sighting[:2])


def outbreaks(plan: Plan) -> list[Sighting]:
    """The faults of the plan's outages alone."""
    return [
        sighting
        for outbreak in plan.outbreaks
        for _, reports in outbreak.episodes
        for sighting in _sightings(reports)
    ]


def _sightings(reports: Sequence[Report]) -> Iterator[Sighting]:
    for report in reports:
        if isinstance(report, Raised):
            arrived = delivery.arrivals(report.at, report.luck)[0]
            yield Sighting(arrived, report.at, report.kind.code, report.spot)


def windows(sightings: Sequence[Sighting], time_zones: dict[tuple[str, str], str], fewest: int) -> list[Seen]:
    """The windows of at least so many faults, as `domain.incidents.windows.Windows` has them: each spot with its
    newest fault, the end at the newest of all."""
    newest: dict[Group, dict[str, int]] = defaultdict(dict)
    faults: dict[Group, list[int]] = defaultdict(list)
    seen: list[Seen] = []
    for sighting in sightings:
        for group in sighting.groups:
            spots, moments = newest[group], faults[group]
            spots[sighting.spot.spot_id] = max(sighting.at, spots.get(sighting.spot.spot_id, 0))
            moments.append(sighting.at)
            last = max(spots.values())
            for gone in [spot for spot, at in spots.items() if at <= last - WINDOW]:
                del spots[gone]
            moments[:] = [at for at in moments if at > last - WINDOW]
            if len(moments) >= fewest:
                hour = hour_at(last, time_zones[group.kind, group.place])
                seen.append(Seen(group, sighting.arrived, last, hour, len(spots), len(moments)))
    return seen


def hour_at(at: int, time_zone: str) -> int:
    """The hour of the week of a moment in milliseconds."""
    return hour_of_week(datetime.fromtimestamp(at / SECOND, UTC), time_zone)


def time_zones(fleet: Sequence[SimulatedSpot]) -> dict[tuple[str, str], str]:
    """The clock of each place: its own, or the one that most spots of a model live on."""
    clocks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for spot in fleet:
        for place in ((ZONE, spot.zone.name), (MODEL, model_of(spot))):
            clocks[place].append(spot.zone.time_zone)
    return {place: max(sorted(set(names)), key=names.count) for place, names in clocks.items()}


class History(NamedTuple):
    """The history of a fleet, and how many distinct spots each group had in each hour since 1970 in which it had
    any (UTC)."""

    places: Places
    tallies: list[Tally]
    spots: dict[Group, dict[int, int]]


def history(plan: Plan, sightings: Sequence[Sighting], begin: int, end: int) -> History:
    """What a nightly run learns from between two moments in milliseconds."""
    clocks = time_zones(plan.fleet)
    showing: dict[Group, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for sighting in sightings:
        for group in sighting.groups:
            showing[group][sighting.at // WINDOW].add(sighting.spot.spot_id)
    spots = {group: {hour: len(there) for hour, there in hours.items()} for group, hours in showing.items()}
    capacity = {(kind, name): 0 for kind in KINDS for of, name in clocks if of == kind}
    for spot in plan.fleet:
        capacity[ZONE, spot.zone.name] += 1
        capacity[MODEL, model_of(spot)] += 1
    return History(
        {place: Observed(capacity[place], _windows(begin, end, clock)) for place, clock in clocks.items()},
        list(_tallies(spots, clocks, begin, end)),
        spots,
    )


def _windows(begin: int, end: int, time_zone: str) -> list[int]:
    numbers = [0] * HOURS
    for hour in range(begin // WINDOW, end // WINDOW):
        numbers[hour_at(hour * WINDOW, time_zone)] += 1
    return numbers


def _tallies(
    spots: dict[Group, dict[int, int]], clocks: dict[tuple[str, str], str], begin: int, end: int
) -> Iterator[Tally]:
    for group, hours in spots.items():
        sums: dict[int, list[int]] = defaultdict(list)
        for hour, number in hours.items():
            if begin <= hour * WINDOW < end:
                sums[hour_at(hour * WINDOW, clocks[group.kind, group.place])].append(number)
        for hour, numbers in sums.items():
            yield Tally(group, hour, sum(numbers), sum(number**2 for number in numbers))
