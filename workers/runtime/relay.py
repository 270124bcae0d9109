"""Sends pending steps to the broker: woken by the database, polling only as a safety net."""

from collections.abc import Sequence
from threading import Event

from adapters.postgres.steps.queue import DueStep, StepQueue, StepSignal
from domain.errors import TransientError
from workers.runtime.actors import SendSteps
from workers.runtime.service import Service
from workers.steps.registry import STEPS

# So many steps are on their way at most: enough to keep every worker busy, few enough to be done before their
# lease ends and they are sent again.
IN_FLIGHT = 256
# Steps that are carried out one by one travel together only when so many messages of them are under way at least.
_MESSAGES_AT_LEAST = 16
_FULL_PAUSE_SECONDS = 0.02
# Steps that come one by one are gathered for a moment: a message each would cost more than what they ask for.
_GATHER_SECONDS = 0.05


class Relay(Service):
    """Leases due steps, packs steps of one kind into one message, and sends them."""

    name = "relay"

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

    def rest(self, sent: int, stopping: Event) -> None:
        """Until the database says that there is more, or there is room for it."""
        full = sent >= IN_FLIGHT or (sent == 0 and self._queue.leased() >= IN_FLIGHT)
        self._signal.wait(_FULL_PAUSE_SECONDS if full else self._poll_seconds)
        stopping.wait(_GATHER_SECONDS)

    def run(self, stopping: Event) -> None:
        """Runs until stopped; then nobody listens to the database any more."""
        try:
            super().run(stopping)
        finally:
            self._signal.close()


def pack(due: Sequence[DueStep], under_way: int = 0) -> list[tuple[str, list[int]]]:
    """Packs steps of one kind into messages, until they name as many subjects as that kind may carry.

    Some kinds, deliveries, travel together only with the same value of a field, their destination, so that a slow
    one delays only itself. Of those that are carried out one by one, only as many as leave every worker some. A
    step that failed before goes alone, or it would take its companions down again.
    """
    messages: list[tuple[str, list[int]]] = []
    open_messages: dict[tuple[str, str | None], tuple[list[int], int]] = {}
    some = max((under_way + len(due)) // _MESSAGES_AT_LEAST, 1)
    for step in due:
        if step.attempts:
            messages.append((step.kind, [step.id]))
            continue
        kind = STEPS[step.kind]
        most = kind.subjects_per_message if kind.divisible else min(some, kind.subjects_per_message)
        apart = step.payload.get(kind.apart_by) if kind.apart_by else None
        ids, filled = open_messages.get((step.kind, apart), ([], 0))
        if not ids or filled + step.size > most:
            ids, filled = [], 0
            messages.append((step.kind, ids))
        ids.append(step.id)
        open_messages[step.kind, apart] = (ids, filled + step.size)
    return messages
