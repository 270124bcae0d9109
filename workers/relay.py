"""Sends owed steps to the broker: woken by the database, polling only as a safety net."""

from collections.abc import Sequence
from threading import Event

import structlog

from adapters.postgres.steps import DueStep, StepQueue, StepSignal
from domain.errors import TransientError
from workers.actors import CLAIMS_PER_MESSAGE, SendSteps

log = structlog.get_logger("relay")

# So many steps are on their way at most: enough to keep every worker busy, few enough to be done before their
# lease ends and they are sent again.
IN_FLIGHT = 256
_FULL_PAUSE_SECONDS = 0.02
# Steps that come one by one are gathered for a moment: a message each would cost more than what they ask for.
_GATHER_SECONDS = 0.05
_RETRY_SECONDS = 1.0


class Relay:
    """Leases due steps, packs steps of one kind into one message, and sends them."""

    def __init__(self, queue: StepQueue, signal: StepSignal, send: SendSteps, poll_seconds: float) -> None:
        self._queue = queue
        self._signal = signal
        self._send = send
        self._poll_seconds = poll_seconds

    def run_once(self) -> int:
        """Sends what is due and has room. Returns how many steps; raises `TransientError`."""
        room = IN_FLIGHT - self._queue.leased()
        due = self._queue.lease(room) if room > 0 else []
        try:
            for kind, ids in pack(due):
                self._send(kind, ids)
        except TransientError:
            self._queue.release([step.id for step in due])
            raise
        return len(due)

    def run(self, stopping: Event) -> None:
        """Sends until told to stop; outages are waited out."""
        while not stopping.is_set():
            try:
                sent = self.run_once()
                full = sent >= IN_FLIGHT or (sent == 0 and self._queue.leased() >= IN_FLIGHT)
                self._signal.wait(_FULL_PAUSE_SECONDS if full else self._poll_seconds)
                stopping.wait(_GATHER_SECONDS)
            except TransientError as error:
                log.warning("relay waits", error=str(error), retry_in=_RETRY_SECONDS)
                stopping.wait(_RETRY_SECONDS)
        self._signal.close()


def pack(due: Sequence[DueStep]) -> list[tuple[str, list[int]]]:
    """Messages: steps of one kind travel together until they name as many claims as that kind may carry.

    A step that failed before goes alone, or it would take its companions down again.
    """
    messages: list[tuple[str, list[int]]] = []
    open_messages: dict[str, tuple[list[int], int]] = {}
    for step in due:
        if step.attempts:
            messages.append((step.kind, [step.id]))
            continue
        ids, claims = open_messages.get(step.kind, ([], 0))
        if not ids or claims + step.size > CLAIMS_PER_MESSAGE[step.kind]:
            ids, claims = [], 0
            messages.append((step.kind, ids))
        ids.append(step.id)
        open_messages[step.kind] = (ids, claims + step.size)
    return messages
