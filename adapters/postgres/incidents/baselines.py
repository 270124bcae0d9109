"""Learns what is usual from the database, and gives the thresholds that follow."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, Engine

from adapters.postgres.engine import translated_errors
from adapters.postgres.incidents import baseline_sql as sql
from domain.incidents import baseline
from domain.incidents.baseline import Observed, Tally
from domain.incidents.data_gaps import unknown_hours
from domain.incidents.thresholds import HOURS, Place, Thresholds, hour_of_week
from domain.incidents.windows import Group
from domain.policy.calendar import knows_zone
from domain.policy.policy import IncidentPolicy

_LOCK: Final = 7_305_776_005
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
LOOKBACK: Final = timedelta(weeks=12)
_PATIENCE: Final = "10min"

PlaceKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BaselineRun:
    """A baseline run: when it was, since when it looked, and what it found.

    `chance` is how likely a window of no incident reaches its threshold, and `groups` how many have thresholds
    above the fewest. No data came in `unknown_hours`; in the hours of `silent` a place (kind and name) was silent
    while others were not, the longest silent place first.
    """

    at: datetime
    since: datetime
    chance: float
    groups: int
    unknown_hours: Sequence[datetime]
    silent: Mapping[PlaceKey, Sequence[datetime]] = field(default_factory=dict)


class _Known(NamedTuple):
    kind: str
    place: str
    capacity: int
    time_zone: str
    first: datetime | None

    @property
    def key(self) -> PlaceKey:
        return self.kind, self.place


class Baselines:
    """Learns, loads and shows the baselines of detection.

    Every method raises `TransientError` when the database is away.
    """

    def __init__(self, engine: Engine, policy: IncidentPolicy) -> None:
        self._engine = engine
        self._policy = policy
        self._window = timedelta(minutes=policy.window_minutes)

    def learn(self, now: datetime) -> BaselineRun | None:
        """Learns from the past twelve weeks; None if that was done since midnight (UTC), or is being done.

        Any number of schedulers may ask: one does it, in one transaction.
        """
        with translated_errors(), self._engine.begin() as connection:
            mine = connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).scalar_one()
            if not mine or connection.exec_driver_sql(sql.LEARNT_SINCE, (_midnight(now),)).scalar_one():
                return None
            # All of the faults are read, and nobody waits for it.
            for bound in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (bound, _PATIENCE))
            return self._learn(connection, now)

    def load(self) -> Thresholds:
        """Reads the thresholds in force. Places that were registered since the last time are known too."""
        with translated_errors(), self._engine.connect() as connection:
            places = {
                (row.kind, row.place): Place(row.capacity, _clock(row.time_zone), row.days)
                for row in connection.exec_driver_sql(sql.PLACES_KNOWN)
            }
            rows = connection.exec_driver_sql("SELECT code, kind, place, week FROM baseline_thresholds")
            table = {Group(row.code, row.kind, row.place): row.week for row in rows}
        return Thresholds(places, table, self._policy.fewest_spots, self._policy.capacity_share)

    def last(self) -> BaselineRun | None:
        """Reads the latest baseline run."""
        with translated_errors(), self._engine.connect() as connection:
            row = connection.exec_driver_sql(sql.LAST).one_or_none()
            silent = {(kind, place): hours for kind, place, hours in connection.exec_driver_sql(sql.SILENT)}
        return replace(BaselineRun(*row), silent=silent) if row else None

    def _learn(self, connection: Connection, now: datetime) -> BaselineRun:
        since = _hour(now) - LOOKBACK
        span = {"since": since, "until": _hour(now)}
        hours = sorted(connection.exec_driver_sql(sql.HOURS_WITH_DATA, span).scalars())
        places = [
            _Known(*row)._replace(time_zone=_clock(row.time_zone))
            for row in connection.exec_driver_sql(sql.PLACES_OBSERVED, span)
        ]
        tallies = self._tallies(connection, places, span)
        silent = self._silent(connection, places, hours, span)
        usual = baseline.learn(self._observed(places, hours, silent), tallies)
        chance = baseline.chance_for(usual, self._policy.false_alarms_per_day, self._window)
        weeks = [(*group, week) for one in usual for group, week in one.thresholds(chance)]
        known = [
            (*place[:4], (now - place.first) / _DAY if place.first else 0.0, silent.get(place.key, []))
            for place in places
        ]
        longest_first = sorted(silent.items(), key=lambda item: (-len(item[1]), item[0]))
        since = hours[0] if hours else now
        run = BaselineRun(now, since, chance, len(weeks), _missing(hours), dict(longest_first))
        self._write(connection, run, known, weeks)
        return run

    def _tallies(self, connection: Connection, places: Sequence[_Known], span: dict[str, datetime]) -> list[Tally]:
        step = min(self._window, _HOUR)
        rows = connection.exec_driver_sql(
            sql.TALLIES,
            span
            | {
                "places": orjson.dumps([(p.kind, p.place, p.time_zone) for p in places]).decode(),
                "step": step,
                "steps": self._window // step,
            },
        )
        return [Tally(Group(*row[:3]), *row[3:]) for row in rows]

    def _silent(
        self,
        connection: Connection,
        places: Sequence[_Known],
        hours: Sequence[datetime],
        span: dict[str, datetime],
    ) -> dict[PlaceKey, list[datetime]]:
        """Finds the hours in which a place alone was silent, for places that have any."""
        heard: dict[PlaceKey, dict[datetime, int]] = {}
        for kind, name, hour, sessions in connection.exec_driver_sql(sql.HEARD, span):
            heard.setdefault((kind, name), {})[hour] = sessions
        silent = {
            place.key: unknown_hours(
                heard.get(place.key, {}),
                hours[bisect_left(hours, _hour(place.first)) :],
                partial(_slot, time_zone=place.time_zone),
            )
            for place in places
            if place.first
        }
        return {key: unknown for key, unknown in silent.items() if unknown}

    def _observed(
        self,
        places: Sequence[_Known],
        hours: Sequence[datetime],
        silent: Mapping[PlaceKey, Sequence[datetime]],
    ) -> dict[PlaceKey, Observed]:
        an_hour = max(1, _HOUR // self._window)

        @cache
        def windows(time_zone: str, first: datetime) -> list[int]:
            numbers = [0] * HOURS
            for hour in hours:
                if hour >= first:
                    numbers[_slot(hour, time_zone)] += an_hour
            return numbers

        def known(place: _Known, first: datetime) -> Observed:
            numbers = list(windows(place.time_zone, _hour(first)))
            for hour in silent.get(place.key, ()):
                numbers[_slot(hour, place.time_zone)] -= an_hour
            return Observed(place.capacity, numbers)

        return {place.key: known(place, place.first) for place in places if place.first}

    def _write(
        self, connection: Connection, run: BaselineRun, places: Sequence[Any], weeks: Sequence[Any]
    ) -> None:
        connection.exec_driver_sql("DELETE FROM baseline_places")
        connection.exec_driver_sql("DELETE FROM baseline_thresholds")
        connection.exec_driver_sql(sql.INSERT_PLACES, (orjson.dumps(places).decode(),))
        connection.exec_driver_sql(sql.INSERT_THRESHOLDS, (orjson.dumps(weeks).decode(),))
        connection.exec_driver_sql(
            sql.INSERT_BASELINE,
            (
                run.at,
                run.since,
                self._policy.window_minutes,
                run.chance,
                run.groups,
                list(run.unknown_hours),
            ),
        )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _slot(hour: datetime, time_zone: str) -> int:
    # Its middle, for clocks that are half an hour apart.
    return hour_of_week(hour + _HOUR / 2, time_zone)


def _midnight(moment: datetime) -> datetime:
    return _hour(moment.astimezone(UTC)).replace(hour=0)


def _clock(time_zone: str | None) -> str:
    return time_zone if time_zone and knows_zone(time_zone) else "UTC"


def _missing(hours: Sequence[datetime]) -> list[datetime]:
    """Lists the hours between the first and the last that are not among them."""
    known, missing = set(hours), []
    moment = hours[0] if hours else None
    while moment and moment < hours[-1]:
        if moment not in known:
            missing.append(moment)
        moment += _HOUR
    return missing
