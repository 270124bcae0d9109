"""Bounded waits for what no event announces."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 90
"""How long tests wait for what must come. It is taken only when something is wrong, so it is long enough for a
machine that is busy with much else; a single test may take longer in all, see `timeout` in `pyproject.toml`."""


def wait_until(happened: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait up to `seconds`, and answer whether it happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
