"""Lets detection learn what is usual, beside everything else: it may take minutes, and nothing waits for it."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Final

from domain.backoff import Backoff
from workers.runtime.service import Service

# Whether there is anything to learn is asked this often; it is once a night.
_ASK_SECONDS: Final = 600.0


class BaselineService(Service):
    """Learns once a night: one of any number of processes does it."""

    name = "learning"
    retry = Backoff(timedelta(seconds=_ASK_SECONDS), timedelta(seconds=_ASK_SECONDS))

    def __init__(self, learn: Callable[[], object]) -> None:
        self._learn = learn

    def run_once(self) -> int:
        """Learns, if it is time. Returns 1 if it was; raises `TransientError`."""
        return int(self._learn() is not None)

    def rest(self, _done: int, stopping: Event) -> None:
        """Until it is to be asked again."""
        stopping.wait(_ASK_SECONDS)
