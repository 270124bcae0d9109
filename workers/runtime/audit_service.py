"""What happens by the clock: the log of audit events grows and is signed."""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event

import structlog

from domain.errors import LogBroken, WrongKey
from workers.audit.sequencer import Sequencer
from workers.audit.signing import Checkpoints
from workers.runtime.service import Service

log = structlog.get_logger("scheduler")


class AuditService(Service):
    """Runs the sequencer, and makes a checkpoint when it is time and something is new."""

    name = "scheduler"

    def __init__(
        self,
        sequencer: Sequencer,
        checkpoints: Checkpoints,
        *,
        checkpoint_every: timedelta,
        poll_seconds: float,
        on_broken: Callable[[str], None],
        on_key: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._sequencer = sequencer
        self._checkpoints = checkpoints
        self._checkpoint_every = checkpoint_every
        self._poll_seconds = poll_seconds
        self._on_broken = on_broken
        self._on_key = on_key
        self._next_checkpoint = -math.inf

    def run_once(self) -> int:
        """Places everything that waits, then makes a checkpoint if it is time. Returns how many events got a
        position; raises `TransientError`."""
        placed = 0
        while events := self._sequencer.run_once().events:
            placed += events
        if time.monotonic() >= self._next_checkpoint:
            self._checkpoint()
            self._next_checkpoint = time.monotonic() + self._checkpoint_every.total_seconds()
        return placed

    def rest(self, _done: int, stopping: Event) -> None:
        """Until it is time to look again."""
        stopping.wait(self._poll_seconds)

    def _checkpoint(self) -> None:
        try:
            self._checkpoints.run_once(self._checkpoint_every)
            self._on_key(True)
        except WrongKey as error:
            log.error("no checkpoint: the signing key is gone or another", error=str(error))
            self._on_key(False)
        except LogBroken as error:
            log.error("no checkpoint: the record was altered", error=str(error), look="spotclaim audit verify")
            self._on_broken("the log itself")
