"""Bounded waits for what no event announces."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.05


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    """Wait up to `seconds`, and answer whether it happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
