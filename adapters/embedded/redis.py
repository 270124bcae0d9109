"""Redis in memory."""

import fakeredis


def redis_in_memory() -> fakeredis.FakeRedis:
    """A Redis that lives and dies with this process."""
    return fakeredis.FakeRedis()
