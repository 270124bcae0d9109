"""The port `Feed`: the live feed over a real Redis and over the one in memory."""

import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest
import redis

from adapters.embedded.redis import redis_in_memory
from adapters.redis import feed as redis_feed
from adapters.redis.feed import STREAM, RedisFeed
from tests.builders import a_claim
from tests.servers.loopback import HOST, free_port
from tests.servers.waiting import PATIENCE_SECONDS


@pytest.fixture(params=["Redis", "in memory"])
def client(request: pytest.FixtureRequest) -> Iterator["redis.Redis"]:
    real = request.param == "Redis"
    made = redis_feed.connect(request.getfixturevalue("redis_url")) if real else redis_in_memory()
    yield made
    made.close()


class Listener:
    """Follows a feed from a thread of its own, as a console's stream does."""

    def __init__(self, feed: RedisFeed, wait_seconds: float) -> None:
        self.heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._quiet = threading.Semaphore(0)
        self._over = threading.Event()
        self._entries = feed.follow(wait_seconds)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def await_quiet(self) -> None:
        """Until it has waited once in vain, so is certainly listening."""
        assert self._quiet.acquire(timeout=PATIENCE_SECONDS)

    def _listen(self) -> None:
        for entry in self._entries:
            if entry is None:
                self._quiet.release()
            else:
                self.heard.put(entry)
            if self._over.is_set():
                return


def test_what_is_published_is_heard(client: "redis.Redis") -> None:
    """In order, with the claims it is about."""
    feed, claim = RedisFeed(client), a_claim()

    with Listener(feed, 0.2) as listener:
        listener.await_quiet()
        feed.publish("opened", [claim])
        feed.publish("decide", [claim])

        first, second = (listener.heard.get(timeout=PATIENCE_SECONDS) for _ in range(2))

    shown = {"id": claim.id, "spot_id": claim.spot_id, "code": claim.code, "status": "submitted"}
    assert first == {"kind": "opened", "count": 1, "claims": [shown]}
    assert second["kind"] == "decide"


def test_nothing_is_missed_between_two_waits(client: "redis.Redis") -> None:
    """However often a listener has waited in vain, it gets next what happened meanwhile."""
    feed = RedisFeed(client)
    entries = feed.follow(0.05)
    assert next(entries) is None  # listens from here on, and looks away now

    feed.publish("opened", [a_claim()])

    assert next(entry for entry in (next(entries) for _ in range(20)) if entry)["kind"] == "opened"


def test_a_silence_lasts_as_long_as_was_asked_for(client: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each of the waits that it consists of is shorter than the time-out of the connection."""
    began, waits, read = time.monotonic(), [], client.xread
    monkeypatch.setattr(client, "xread", lambda *args, **how: waits.append(how["block"]) or read(*args, **how))

    assert next(RedisFeed(client).follow(1.0)) is None

    assert time.monotonic() - began > 0.9
    assert 0 < max(waits) < 1000 * redis_feed._SOCKET_SECONDS


def test_earlier_entries_are_not_sent(client: "redis.Redis") -> None:
    """A listener hears what happens from now on."""
    feed = RedisFeed(client)
    feed.publish("opened", [a_claim()])

    assert next(feed.follow(0.05)) is None


def test_many_claims_are_one_entry_that_shows_some(client: "redis.Redis") -> None:
    """The count tells of the others."""
    feed = RedisFeed(client)

    with Listener(feed, 0.2) as listener:
        listener.await_quiet()
        feed.publish("opened", [a_claim() for _ in range(500)])

        entry = listener.heard.get(timeout=PATIENCE_SECONDS)

    assert (entry["count"], len(entry["claims"])) == (500, 20)


def test_no_claims_are_no_entry(client: "redis.Redis") -> None:
    """Nothing happened."""
    RedisFeed(client).publish("opened", [])

    assert client.xlen(STREAM) == 0


def test_the_feed_does_not_grow(client: "redis.Redis") -> None:
    """It is a window, not a record."""
    feed, claim = RedisFeed(client), a_claim()

    for _ in range(1500):
        feed.publish("opened", [claim])

    assert client.xlen(STREAM) < 1200


@pytest.fixture
def nowhere() -> Iterator[RedisFeed]:
    client = redis_feed.connect(f"redis://{HOST}:{free_port()}/0")
    yield RedisFeed(client)
    client.close()


def test_an_outage_raises_nothing_and_costs_no_time(nowhere: RedisFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first failure it rests."""
    nowhere.publish("opened", [a_claim()])
    tried: list[object] = []
    monkeypatch.setattr(redis.Redis, "xadd", lambda *args, **_: tried.append(args))

    for _ in range(1000):
        nowhere.publish("opened", [a_claim()])

    assert tried == []


def test_an_outage_is_silence_to_a_listener(nowhere: RedisFeed) -> None:
    """It goes on listening."""
    entries = nowhere.follow(0.05)

    assert [next(entries), next(entries)] == [None, None]


def test_an_outage_is_seen_by_who_asks(nowhere: RedisFeed) -> None:
    """The doctor asks."""
    with pytest.raises(redis.RedisError):
        nowhere.ping()


def test_an_answering_redis_is_well(client: "redis.Redis") -> None:
    """The doctor is content."""
    RedisFeed(client).ping()
