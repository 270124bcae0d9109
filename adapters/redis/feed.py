"""The live feed in Redis: a short stream of recent events, disposable by design."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import redis
import structlog

from domain.claims.claim import Claim
from domain.errors import SetupError

STREAM = "spotclaim:feed"
_LENGTH = 1000
_CLAIMS_SHOWN = 20
_SOCKET_SECONDS = 0.5
_PAUSE_SECONDS = 5.0
# Shorter than the socket's time-out, which would end a longer wait as a failure.
_LONGEST_BLOCK_SECONDS = 0.25

log = structlog.get_logger("feed")


def connect(url: str) -> "redis.Redis":
    """Creates a client with short time-outs. Raises `SetupError` for an invalid URL."""
    try:
        return redis.Redis.from_url(
            url, socket_timeout=_SOCKET_SECONDS, socket_connect_timeout=_SOCKET_SECONDS, health_check_interval=30
        )
    except ValueError as error:
        raise SetupError(f"SPOTCLAIM_REDIS_URL cannot be read: {error}") from None


class RedisFeed:
    """Implements `domain.ports.store.Feed`; pauses after a failure, so that an outage costs no time."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._paused_until = 0.0

    def publish(self, kind: str, claims: Sequence[Claim]) -> None:
        if not claims or time.monotonic() < self._paused_until:
            return
        shown = [
            {"id": claim.id, "spot_id": claim.spot_id, "code": claim.code, "status": claim.status}
            for claim in claims[:_CLAIMS_SHOWN]
        ]
        entry = orjson.dumps({"kind": kind, "count": len(claims), "claims": shown})
        try:
            self._client.xadd(STREAM, {"entry": entry}, maxlen=_LENGTH, approximate=True)
        except redis.RedisError as error:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            log.warning("live feed paused", error=str(error), seconds=_PAUSE_SECONDS)

    def ping(self) -> None:
        """Checks that Redis answers. Raises `redis.RedisError` when it does not."""
        self._client.ping()

    def follow(self, wait_seconds: float) -> Iterator[dict[str, Any] | None]:
        """Yields entries from now on, and None after `wait_seconds` without one.

        None as well while Redis is away.
        """
        last: Any = None
        while True:
            entries: list[Any] = []
            deadline = time.monotonic() + wait_seconds
            while not entries and (remaining := deadline - time.monotonic()) > 0:
                try:
                    last = last or self._latest()
                    entries = self._read_after(last, min(remaining, _LONGEST_BLOCK_SECONDS))
                except redis.RedisError:
                    time.sleep(min(remaining, _LONGEST_BLOCK_SECONDS))
            if not entries:
                yield None
                continue
            last = entries[-1][0]
            yield from (orjson.loads(fields[b"entry"]) for _, fields in entries)

    def _latest(self) -> Any:
        newest: Any = self._client.xrevrange(STREAM, count=1)
        return newest[0][0] if newest else "0-0"

    def _read_after(self, last: Any, seconds: float) -> list[Any]:
        """Reads entries after that one, waiting for at most `seconds`."""
        answer: Any = self._client.xread({STREAM: last}, count=100, block=max(1, int(seconds * 1000)))
        return list(answer[0][1]) if answer else []
