"""Caches the thresholds of detection."""

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from domain.incidents.thresholds import Thresholds
from domain.incidents.windows import Group

_KEPT_SECONDS: Final = 300.0


class CachedThresholds:
    """Implements `domain.incidents.windows.Threshold` from the last baseline.

    A new one is in force within five minutes.
    """

    def __init__(self, load: Callable[[], Thresholds], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._monotonic = monotonic
        self._present = Thresholds()
        self._stale_at = -math.inf

    def __call__(self, group: Group, at: datetime) -> int:
        """Looks the threshold up. Raises `TransientError` when a reload is due and fails."""
        if self._monotonic() >= self._stale_at:
            self._present = self._load()
            self._stale_at = self._monotonic() + _KEPT_SECONDS
        return self._present(group, at)
