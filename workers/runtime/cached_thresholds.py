"""The thresholds of detection as they are in force, looked up again now and then."""

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from domain.incidents.thresholds import Thresholds
from domain.incidents.windows import Group

_KEPT_SECONDS: Final = 300.0


class PresentThresholds:
    """Implements `domain.incidents.windows.Threshold`. What was learnt last is in force within five minutes."""

    def __init__(self, load: Callable[[], Thresholds], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._monotonic = monotonic
        self._present = Thresholds()
        self._stale_at = -math.inf

    def __call__(self, group: Group, at: datetime) -> int:
        """Raises `TransientError` when it is time to look them up and they cannot be."""
        if self._monotonic() >= self._stale_at:
            self._present = self._load()
            self._stale_at = self._monotonic() + _KEPT_SECONDS
        return self._present(group, at)
