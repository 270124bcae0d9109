"""Outbreaks: one error on many spots of a zone or model, and their truth."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Final

import orjson

from domain.errors import SetupError
from ingest.simulator import repeats
from ingest.simulator.chance import Chance
from ingest.simulator.errors import BY_CODE
from ingest.simulator.fleet import SimulatedSpot
from ingest.simulator.moments import MINUTE, rfc3339, span
from ingest.simulator.reports import Activity, Raised, Report
from ingest.simulator.troubles import episode

_FORM: Final = "ZONE[:CODE]@+AFTER[/SPOTS], like harbour@+5m or Corvid-150+7.6:GROUND_FAILURE@+1h30m/12"
_USUAL_CODE: Final = "POWER_FAILURE"
_USUAL_SHARE: Final = 3
_FEWEST: Final = 3
_ONSET_MINUTES: Final = 8
_LASTING_MINUTES: Final = 30


@dataclass(frozen=True, slots=True)
class Outage:
    """A planned outbreak.

    `place` is a zone or MODEL+FIRMWARE, `code` one of `errors.BY_CODE`. `after` is the time from the start to its
    first fault (milliseconds), `spots` how many it strikes, None for a third of the place. The others follow the
    first by an exponential wait of `onset_minutes` on average, and each stays out of order for `lasting_minutes`
    on average.
    """

    place: str
    after: int
    code: str = _USUAL_CODE
    spots: int | None = None
    onset_minutes: float = _ONSET_MINUTES
    lasting_minutes: float = _LASTING_MINUTES


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened in an outbreak, as far as the stream reports it.

    Either `zone` is set, or `model` and `firmware`. `first_fault` is when the first fault happened, `end` when the
    last spot had recovered or the stream was over; both RFC 3339.
    """

    code: str
    zone: str | None
    model: str | None
    firmware: str | None
    spots: list[str]
    first_fault: str
    end: str

    def line(self, *, sent: bool) -> bytes:
        """Formats the truth as one JSON line; `sent` is false for what is planned."""
        return orjson.dumps(asdict(self) | {"sent": sent}) + b"\n"


def parse_outage(text: str) -> Outage:
    """Parses an outage from the command line. Raises `SetupError` that says what would be right."""
    place, at, rest = text.rpartition("@+")
    if not (place and at):
        raise SetupError(f"--outage {text}: write it as {_FORM}.")
    place, _, code = place.partition(":")
    after, slash, spots = rest.partition("/")
    if slash and not (spots.isdecimal() and int(spots[:9]) > 0):
        raise SetupError(f"--outage {text}: {spots!r} is no number of spots; write it as {_FORM}.")
    if code and code not in BY_CODE:
        raise SetupError(f"--outage {text}: there is no outbreak of {code!r}. {_offered(code, BY_CODE)}")
    return Outage(place, span(after, f"--outage {text}"), code or _USUAL_CODE, int(spots[:9]) if slash else None)


@dataclass(frozen=True, slots=True)
class Outbreak:
    """An outage as it strikes the fleet: its spots' episodes, in order of their start."""

    outage: Outage
    episodes: list[Activity]

    def truth(self, end: int) -> Truth | None:
        """Returns what a stream that ends then reports of it; None for nothing."""
        reported = [report for report in self._reports() if repeats.arrivals(report.at, report.luck)[0] < end]
        raised = [report for report in reported if isinstance(report, Raised)]
        if not raised:
            return None
        model, _, firmware = self.outage.place.partition("+")
        return Truth(
            self.outage.code,
            None if firmware else model,
            model if firmware else None,
            firmware or None,
            sorted({report.spot.spot_id for report in raised}),
            rfc3339(min(report.at for report in raised)),
            rfc3339(min(max(report.at for report in self._reports()), end)),
        )

    def _reports(self) -> Iterator[Report]:
        return (report for _, reports in self.episodes for report in reports)


def strike(outage: Outage, number: int, seed: int, fleet: Sequence[SimulatedSpot], start: int) -> Outbreak:
    """Plans an outage's episodes.

    `number` distinguishes it from others of the stream. Raises `SetupError` when there is no such place, or it has
    too few spots.
    """
    there = _standing_at(outage.place, fleet)
    count = outage.spots or min(len(there), max(_FEWEST, len(there) // _USUAL_SHARE))
    if count > len(there):
        raise SetupError(
            f"--outage {outage.place}: {count} spots are more than the {len(there)} that stand there."
        )
    chance = Chance(seed, "outage", number, outage.place, outage.code)
    kind = BY_CODE[outage.code]
    if not kind.of_reservation:
        kind = kind._replace(minutes=outage.lasting_minutes)
    episodes: list[Activity] = []
    for spot in chance.sample(there, count):
        wait = chance.exponential(outage.onset_minutes) * MINUTE if episodes else 0
        at = start + outage.after + int(wait)
        episodes.append((at, episode(spot, kind, at, f"outage-{number}", chance)))
    return Outbreak(outage, sorted(episodes, key=lambda activity: activity[0]))


def _standing_at(place: str, fleet: Sequence[SimulatedSpot]) -> list[SimulatedSpot]:
    places: dict[str, list[SimulatedSpot]] = {}
    for spot in fleet:
        places.setdefault(spot.zone.name, []).append(spot)
        places.setdefault(f"{spot.model.name}+{spot.firmware}", []).append(spot)
    if place not in places:
        raise SetupError(f"--outage {place}: the fleet has no such zone or model. {_offered(place, places)}")
    return places[place]


def _offered(wanted: str, known: Collection[str]) -> str:
    near = get_close_matches(wanted, known, 1)
    question = f"Is it {near[0]}? " if near else ""
    return f"{question}There are: {', '.join(sorted(known))}."
