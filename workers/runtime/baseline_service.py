"""Lets detection learn what is usual, beside everything else: it may take minutes, and nothing waits for it."""

from collections.abc import Callable
from threading import Event
from typing import Final

import structlog

from domain.errors import TransientError

log = structlog.get_logger("learning")

# Whether there is anything to learn is asked this often; it is once a night.
_ASK_SECONDS: Final = 600.0


class Learning:
    """Learns once a night. Any number may run: one of them does it."""

    def __init__(self, learn: Callable[[], object]) -> None:
        self._learn = learn

    def run(self, stopping: Event) -> None:
        """Until told to stop; what could not be learnt is tried again later."""
        while not stopping.is_set():
            try:
                self._learn()
            except TransientError as error:
                log.warning("nothing learnt", error=str(error), retry_in=_ASK_SECONDS)
            stopping.wait(_ASK_SECONDS)
