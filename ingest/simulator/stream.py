"""The whole fleet in one stream, in order of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count

from ingest.simulator.fleet import SimulatedSpot, build_fleet, by_zone
from ingest.simulator.outages import Outage, Outbreak, Truth, strike
from ingest.simulator.reports import Activities, Activity, Form, Line, Registered, Report
from ingest.simulator.sessions import sessions
from ingest.simulator.troubles import troubles

_USUAL_LUCK = 0.5


@dataclass(frozen=True)
class Plan:
    """Everything that decides a stream: the same plan gives the same stream, byte for byte.

    `start` and `duration` in milliseconds. `errors` multiplies the rate of everyday errors; in the first `calm`
    milliseconds there are none. An outage changes nothing of the rest of the stream.
    """

    seed: int
    spots: int
    start: int
    duration: int
    outages: tuple[Outage, ...] = ()
    errors: float = 1.0
    calm: int = 0

    @property
    def end(self) -> int:
        """Returns the end of the stream; what arrives later is not in it."""
        return self.start + self.duration

    @cached_property
    def fleet(self) -> list[SimulatedSpot]:
        return build_fleet(self.seed, self.spots, datetime.fromtimestamp(self.start // 1000, UTC).year)

    @cached_property
    def outbreaks(self) -> list[Outbreak]:
        """Returns the outages as they strike. Raises `SetupError` for an unknown place."""
        return [
            strike(outage, number, self.seed, self.fleet, self.start)
            for number, outage in enumerate(self.outages, 1)
        ]

    def truth(self, until: int | None = None) -> list[Truth]:
        """Returns what the stream reports of each outbreak until then, or its end.

        Outbreaks of which it reports nothing are left out.
        """
        end = self.end if until is None else until
        return [truth for outbreak in self.outbreaks if (truth := outbreak.truth(end))]


def stream(plan: Plan, form: Form) -> Iterator[Line]:
    """Yields the messages of a plan as they arrive. Only what is under way is in memory."""
    serial = count()
    pending: list[tuple[int, int, Line]] = []
    next_activities = _first_activities(plan)
    while next_activities:
        at, number, reports, source = next_activities[0]
        while pending and pending[0][0] <= at:
            yield heappop(pending)[2]
        for report in reports:
            for line in form.lines(report):
                if line.at < plan.end:
                    heappush(pending, (line.at, next(serial), line))
        following = next(source, None)
        if following is None or following[0] >= plan.end:
            heappop(next_activities)
        else:
            heapreplace(next_activities, (following[0], number, following[1], source))
    while pending:
        yield heappop(pending)[2]


def _first_activities(plan: Plan) -> list[tuple[int, int, list[Report], Activities]]:
    """Returns the next activity of every source, with the source.

    The number decides between those of one moment.
    """
    first = [
        (activity[0], number, activity[1], source)
        for number, source in enumerate(_sources(plan))
        if (activity := next(source, None)) and activity[0] < plan.end
    ]
    heapify(first)
    return first


def _sources(plan: Plan) -> Iterator[Activities]:
    yield _registrations(plan)
    for zone, spots in by_zone(plan.fleet).items():
        yield sessions(plan.seed, zone, spots, plan.start)
        yield troubles(plan.seed, zone, spots, plan.start + plan.calm, plan.errors)
    for outbreak in plan.outbreaks:
        yield iter(outbreak.episodes)


def _registrations(plan: Plan) -> Iterator[Activity]:
    return ((plan.start, [Registered(plan.start, _USUAL_LUCK, spot)]) for spot in plan.fleet)
