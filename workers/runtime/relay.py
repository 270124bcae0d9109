"""Sends owed steps to the broker: woken by the database, polling only as a safety net."""

from collections.abc import Sequence
from threading import Event

import structlog

from adapters.postgres.steps.queue import DueStep, StepQueue, StepSignal
from domain.errors import TransientError
from workers.runtime.actors import CLAIMS_PER_MESSAGE, SendSteps

log = structlog.get_logger("relay")

# So many steps are on their way at most: enough to keep every worker busy, few enough to be done before their
# lease ends and they are sent again.
IN_FLIGHT = 256
# Deliveries that are under way at once are so many messages at least, before they travel together.
_MESSAGES_AT_LEAST = 16
_DELIVERIES_AT_MOST = 8
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
        under_way = self._queue.leased()
        room = IN_FLIGHT - under_way
        due = self._queue.lease(room) if room > 0 else []
        try:
            for kind, ids in pack(due, under_way):
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


def pack(due: Sequence[DueStep], under_way: int = 0) -> list[tuple[str, list[int]]]:
    """Messages: steps of one kind travel together until they name as many claims as that kind may carry.

    Deliveries do only to one destination, so that a slow one delays only itself, and only as many as leave every
    worker some. A step that failed before goes alone, or it would take its companions down again.
    """
    messages: list[tuple[str, list[int]]] = []
    open_messages: dict[tuple[str, str | None], tuple[list[int], int]] = {}
    deliveries = min(max((under_way + len(due)) // _MESSAGES_AT_LEAST, 1), _DELIVERIES_AT_MOST)
    for step in due:
        if step.attempts:
            messages.append((step.kind, [step.id]))
            continue
        size, most = (1, deliveries) if step.kind == "deliver" else (step.size, CLAIMS_PER_MESSAGE[step.kind])
        ids, filled = open_messages.get((step.kind, step.destination), ([], 0))
        if not ids or filled + size > most:
            ids, filled = [], 0
            messages.append((step.kind, ids))
        ids.append(step.id)
        open_messages[step.kind, step.destination] = (ids, filled + size)
    return messages
