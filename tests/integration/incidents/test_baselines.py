"""Baselines: learnt from what lies in the database, once a night, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.postgres.incidents.baselines import Baselines
from domain.incidents.thresholds import HOURS
from domain.incidents.windows import MODEL, ZONE, Group
from domain.policy.policy import IncidentPolicy
from tests.builders import a_key, a_spot
from tests.integration.parts import Spotclaim

# A Monday, at midnight.
NOW = datetime(2026, 3, 9, tzinfo=UTC)
WEEKS = 6
CODE = "POWER_FAILURE"
NEWSTREET = Group(CODE, ZONE, "newstreet")
# On the wall clock of Kolkata, which is five and a half hours ahead.
BUSY_HOUR = 9
_FAULTS = """
INSERT INTO faults (key, source, message_id, claim_id, spot_id, connector_id, code, taxonomy, raw_code, cleared,
    occurred_at, received_at, time_quality, zone, evidence)
SELECT gen_random_uuid(), 'test', 'm', %(claim)s::uuid, 'S' || n, 0, %(code)s, 'spotclaim', %(code)s, %(cleared)s,
    t, t, 'stated', %(zone)s, '[]'
FROM generate_series(1, %(spots)s) n, unnest(%(moments)s) t
"""
_SESSIONS = """
INSERT INTO usage_records (key, source, message_id, spot_id, session_id, connector_id, ended_at, samples, findings,
    recorded_at, received_at)
SELECT gen_random_uuid(), 'test', 'm', 'S1', 's', 0, t, '[]', '{}', t, t FROM unnest(%(moments)s) t
"""
_INCIDENTS = """
INSERT INTO incidents (id, code, kind, place, threshold, opened_at, first_seen_at, last_seen_at, touched_at,
    closed_at, status, claim_count, peak, told_peak, version, head)
SELECT gen_random_uuid(), %(code)s, 'zone', 'newstreet', 3, t, t, t + interval '50 minutes', t, t, 'closed', 1, 3,
    3, 1, ''
FROM unnest(%(moments)s) t
"""
_CLAIM = "00000000-0000-7000-8000-000000000001"


def execute(engine: Engine, sql: str, **parameters: Any) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(sql, parameters)


def raise_faults(engine: Engine, spots: int, moments: list[datetime], **changes: Any) -> None:
    """So many spots of the fleet show an error at each of these moments."""
    usual: dict[str, Any] = {"claim": None, "code": CODE, "cleared": False, "zone": None}
    execute(engine, _FAULTS, spots=spots, moments=moments, **(usual | changes))


def hours_before_now(weeks: float) -> list[datetime]:
    return [NOW - timedelta(hours=number, minutes=-30) for number in range(1, int(weeks * HOURS) + 1)]


def busy_hours() -> list[datetime]:
    """Twenty past nine on each day, in Kolkata."""
    return [
        NOW - timedelta(days=day) + timedelta(hours=BUSY_HOUR - 5.5, minutes=20) for day in range(1, WEEKS * 7)
    ]


@pytest.fixture
def fleet(spotclaim: Spotclaim) -> Engine:
    """Forty spots of one model in one zone of Kolkata, of which sessions reported something in every hour."""
    spotclaim.take_in(
        spots=[
            a_spot(
                key=a_key(number),
                spot_id=f"S{number}",
                zone="newstreet",
                time_zone="Asia/Kolkata",
                vendor="Corvid",
                model="C-150",
                firmware="7.6",
            )
            for number in range(1, 41)
        ]
    )
    execute(spotclaim.engine, _SESSIONS, moments=hours_before_now(WEEKS))
    return spotclaim.engine


def at(hour: int) -> datetime:
    """Half past this hour of a Tuesday, in Kolkata."""
    return NOW + timedelta(days=1, hours=hour - 5)


def baselines(engine: Engine, **changes: Any) -> Baselines:
    return Baselines(engine, IncidentPolicy(**changes))


def test_what_is_usual_at_an_hour_is_no_incident_then(fleet: Engine) -> None:
    """Six spots at nine every day: more are needed then than at night, in the zone and of the model alike."""
    raise_faults(fleet, 6, busy_hours())

    assert baselines(fleet).learn(NOW)

    thresholds = baselines(fleet).load()
    for group in (NEWSTREET, Group(CODE, MODEL, "Corvid C-150 7.6")):
        assert thresholds(group, at(BUSY_HOUR)) > 6
        assert thresholds(group, at(BUSY_HOUR + 12)) < thresholds(group, at(BUSY_HOUR)) / 2
    assert thresholds(Group("GROUND_FAILURE", ZONE, "newstreet"), at(BUSY_HOUR)) == 3


def test_a_spot_counts_once_in_a_window_and_a_clear_not_at_all(fleet: Engine) -> None:
    """One spot that goes on and on is one spot."""
    moments = [moment + timedelta(minutes=minute) for moment in busy_hours() for minute in range(10)]
    raise_faults(fleet, 1, moments)
    raise_faults(fleet, 20, busy_hours(), cleared=True)

    baselines(fleet).learn(NOW)

    assert baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR)) <= 7


@pytest.mark.parametrize(("minutes", "usual"), [(15, 2), (30, 4), (60, 8), (120, 8)])
def test_history_is_counted_in_windows_of_the_policy(fleet: Engine, minutes: int, usual: int) -> None:
    """Eight spots in an hour, two in each quarter, are as many as the window is long enough for."""
    for quarter in range(4):
        moments = [moment + timedelta(minutes=15 * (quarter - 1)) for moment in busy_hours()]
        execute(
            fleet,
            _FAULTS.replace("'S' || n", "'S' || n + %(first)s"),
            first=2 * quarter,
            spots=2,
            moments=moments,
            claim=None,
            code=CODE,
            cleared=False,
            zone=None,
        )

    baselines(fleet, window_minutes=minutes).learn(NOW)
    with fleet.connect() as connection:
        assert connection.exec_driver_sql("SELECT window_minutes FROM baselines").scalar_one() == minutes
    thresholds = baselines(fleet, window_minutes=minutes).load()
    threshold = thresholds(NEWSTREET, at(BUSY_HOUR))

    assert usual < threshold <= 3 * usual + 4
    # A window of two hours that ends an hour later holds the same spots.
    assert (thresholds(NEWSTREET, at(BUSY_HOUR + 1)) > max(usual, 3)) == (minutes == 120)


def test_incidents_teach_nothing(fleet: Engine) -> None:
    """Twenty spots every night, all of them incidents of the zone, are usual neither there nor of the model."""
    nights = [moment + timedelta(hours=12) for moment in busy_hours()]
    raise_faults(fleet, 20, nights, claim=_CLAIM)
    execute(fleet, _INCIDENTS, code=CODE, moments=nights)
    execute(fleet, "INSERT INTO incident_claims SELECT %(claim)s, id FROM incidents LIMIT 1", claim=_CLAIM)
    groups = (NEWSTREET, Group(CODE, MODEL, "Corvid C-150 7.6"))

    baselines(fleet).learn(NOW)
    spared = baselines(fleet).load()
    execute(fleet, "DELETE FROM incidents; DELETE FROM incident_claims")
    baselines(fleet).learn(NOW + timedelta(days=1))
    without = baselines(fleet).load()

    for group in groups:
        assert spared(group, at(BUSY_HOUR + 12)) == 3
        assert without(group, at(BUSY_HOUR + 12)) > 20


def test_windows_of_an_incident_are_unknown(fleet: Engine) -> None:
    """Not without errors, and not with as many as they had: half of the mornings were incidents."""
    moments = busy_hours()
    raise_faults(fleet, 6, moments)
    baselines(fleet).learn(NOW)
    before = baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR))
    raise_faults(fleet, 40, moments[::2])
    execute(fleet, _INCIDENTS, code=CODE, moments=moments[::2])

    baselines(fleet).learn(NOW + timedelta(days=1))

    assert abs(baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR)) - before) <= 1


def test_hours_without_any_data_are_unknown(fleet: Engine) -> None:
    """They are reported, and are no hours without errors: half of the nights were silent, and change nothing."""
    moments = busy_hours()
    raise_faults(fleet, 6, moments)
    baselines(fleet).learn(NOW)
    before = baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR))
    silent = [moment - timedelta(minutes=20) for moment in moments[::2]]
    for table, moment in (("usage_records", "ended_at"), ("faults", "occurred_at")):
        sql = f"DELETE FROM {table} WHERE date_trunc('hour', {moment}, 'UTC') = ANY(%(hours)s)"
        execute(fleet, sql, hours=[moment.replace(minute=0) for moment in silent])

    learnt = baselines(fleet).learn(NOW + timedelta(days=1))

    assert learnt is not None
    assert learnt == baselines(fleet).last()
    assert set(learnt.unknown_hours) == {moment.replace(minute=0) for moment in silent}
    assert abs(baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR)) - before) <= 1


def test_a_zone_that_falls_silent_while_others_go_on_is_unknown_meanwhile(fleet: Engine) -> None:
    """It is no zone without errors: on half of the days nothing came from it, and that changes nothing."""
    sessions = [moment for moment in hours_before_now(WEEKS) for _ in range(8)]
    execute(fleet, _SESSIONS, moments=sessions)
    execute(fleet, _SESSIONS.replace("'S1'", "'ELSEWHERE'"), moments=hours_before_now(WEEKS))
    moments = busy_hours()
    raise_faults(fleet, 6, moments)
    baselines(fleet).learn(NOW)
    before = baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR))
    days = [moment.replace(hour=0, minute=0) for moment in moments[::2]]
    for table, moment in (("usage_records", "ended_at"), ("faults", "occurred_at")):
        of_zone = f"DELETE FROM {table} WHERE spot_id <> 'ELSEWHERE'"
        execute(fleet, f"{of_zone} AND date_trunc('day', {moment}, 'UTC') = ANY(%(days)s)", days=days)

    learnt = baselines(fleet).learn(NOW + timedelta(days=1))

    assert learnt is not None
    assert learnt == baselines(fleet).last()
    assert learnt.unknown_hours == []
    silent = sorted(day + timedelta(hours=hour) for day in days for hour in range(24))
    assert learnt.silent == dict.fromkeys([(MODEL, "Corvid C-150 7.6"), (ZONE, "newstreet")], silent)
    assert abs(baselines(fleet).load()(NEWSTREET, at(BUSY_HOUR)) - before) <= 1


def test_a_place_without_history_takes_a_share_of_its_spots(spotclaim: Spotclaim) -> None:
    """Whether or not anything was ever learnt; a place that nobody knows has the fewest."""
    spotclaim.take_in(spots=[a_spot(key=a_key(n), spot_id=f"S{n}", zone="newstreet") for n in range(100)])

    before = baselines(spotclaim.engine, capacity_share=0.1).load()
    baselines(spotclaim.engine).learn(NOW)
    after = baselines(spotclaim.engine, capacity_share=0.1).load()

    assert before(NEWSTREET, NOW) == after(NEWSTREET, NOW) == 10
    assert before(Group(CODE, ZONE, "elsewhere"), NOW) == 3


def test_a_zone_that_only_faults_name_is_known_by_its_spots(fleet: Engine) -> None:
    """Spots that nobody registered count too."""
    raise_faults(fleet, 6, busy_hours(), zone="yard")

    baselines(fleet).learn(NOW)

    thresholds = baselines(fleet).load()
    assert thresholds.places[ZONE, "yard"].capacity == 6
    assert thresholds(Group(CODE, ZONE, "yard"), at(BUSY_HOUR)) > 6


def test_it_is_learnt_once_a_night_by_one_of_many(fleet: Engine) -> None:
    """Eight schedulers ask at once, and again within the day."""
    with ThreadPoolExecutor(8) as pool:
        learnt = [done for done in pool.map(lambda _: baselines(fleet).learn(NOW), range(8)) if done]

    assert len(learnt) == 1
    assert baselines(fleet).learn(NOW + timedelta(hours=23)) is None
    assert baselines(fleet).learn(NOW + timedelta(hours=24))
