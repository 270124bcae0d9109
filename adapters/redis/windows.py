"""Detection windows in Redis: one sorted set per series, its spots scored by last sighting."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import redis

from domain.errors import TransientError
from domain.incidents.windows import Group, NewestBySpot, Window

_PREFIX: Final = "spotclaim:window:"
# Present while Redis has lost nothing since the windows were filled.
_FILLED: Final = "spotclaim:windows-filled"
# Sightings older than this many windows before the newest of their group are dropped.
_WINDOWS_KEPT = 3
# Bounds for Lua's `unpack` and for the time of one call.
_PAIRS_AT_ONCE = 500
_GROUPS_AT_ONCE = 1000

# KEYS: the mark that the windows are filled, then the groups. ARGV: whether the mark is demanded, the window and
# how long a spot is kept, in milliseconds; then for each group the number of its arguments, and its moments and
# spots in turn. A spot's newest moment counts, in whatever order they arrive. A late sighting is counted in the
# fullest window that contains it, any other in the window that ends with the newest of its group.
_SEE: Final = """
if ARGV[1] == '1' and redis.call('EXISTS', KEYS[1]) == 0 then return false end
local place, found, window, kept = 4, {}, tonumber(ARGV[2]), tonumber(ARGV[3])
local function exactly(moment) return string.format('%.0f', moment) end
local function fullest(key, from, upto)
    local seen = redis.call('ZRANGEBYSCORE', key, exactly(from - window), exactly(upto), 'WITHSCORES')
    local first, best = 2, {0, '0', '0'}
    for last = 2, #seen, 2 do
        while seen[last] - seen[first] > window do first = first + 2 end
        local count = (last - first) / 2 + 1
        if tonumber(seen[last]) >= from and count >= best[1] then best = {count, seen[first], seen[last]} end
    end
    return best
end
for i = 2, #KEYS do
    local key, count, newest = KEYS[i], tonumber(ARGV[place]), 0
    redis.call('ZADD', key, 'GT', unpack(ARGV, place + 1, place + count))
    for moment = place + 1, place + count, 2 do newest = math.max(newest, ARGV[moment]) end
    place = place + count + 1
    local last = tonumber(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. exactly(last - kept))
    redis.call('PEXPIRE', key, exactly(kept))
    if newest < last then
        found[i - 1] = fullest(key, newest, math.min(newest + window, last))
    else
        local since = exactly(last - window)
        local oldest = redis.call('ZRANGEBYSCORE', key, since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
        local first = oldest[2]
        found[i - 1] = {redis.call('ZCOUNT', key, first, '+inf'), first, exactly(last)}
    end
end
return found
"""


class RedisWindows:
    """Implements `domain.incidents.windows.Windows`; `namespace` isolates independent sets."""

    def __init__(self, client: "redis.Redis", window: timedelta, namespace: str = "") -> None:
        self._client = client
        self._milliseconds = int(window / timedelta(milliseconds=1))
        self._namespace = namespace
        self._see = client.register_script(_SEE)

    def see(self, groups: Mapping[Group, NewestBySpot]) -> dict[Group, Window] | None:
        return self._merge(groups, demand_filled=True)

    def fill(self, groups: Mapping[Group, NewestBySpot]) -> None:
        self._merge(groups, demand_filled=False)
        try:
            self._client.set(self._key(_FILLED), 1)
        except redis.RedisError as error:
            raise TransientError(f"Redis: {error}") from error

    def spots(self, group: Group, window: Window) -> list[str]:
        try:
            members: Any = self._client.zrangebyscore(self._of(group), _score(window.first), _score(window.last))
        except redis.RedisError as error:
            raise TransientError(f"Redis: {error}") from error
        return sorted(member.decode() for member in members)

    def _merge(self, groups: Mapping[Group, NewestBySpot], *, demand_filled: bool) -> dict[Group, Window] | None:
        found: dict[Group, Window] = {}
        for part in _portions(groups):
            keys = [self._key(_FILLED), *(self._of(group) for group, _ in part)]
            arguments: list[Any] = [int(demand_filled), self._milliseconds, _WINDOWS_KEPT * self._milliseconds]
            for _, spots in part:
                arguments.append(2 * len(spots))
                for spot, at in spots:
                    arguments += [_score(at), spot]
            try:
                answer: Any = self._see(keys, arguments)
            except redis.RedisError as error:
                raise TransientError(f"Redis: {error}") from error
            if answer is None:
                return None
            found |= {group: _window(*row) for (group, _), row in zip(part, answer, strict=True)}
        return found

    def _key(self, name: str) -> str:
        return f"{name}:{self._namespace}" if self._namespace else name

    def _of(self, group: Group) -> str:
        # The length keeps a code that contains the separator unambiguous.
        return self._key(f"{_PREFIX}{group.kind}:{len(group.code)}:{group.code}:{group.place}")


_Portion = list[tuple[Group, list[tuple[str, datetime]]]]


def _portions(groups: Mapping[Group, NewestBySpot]) -> Iterator[_Portion]:
    """Splits groups into calls, each bounded in groups and in spots per group."""
    portion: _Portion = []
    for group, spots in groups.items():
        pairs = list(spots.items())
        for begin in range(0, len(pairs), _PAIRS_AT_ONCE):
            portion.append((group, pairs[begin : begin + _PAIRS_AT_ONCE]))
            if len(portion) == _GROUPS_AT_ONCE:
                yield portion
                portion = []
    if portion:
        yield portion


def _window(spots: int, first: bytes, last: bytes) -> Window:
    return Window(spots, _moment(first), _moment(last))


def _score(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: bytes) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
