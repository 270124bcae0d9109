"""Builds what lies in Redis: the live feed, and the windows of detection."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import redis

from adapters.prometheus import Metrics
from adapters.redis import feed as redis_feed
from adapters.redis.windows import RedisWindows
from domain.audit.event import WHOLE
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.policy.policy import IncidentPolicy
from workers.bootstrap.foundation import Foundation
from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Live:
    """All of it is disposable: what Redis loses, the database still has."""

    metrics: Metrics
    feed: redis_feed.RedisFeed
    windows: RedisWindows

    def committed(self, kind: str, changes: Changes) -> None:
        """Counts what a transaction changed, and publishes it on the feed."""
        self.metrics.committed(changes)
        self.feed.publish(kind, changes.of(Claim, WHOLE))


def build(base: Foundation, metrics: Metrics, stack: ExitStack) -> Live:
    """Builds the part. Raises `SetupError` for an address of Redis that cannot be one; connects to nothing yet."""
    client = _client(base.settings)
    stack.callback(client.close)
    return Live(
        metrics=metrics,
        feed=redis_feed.RedisFeed(client),
        windows=_windows(client, base.policy.incidents),
    )


def windows_in_memory(policy: IncidentPolicy) -> RedisWindows:
    """Windows of detection that nobody else sees."""
    return _windows(_in_memory(), policy)


def _windows(client: redis.Redis, policy: IncidentPolicy) -> RedisWindows:
    return RedisWindows(client, timedelta(minutes=policy.window_minutes))


def _client(settings: Settings) -> redis.Redis:
    if settings.redis_url:
        return redis_feed.connect(settings.redis_url.get_secret_value())
    return _in_memory()


def _in_memory() -> redis.Redis:
    # It takes a while to import, which processes on real servers need not wait for.
    from adapters.embedded.redis import redis_in_memory

    return redis_in_memory()
