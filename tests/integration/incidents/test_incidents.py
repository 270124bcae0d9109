"""One error on many spots: one incident, over a real database and a real Redis."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis

from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.claims.queries import Reports
from adapters.redis import feed as redis_feed
from adapters.redis.windows import RedisWindows
from domain.field.fault import Fault
from tests.builders import NOW, a_clear, a_fault, a_spot
from tests.integration.parts import HOUR, PATIENCE_SECONDS, Clock, Spotclaim
from workers.audit.verify import audit

MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    made = redis_feed.connect(redis_url)
    yield made
    made.close()


@pytest.fixture
def fleet(set_up: Callable[..., Spotclaim], client: "redis.Redis") -> Spotclaim:
    return set_up(windows=RedisWindows(client, HOUR), clock=Clock())


def faults(*spots: str, zone: str | None = "north", code: str = "POWER_FAILURE", ago: int = 0) -> list[Fault]:
    moment = NOW - ago * MINUTE
    return [a_fault(spot_id=spot, zone=zone, raw_code=code, occurred_at=moment) for spot in spots]


def incidents(spotclaim: Spotclaim) -> list[dict[str, Any]]:
    return spotclaim.rows(
        "SELECT *, id::text AS id, encode(head, 'hex') AS head FROM incidents ORDER BY opened_at, incidents.id"
    )


def linked(spotclaim: Spotclaim, incident: dict[str, Any]) -> list[str]:
    sql = (
        "SELECT c.spot_id FROM incident_claims l JOIN claims c ON c.id = l.claim_id"
        " WHERE l.incident_id = %s ORDER BY 1"
    )
    return [row["spot_id"] for row in spotclaim.rows(sql, incident["id"])]


def test_three_spots_of_a_zone_are_an_incident_and_two_are_none(fleet: Spotclaim) -> None:
    """With the claims under it; the same error elsewhere and another error there are none of it."""
    fleet.take_in(faults=[*faults("E1", "E2"), *faults("S1", zone="south"), *faults("E4", code="OVER_VOLTAGE")])
    fleet.carry_out()
    assert incidents(fleet) == []

    fleet.take_in(faults=faults("E3"))
    fleet.carry_out()

    [incident] = incidents(fleet)
    assert (incident["code"], incident["kind"], incident["place"]) == ("POWER_FAILURE", "zone", "north")
    assert (incident["status"], incident["peak"], incident["claim_count"]) == ("open", 3, 3)
    assert linked(fleet, incident) == ["E1", "E2", "E3"]
    assert Reports(fleet.engine).figures()["incidents_open"] == [(("POWER_FAILURE",), 1)]


def test_messages_are_not_spots(fleet: Spotclaim) -> None:
    """A station that repeats itself a hundred times is one spot."""
    for ago in range(50, 0, -1):
        fleet.take_in(faults=faults("E1", "E2", ago=ago))
    fleet.carry_out()

    assert incidents(fleet) == []


def test_spots_that_erred_more_than_an_hour_apart_are_no_incident(fleet: Spotclaim) -> None:
    """By the time of the events and in whatever order they come."""
    fleet.take_in(faults=[*faults("E1", ago=10), *faults("E2", ago=80), *faults("E3", ago=75)])
    fleet.carry_out()
    assert incidents(fleet) == []

    fleet.take_in(faults=faults("E4", ago=65))
    fleet.carry_out()

    assert [(row["peak"], row["last_seen_at"]) for row in incidents(fleet)] == [(3, NOW - 65 * MINUTE)]


def test_a_clock_that_runs_ahead_counts_as_now(fleet: Spotclaim) -> None:
    """It cannot push the others out of the window."""
    fleet.take_in(faults=[*faults("E1", ago=-300), *faults("E2", "E3", ago=50)])
    fleet.carry_out()

    [incident] = incidents(fleet)
    assert (incident["peak"], incident["last_seen_at"]) == (3, NOW)


def test_spots_without_a_zone_are_known_by_their_registration(fleet: Spotclaim) -> None:
    """OCPP names no zone. Spots of one model and firmware in many zones are an incident of the model."""
    spots = [
        a_spot(spot_id=f"E{number}", zone=f"z{number}", vendor="Acme", model="Post", firmware="1.2")
        for number in range(3)
    ]
    fleet.take_in(spots=spots)
    fleet.take_in(faults=faults("E0", "E1", "E2", zone=None))
    fleet.carry_out()

    [incident] = incidents(fleet)
    assert (incident["kind"], incident["place"]) == ("model", "Acme Post 1.2")


def test_a_zone_full_of_one_model_is_one_incident(fleet: Spotclaim) -> None:
    """And not one of the zone and one of the model."""
    fleet.take_in(spots=[a_spot(spot_id=f"E{number}", zone="north", model="Post") for number in range(5)])
    for number in range(5):
        fleet.take_in(faults=faults(f"E{number}"))
        fleet.carry_out()

    assert len(incidents(fleet)) == 1


def test_what_follows_is_linked_and_notified_at_twice_the_peak(fleet: Spotclaim) -> None:
    """Every later claim belongs to the incident, and people are notified of its growth at twice what they know."""
    fleet.take_in(faults=faults("E1", "E2", "E3"))
    fleet.carry_out()
    for number in range(4, 8):
        fleet.take_in(faults=faults(f"E{number}"))
        fleet.carry_out()

    [incident] = incidents(fleet)
    assert (incident["claim_count"], incident["peak"], incident["told_peak"]) == (7, 7, 6)
    assert [event.kind for event in fleet.events(incident["id"])] == [
        "incident.opened",
        "incident.announced",
        "incident.counted",
        "incident.counted",
        "incident.counted",
        "incident.grew",
        "incident.announced",
        "incident.counted",
    ]


def test_it_falls_quiet_and_closes(fleet: Spotclaim) -> None:
    """After an idle hour it is quiet, after another it is over; another outbreak in between takes it up again."""
    fleet.take_in(faults=faults("E1", "E2", "E3"))
    fleet.carry_out()
    states: list[tuple[int, str]] = []
    for minutes in (59, 60, 119, 120, 121, 180, 240, 400):
        fleet.clock.now = NOW + minutes * MINUTE
        fleet.run_now("incident")
        if minutes == 119:
            fleet.take_in(faults=faults("E4", "E5", "E6", ago=-119))
            fleet.carry_out()
        states.append((minutes, incidents(fleet)[0]["status"]))

    assert states == [
        (59, "open"),
        (60, "quiet"),
        (119, "open"),
        (120, "open"),
        (121, "open"),
        (180, "quiet"),
        (240, "closed"),
        (400, "closed"),
    ]
    assert incidents(fleet)[0]["closed_why"] == "quiet"
    assert fleet.rows("SELECT 1 FROM steps WHERE kind = 'incident'") == []


def test_what_is_usual_again_does_not_keep_it_open(fleet: Spotclaim) -> None:
    """A spot now and then is linked while the incident is there, which falls quiet and closes all the same."""
    fleet.take_in(faults=faults("E1", "E2", "E3"))
    fleet.carry_out()
    for number, minutes in enumerate((61, 90), 4):
        fleet.clock.now = NOW + minutes * MINUTE
        fleet.take_in(faults=faults(f"E{number}", ago=-minutes))
        fleet.carry_out()
        fleet.run_now("incident")
    fleet.clock.now = NOW + 120 * MINUTE
    fleet.run_now("incident")

    [incident] = incidents(fleet)
    assert (incident["status"], incident["closed_at"]) == ("closed", NOW + 120 * MINUTE)
    assert linked(fleet, incident) == ["E1", "E2", "E3", "E4", "E5"]
    assert findings(fleet) == []


@pytest.mark.parametrize("away_from", [50, 110])
def test_one_that_nobody_could_look_at_goes_on(fleet: Spotclaim, away_from: int) -> None:
    """Where everything stood still for hours, whether it was quiet by then or not: what was reported meanwhile is
    of the same incident, whichever of the steps comes first."""
    fleet.take_in(faults=faults("E1", "E2", "E3"))
    fleet.carry_out()
    if away_from > 60:
        fleet.clock.now = NOW + 60 * MINUTE
        fleet.run_now("incident")
    fleet.clock.now = NOW + away_from * MINUTE
    fleet.take_in(faults=faults("E4", "E5", "E6", ago=-away_from))
    fleet.clock.now = NOW + 300 * MINUTE

    fleet.run_now("incident")
    fleet.carry_out()

    [incident] = incidents(fleet)
    assert (incident["status"], incident["claim_count"]) == ("open", 6)

    for minutes in (361, 420):
        fleet.clock.now = NOW + minutes * MINUTE
        fleet.run_now("incident")
    assert [(row["status"], row["closed_why"]) for row in incidents(fleet)] == [("closed", "quiet")]


def test_none_lasts_for_ever(fleet: Spotclaim) -> None:
    """What goes on beyond the maximum age is closed, and another one is opened if it goes on."""
    fleet.take_in(faults=faults("E1", "E2", "E3"))
    fleet.carry_out()
    fleet.clock.now = NOW + timedelta(hours=72)
    fleet.take_in(faults=faults("E4", "E5", "E6", ago=-72 * 60))
    fleet.carry_out()
    fleet.run_now("incident")
    [old] = incidents(fleet)
    fleet.clock.now += MINUTE
    fleet.take_in(faults=faults("E7", ago=-72 * 60 - 1))
    fleet.carry_out()

    assert (old["closed_why"], [row["status"] for row in incidents(fleet)]) == ("age", ["closed", "open"])


def test_what_is_over_is_not_opened_again(fleet: Spotclaim) -> None:
    """A message of it that comes late finds it closed."""
    fleet.take_in(faults=faults("E1", "E2", "E3"))
    fleet.carry_out()
    fall_quiet_and_close(fleet)
    fleet.take_in(faults=faults("E4", ago=1))
    fleet.carry_out()

    assert [row["status"] for row in incidents(fleet)] == ["closed"]


@pytest.mark.parametrize("flushes", [1, 3])
def test_an_emptied_redis_loses_and_doubles_nothing(fleet: Spotclaim, client: "redis.Redis", flushes: int) -> None:
    """Before the threshold is reached, in the middle of a storm and after it."""
    for number in range(1, 9):
        if number in (2, 5, 8)[:flushes]:
            client.flushdb()
        fleet.take_in(faults=faults(f"E{number}"))
        fleet.carry_out()

    [incident] = incidents(fleet)
    assert (incident["claim_count"], incident["peak"]) == (8, 8)


def test_many_workers_open_one(set_up: Callable[..., Spotclaim], client: "redis.Redis") -> None:
    """However many notice it at once."""
    workers = [set_up(windows=RedisWindows(client, HOUR)) for _ in range(4)]
    workers[0].take_in(faults=faults("E1", "E2"))
    workers[0].carry_out()
    for number in range(3, 23):
        workers[0].take_in(faults=faults(f"E{number}"))
    ids = [row["id"] for row in workers[0].rows("SELECT id FROM steps WHERE kind = 'detect' ORDER BY id")]

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(workers[turn % 4].runner.run, "detect", [step]) for turn, step in enumerate(ids)]
        for work in done:
            work.result(timeout=PATIENCE_SECONDS)
    workers[0].carry_out()

    [incident] = incidents(workers[0])
    assert (incident["claim_count"], len(linked(workers[0], incident))) == (22, 22)


def test_its_history_is_audited_like_a_claims(fleet: Spotclaim) -> None:
    """The chain leads to the row, and a row that was changed by hand is found."""
    fleet.take_in(faults=[*faults("E1", "E2", "E3"), a_clear(spot_id="E1", raw_code="POWER_FAILURE")])
    fleet.carry_out()
    fall_quiet_and_close(fleet)
    assert findings(fleet) == []

    fleet.rows("UPDATE incidents SET peak = 2, closed_why = 'age'")

    assert [(found[0], "closed_why, peak" in found[1]) for found in findings(fleet)] == [("ROW_DIFFERS", True)]


def fall_quiet_and_close(fleet: Spotclaim) -> None:
    for minutes in (60, 120):
        fleet.clock.now = NOW + minutes * MINUTE
        fleet.run_now("incident")


def findings(spotclaim: Spotclaim) -> list[tuple[str, str]]:
    with open_snapshot(spotclaim.engine) as record:
        return [(found.what, found.sentence) for found in audit(record).findings]
