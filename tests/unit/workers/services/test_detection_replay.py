"""Detection over recorded faults, with the windows in memory."""

from datetime import timedelta
from itertools import count

from adapters.embedded.redis import redis_in_memory
from adapters.redis.windows import RedisWindows
from domain.incidents.incident import Incident
from domain.incidents.windows import Sighting
from domain.policy.policy import IncidentPolicy
from tests.builders import NOW
from workers.services.detection_replay import Replay, between

MINUTE = timedelta(minutes=1)


def seen(spot: str, minutes: float, code: str = "POWER_FAILURE", zone: str = "north") -> Sighting:
    return Sighting(code, spot, NOW + minutes * MINUTE, zone, claim_id=f"{spot} {code}")


def replay(*sightings: Sighting) -> list[Incident]:
    windows = RedisWindows(redis_in_memory(), timedelta(hours=1))
    ids = (str(number) for number in count())
    return Replay(windows, lambda *_: 3, IncidentPolicy(), ids.__next__).run(sightings)


def test_an_outbreak_is_opened_when_it_is_one_and_closed_when_it_is_over() -> None:
    """In whatever order the file has it; a message is not a spot, and an hour is an hour."""
    outbreak = [seen(f"E{number}", 2 * number) for number in range(6)]
    alone = [seen("S1", at, zone="south") for at in range(50)]

    [incident] = replay(*alone, *reversed(outbreak), seen("N1", 200))

    assert (incident.place, incident.peak, incident.claim_count) == ("north", 6, 6)
    assert (incident.first_seen_at, incident.last_seen_at) == (NOW, NOW + 10 * MINUTE)
    assert incident.opened_at == NOW + 5 * MINUTE
    assert (incident.closed_why, incident.closed_at) == ("quiet", NOW + (11 + 120) * MINUTE)


def test_what_comes_again_after_its_end_is_another_incident() -> None:
    """With the same spots."""
    first, second = ([seen(f"E{number}", begin + number) for number in range(4)] for begin in (0, 600))

    assert [incident.first_seen_at for incident in replay(*first, *second)] == [NOW, NOW + 600 * MINUTE]


def test_only_a_part_may_be_looked_at() -> None:
    """From a moment on and before another."""
    three = [seen(f"E{number}", number) for number in range(3)]

    assert list(between(three, NOW + MINUTE, NOW + 2 * MINUTE)) == three[1:2]
    assert replay(*between(three, NOW + MINUTE, None)) == []
