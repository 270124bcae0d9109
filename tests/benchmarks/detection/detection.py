"""Detection: how many outbreaks are noticed, and how soon, at one false alarm a day over the fleet.

Fleets of the seeded simulator with its everyday errors, which come in heaps (see `ingest.simulator`): six weeks
to learn from, then two weeks to judge. A false alarm is one in the two weeks without any outbreak, of any code in
any zone or model with its firmware; an alarm lasts until a window's length has passed without its like. Every way
of judging is tuned to one false alarm a day on fleets of other seeds, then judged on the fleets that count. Whole
counts cannot be tuned that finely: they get the least number with no more than that.

Recall: in each zone an outbreak a day, of every size from 3 to 15 spots, of a code that shows on 0.23 spots per
zone and hour, at any time of day, on top of the same everyday errors. One is noticed if an alarm of its code and
zone begins between its first fault and its end; an alarm that was there before does not count. The delay is from
the first fault to the arrival of the fault that raises the alarm.

Ours is judged by `domain.incidents.thresholds` itself. In the last row nothing is tuned on anything: the chance is
the one that the model reckons for one false alarm a day.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import fmean, median, quantiles, stdev
from typing import Final

from domain.incidents.baseline import chance_for, learn
from domain.incidents.thresholds import Place, Thresholds
from domain.incidents.windows import ZONE, Group
from domain.policy.policy import FEWEST_SPOTS
from ingest.simulator.fleet import by_zone
from ingest.simulator.moments import DAY, HOUR, MINUTE, SECOND, milliseconds
from ingest.simulator.outages import Outage
from ingest.simulator.stream import Plan
from tests.benchmarks.detection import sightings
from tests.benchmarks.detection.detectors import MESSAGES, OURS, POISSON_OURS, Score, scores
from tests.benchmarks.detection.sightings import WINDOW, History, Seen
from tests.benchmarks.report import Row
from tests.benchmarks.scale import Scale

_START: Final = milliseconds(datetime(2026, 1, 5, tzinfo=UTC))
_WEEK: Final = 7 * DAY
_LEARNT_WEEKS, _JUDGED_WEEKS = 6, 2
_DAYS: Final = _JUDGED_WEEKS * 7
_CODE: Final = "CONTROLLER_FAILURE"
_SIZES: Final = range(3, 16)
_TUNING_SEEDS: Final = 101
_PROCESSES: Final = 2
_HALVINGS: Final = 16
_UNTUNED: Final = "ours, untuned"
# 97.5 % of Student's t distribution, by degrees of freedom.
_STUDENT: Final = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


@dataclass(frozen=True)
class Outbreak:
    """What was to be noticed. `begin` and `end` in milliseconds."""

    group: Group
    begin: int
    end: int
    spots: int


Judged = list[tuple[Seen, float]]
"""Windows with their scores, in the order they arrived."""


@dataclass
class Fleet:
    """The two weeks of one fleet under every way of judging: without outbreaks, and with them."""

    calm: dict[str, Judged]
    struck: dict[str, Judged]
    outbreaks: list[Outbreak]
    rate: float


@dataclass(frozen=True)
class Result:
    """What a way achieved on one fleet. Delays in minutes, None for an outbreak that was missed."""

    false_alarms: float
    delays: list[tuple[int, float | None]]

    @property
    def recall(self) -> float:
        return fmean(delay is not None for _, delay in self.delays)


def measure(scale: Scale) -> Iterator[Row]:
    """Ours with its recall by size, then what is beside it."""
    with ProcessPoolExecutor(_PROCESSES) as processes:
        live = partial(_live, spots=scale.detection_spots)
        seeds = range(_TUNING_SEEDS, _TUNING_SEEDS + scale.detection_tuning_fleets)
        levels = _tuned(list(processes.map(live, seeds)))
        judge = partial(_live, spots=scale.detection_spots, chance=math.exp(-levels[OURS]))
        fleets = list(processes.map(judge, range(1, scale.detection_fleets + 1)))
    # Thresholds were asked for ours: a score is how far above them it is.
    levels |= {OURS: 0.0, _UNTUNED: 0.0}
    results = {way: [_result(fleet, way, level) for fleet in fleets] for way, level in levels.items()}
    yield from _ours(results[OURS], fmean(fleet.rate for fleet in fleets))
    for way in levels:
        if way not in (OURS, _UNTUNED):
            yield from _beside(way, results[way], results[OURS])
    untuned = results[_UNTUNED]
    yield _row(f"{_UNTUNED}: recall", [one.recall for one in untuned])
    yield _row(f"{_UNTUNED}: false alarms a day", [one.false_alarms for one in untuned])


def _live(seed: int, spots: int, chance: float | None = None) -> Fleet:
    """Lets a fleet live; with a chance, ours is judged by thresholds of that chance."""
    plan = _plan(seed, spots)
    everyday, clocks = sightings.everyday(plan), sightings.time_zones(plan.fleet)
    begin = plan.start + _LEARNT_WEEKS * _WEEK
    history = sightings.history(plan, everyday, plan.start, begin)
    ways = scores(history) | (_by_thresholds(history, clocks, chance) if chance else {})
    recent = [sighting for sighting in everyday if sighting.arrived >= begin - HOUR]
    struck = sorted([*recent, *sightings.outbreaks(plan)], key=lambda sighting: sighting[:2])
    calm_windows = [seen for seen in sightings.windows(recent, clocks, FEWEST_SPOTS) if seen.arrived >= begin]
    struck_windows = [
        seen
        for seen in sightings.windows(struck, clocks, FEWEST_SPOTS)
        if seen.arrived >= begin and seen.group.code == _CODE and seen.group.kind == ZONE
    ]
    return Fleet(
        {way: _judge(calm_windows, way, score) for way, score in ways.items()},
        {way: _judge(struck_windows, way, score) for way, score in ways.items()},
        _truth(plan),
        _rate(history),
    )


def _plan(seed: int, spots: int) -> Plan:
    """Of every zone an outbreak a day, of each size once, in random order."""
    plan = Plan(seed, spots, _START, (_LEARNT_WEEKS + _JUDGED_WEEKS) * _WEEK)
    chance, outages = random.Random(seed), list[Outage]()
    for zone in by_zone(plan.fleet):
        for day, size in enumerate(chance.sample(_SIZES, len(_SIZES))):
            after = _LEARNT_WEEKS * _WEEK + day * DAY + int(chance.uniform(0, 20) * HOUR)
            outages.append(Outage(zone.name, after, _CODE, size))
    return replace(plan, outages=tuple(outages))


def _truth(plan: Plan) -> list[Outbreak]:
    return [
        Outbreak(
            Group(truth.code, ZONE, str(truth.zone)),
            _moment(truth.first_fault),
            _moment(truth.end),
            len(truth.spots),
        )
        for truth in plan.truth()
    ]


def _moment(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def _rate(history: History) -> float:
    """Spots per zone and hour that show the code of the outbreaks."""
    spots = sum(tally.spots for tally in history.tallies if tally.group[:2] == (_CODE, ZONE))
    return spots / sum(sum(place.windows) for (kind, _), place in history.places.items() if kind == ZONE)


def _by_thresholds(history: History, clocks: Mapping[tuple[str, str], str], chance: float) -> dict[str, Score]:
    usual = learn(history.places, history.tallies)
    places = {
        place: Place(observed.capacity, clocks[place], _LEARNT_WEEKS * 7)
        for place, observed in history.places.items()
    }

    def score(chance: float) -> Score:
        table = {group: week for one in usual for group, week in one.thresholds(chance)}
        threshold = Thresholds(places, table)
        return lambda seen: seen.spots - threshold(seen.group, datetime.fromtimestamp(seen.last / SECOND, UTC))

    return {OURS: score(chance), _UNTUNED: score(chance_for(usual, 1.0, timedelta(milliseconds=WINDOW)))}


def _judge(windows: Sequence[Seen], way: str, score: Score) -> Judged:
    return [(seen, score(seen)) for seen in windows if way == MESSAGES or seen.spots >= FEWEST_SPOTS]


def _alarms(judged: Judged, level: float) -> Iterator[Seen]:
    """The windows that begin an alarm."""
    last: dict[Group, int] = {}
    for seen, score in judged:
        if score >= level:
            if seen.arrived - last.get(seen.group, -WINDOW) >= WINDOW:
                yield seen
            last[seen.group] = seen.arrived


def _tuned(fleets: Sequence[Fleet]) -> dict[str, float]:
    """Of each way the lowest level with at most one false alarm a day."""
    return {way: _halve(partial(_too_many, fleets, way), fleets[0].calm[way]) for way in fleets[0].calm}


def _too_many(fleets: Sequence[Fleet], way: str, level: float) -> bool:
    return sum(1 for fleet in fleets for _ in _alarms(fleet.calm[way], level)) > _DAYS * len(fleets)


def _halve(too_low: Callable[[float], bool], judged: Judged) -> float:
    low, high = 0.0, 2 * max(score for _, score in judged)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return high


def _result(fleet: Fleet, way: str, level: float) -> Result:
    alarms: dict[Group, list[int]] = defaultdict(list)
    for seen in _alarms(fleet.struck[way], level):
        alarms[seen.group].append(seen.arrived)
    return Result(
        sum(1 for _ in _alarms(fleet.calm[way], level)) / _DAYS,
        [(outbreak.spots, _delay(outbreak, alarms[outbreak.group])) for outbreak in fleet.outbreaks],
    )


def _delay(outbreak: Outbreak, alarms: Sequence[int]) -> float | None:
    noticed = next((at for at in alarms if outbreak.begin <= at <= outbreak.end), None)
    return None if noticed is None else (noticed - outbreak.begin) / MINUTE


def _ours(results: Sequence[Result], rate: float) -> Iterator[Row]:
    yield _row(f"recall of 3-15 spots, {rate:.2f} usual", [one.recall for one in results], at_least=0.80)
    for sizes in ((3,), (4,), (5,), (6,), (7, 8, 9), range(10, 16)):
        found = [fmean(d is not None for size, d in one.delays if size in sizes) for one in results]
        yield _row(f"  of {sizes[0]}-{sizes[-1]} spots" if len(sizes) > 1 else f"  of {sizes[0]} spots", found)
    delays = [[delay for _, delay in one.delays if delay is not None] for one in results]
    yield _row("delay p50, minutes", [median(one) for one in delays], at_most=20)
    yield _row("delay p90, minutes", [quantiles(one, n=10)[-1] for one in delays])
    yield _row("false alarms a day", [one.false_alarms for one in results])


def _beside(way: str, results: Sequence[Result], ours: Sequence[Result]) -> Iterator[Row]:
    yield _row(f"{way}: recall", [one.recall for one in results])
    yield _row(f"{way}: false alarms a day", [one.false_alarms for one in results])
    more = [mine.recall - other.recall for mine, other in zip(ours, results, strict=True)]
    # Half of it is ours.
    yield _row("  recall of ours above it", more, at_least=None if way == POISSON_OURS else 0)


def _row(what: str, values: Sequence[float], at_least: float | None = None, at_most: float | None = None) -> Row:
    """The mean over the fleets, and its 95 % interval."""
    middle = fmean(values)
    reach = _STUDENT[len(values) - 1] * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    aim, met = "", None
    if at_least is not None:
        aim, met = (f">= {at_least:.2f}" if at_least else "> 0"), (middle >= at_least and middle > 0)
    elif at_most is not None:
        aim, met = f"<= {at_most:g}", middle <= at_most
    spread = f"{min(values):.3f} - {max(values):.3f}" if len(values) > 1 else ""
    figure = f"{middle:.3f} ± {reach:.3f}" if spread else f"{middle:.3f}"
    return Row("detection", what, middle, "", figure, spread, aim, met)
