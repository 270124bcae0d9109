"""What `doctor` says of detection: since when it knows what is usual, and of what it knows nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import a_key, a_spot
from tests.integration.parts import Clock, Everyone, Spotclaim
from workers.bootstrap.app import App, build
from workers.health.doctor import examine
from workers.settings import load_settings

# A Monday, at midnight.
NOW = datetime(2026, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = ("north", "south", "east", "west", "harbour")
# Thirty sessions of one spot of each zone in each of these hours.
_SESSIONS = """
INSERT INTO usage_records (key, source, message_id, spot_id, session_id, connector_id, ended_at, samples, findings,
    recorded_at, received_at)
SELECT gen_random_uuid(), 'test', 'm', spot, 's', 0, t, '[]', '{}', t, t
FROM unnest(%s) AS spot, generate_series(%s, %s, interval '2 minutes') t
"""


@pytest.fixture
def app(emptied_database_url: str) -> Iterator[App]:
    with ExitStack() as stack:
        settings = load_settings(database_url=emptied_database_url)
        yield build(settings, stack, clock=Clock(NOW), notifier=Everyone())


@pytest.fixture
def spotclaim(app: App) -> Spotclaim:
    """Four weeks of five busy zones."""
    made = Spotclaim(app.foundation.engine)
    made.take_in(spots=[a_spot(key=a_key(zone), spot_id=zone, zone=zone) for zone in ZONES])
    made.rows(_SESSIONS, list(ZONES), NOW - timedelta(weeks=4), NOW - timedelta(minutes=2))
    return made


def go_silent(spotclaim: Spotclaim, begin: datetime, end: datetime, *zones: str) -> None:
    sql = "DELETE FROM usage_records WHERE ended_at >= %s AND ended_at < %s AND spot_id = ANY(%s)"
    spotclaim.rows(sql, begin, end, list(zones))


def detection(app: App) -> str:
    [found] = [finding for finding in examine(app) if finding.what == "detection"]
    assert found.well
    return found.detail


def test_before_anything_is_learnt_that_is_said(app: App) -> None:
    """And what goes instead."""
    assert detection(app) == "nothing is learnt yet; a share of each place's spots is an incident"


def test_what_is_known_since_when(app: App, spotclaim: Spotclaim) -> None:
    """With nothing missing."""
    app.queries.baselines.learn(NOW)

    assert detection(app) == "learnt 2026-03-09 from the time since 2026-02-09; every hour had data"


def test_hours_without_any_data_are_reported(app: App, spotclaim: Spotclaim) -> None:
    """They are no fault of the installation."""
    go_silent(spotclaim, NOW - 50 * HOUR, NOW - 48 * HOUR, *ZONES)
    app.queries.baselines.learn(NOW)

    assert detection(app).endswith("; 2 hours (the last 2026-03-06 23:00 UTC) had no data and taught nothing")


def test_zones_that_fell_silent_are_reported(app: App, spotclaim: Spotclaim) -> None:
    """Those that did for longest by name."""
    for number, zone in enumerate(ZONES[:4], 1):
        go_silent(spotclaim, NOW - 30 * HOUR, NOW - (30 - number) * HOUR, zone)
    app.queries.baselines.learn(NOW)

    _, *silent = detection(app).split("; ")
    assert silent == [
        "zone west was silent while others went on, and 4 hours (the last 2026-03-07 21:00 UTC) taught nothing",
        "zone east was silent while others went on, and 3 hours (the last 2026-03-07 20:00 UTC) taught nothing",
        "zone south was silent while others went on, and 2 hours (the last 2026-03-07 19:00 UTC) taught nothing",
        "so was 1 more place",
    ]
