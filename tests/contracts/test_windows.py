"""The windows of detection, over a real Redis and over the one in memory."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest
import redis

from adapters.embedded.redis import redis_in_memory
from adapters.redis import feed
from adapters.redis.windows import RedisWindows
from domain.errors import TransientError
from domain.incidents.windows import Group, Window
from tests.builders import NOW
from tests.servers.loopback import HOST, free_port

NORTH = Group("POWER_FAILURE", "zone", "north")
SOUTH = Group("POWER_FAILURE", "zone", "south")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["Redis", "in memory"])
def client(request: pytest.FixtureRequest) -> Iterator["redis.Redis"]:
    real = request.param == "Redis"
    made = feed.connect(request.getfixturevalue("redis_url")) if real else redis_in_memory()
    yield made
    made.close()


@pytest.fixture
def windows(client: "redis.Redis") -> RedisWindows:
    made = RedisWindows(client, HOUR, namespace=uuid4().hex)
    made.fill({})
    return made


def test_a_spot_counts_once_with_its_newest_moment(windows: RedisWindows) -> None:
    """However often it shows its error."""
    for minutes in (0, 5, 3):
        windows.see({NORTH: {"E1": NOW + minutes * MINUTE, "E2": NOW}})

    seen = windows.see({NORTH: {"E3": NOW + MINUTE}})

    assert seen == {NORTH: Window(3, NOW, NOW + 5 * MINUTE)}
    assert windows.spots(NORTH, seen[NORTH]) == ["E1", "E2", "E3"]


def test_whatever_the_order_the_fullest_window_is_found(windows: RedisWindows) -> None:
    """Late, early, twice: an hour holds what is an hour before its end, to the moment."""
    moments = {"E1": NOW - 61 * MINUTE, "E2": NOW - 60 * MINUTE, "E3": NOW - MINUTE, "E4": NOW}
    for number, order in enumerate(permutations(moments)):
        group = Group("POWER_FAILURE", "zone", f"place {number}")
        seen = [windows.see({group: {spot: moments[spot]}}) for spot in (*order, order[0])]

        fullest = max((found[group] for found in seen if found), key=lambda window: window.spots)
        assert fullest.spots == 3
        assert len(windows.spots(group, fullest)) == 3


def test_what_comes_late_is_judged_by_its_own_time(windows: RedisWindows) -> None:
    """A later event of the place does not hide that many spots erred at once before it."""
    windows.see({NORTH: {"E9": NOW, "E1": NOW - 90 * MINUTE, "E2": NOW - 80 * MINUTE}})

    seen = windows.see({NORTH: {"E3": NOW - 85 * MINUTE}})

    assert seen == {NORTH: Window(3, NOW - 90 * MINUTE, NOW - 80 * MINUTE)}
    assert windows.spots(NORTH, seen[NORTH]) == ["E1", "E2", "E3"]


def test_what_is_long_past_is_forgotten(windows: RedisWindows) -> None:
    """Three windows after."""
    windows.see({NORTH: {"E1": NOW - 4 * HOUR, "E2": NOW - 4 * HOUR}})
    windows.see({NORTH: {"E3": NOW}})

    seen = windows.see({NORTH: {"E4": NOW - 4 * HOUR}})

    assert seen is not None
    assert seen[NORTH].spots == 0


def test_groups_have_nothing_to_do_with_each_other(windows: RedisWindows) -> None:
    """A place that was cut off for hours is judged by its own time."""
    late = NOW - 5 * HOUR

    seen = windows.see({NORTH: {"E1": NOW}, SOUTH: {"E1": late, "E2": late}})

    assert seen == {NORTH: Window(1, NOW, NOW), SOUTH: Window(2, late, late)}
    assert windows.see({}) == {}


def test_storms_of_any_size_are_counted(windows: RedisWindows) -> None:
    """More spots, and more groups, than one call may carry."""
    many = {f"E{number}": NOW for number in range(2_000)}
    groups = {Group("POWER_FAILURE", "zone", f"z{number}"): {"E1": NOW} for number in range(1_500)}

    seen = windows.see({NORTH: many} | groups)

    assert seen is not None
    assert (len(seen), seen[NORTH].spots, {seen[group].spots for group in groups}) == (1_501, 2_000, {1})


def test_what_was_emptied_says_so_until_it_is_filled_again(client: "redis.Redis", windows: RedisWindows) -> None:
    """And nothing is counted by halves meanwhile."""
    windows.see({NORTH: {"E1": NOW}})
    client.flushdb()

    assert windows.see({NORTH: {"E2": NOW}}) is None
    windows.fill({NORTH: {"E1": NOW, "E2": NOW}})

    assert windows.see({NORTH: {"E3": NOW}}) == {NORTH: Window(3, NOW, NOW)}


def test_names_that_hold_separators_are_kept_apart(windows: RedisWindows) -> None:
    """Places are named by others."""
    one, other = Group("A:1", "zone", "b"), Group("A", "zone", "1:b")

    seen = windows.see({one: {"E1": NOW, "E2": NOW}, other: {"E3": NOW}})

    assert seen is not None
    assert (seen[one].spots, seen[other].spots) == (2, 1)


def test_a_server_that_is_away_is_said_so() -> None:
    """The step stays pending and is done later."""
    away = RedisWindows(feed.connect(f"redis://{HOST}:{free_port()}/0"), HOUR)

    for call in (
        lambda: away.see({NORTH: {"E1": NOW}}),
        lambda: away.fill({}),
        lambda: away.spots(NORTH, Window(1, NOW, NOW)),
    ):
        with pytest.raises(TransientError, match="Redis"):
            call()
