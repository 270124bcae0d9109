"""Carries out owed steps, so that one claim that fails never holds up the others."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from domain.changes import Decision, Step
from domain.errors import TransientError
from domain.ports.store import Clock, Store, Transaction

StepHandler = Callable[[Transaction, Sequence[Step]], Decision]
OnCommit = Callable[[str, Decision], None]

_FIRST_RETRY = timedelta(seconds=5)
_LONGEST_RETRY = timedelta(hours=1)

# A delivery is one message, whatever the number of claims that it speaks of. What came of it goes on record before
# the next is sent.
_INDIVISIBLE = ("deliver",)

log = structlog.get_logger("steps")


class StepRunner:
    """Runs the handler of a kind of step over whatever of the steps is still owed.

    The rows go in the transaction that records the result; a step that is gone or held by someone else is left
    alone, so lost, repeated and reordered messages change nothing.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, StepHandler],
        clock: Clock,
        on_commit: OnCommit,
        on_done: Callable[[Sequence[Step]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._clock = clock
        self._on_commit = on_commit
        self._on_done = on_done

    def run(self, kind: str, ids: Sequence[int]) -> None:
        """Does the steps. Raises nothing: what could not be done now stays owed, and is done later."""
        if kind in _INDIVISIBLE and len(ids) > 1:
            self._run_each(kind, ids)
            return
        try:
            self._attempt(kind, ids)
        except TransientError as error:
            log.warning("step waits", step=kind, error=str(error))
        except Exception as error:
            if len(ids) > 1:
                self._run_each(kind, ids)
                return
            log.exception("step failed", step=kind)
            self._set_apart(kind, ids, error)

    def _run_each(self, kind: str, ids: Sequence[int]) -> None:
        for step_id in ids:
            self.run(kind, [step_id])

    def _attempt(self, kind: str, ids: Sequence[int]) -> None:
        with self._store.transaction() as transaction:
            steps = transaction.take_steps(kind, ids)
            if not steps:
                return
            decision = self._handlers[kind](transaction, steps)
            decision.done += [step.id for step in steps]
            transaction.record(decision)
        self._on_commit(kind, decision)
        self._on_done(steps)

    def _set_apart(self, kind: str, ids: Sequence[int], error: Exception) -> None:
        """A step of many claims is owed as two halves from now on, so that the others get on; one claim waits."""
        reason = f"{type(error).__name__}: {error}"[:500]
        try:
            with self._store.transaction() as transaction:
                for step in transaction.take_steps(kind, ids):
                    if step.kind not in _INDIVISIBLE and len(step.claim_ids) > 1:
                        transaction.record(Decision(steps=_halves(step), done=[step.id]))
                    else:
                        pause = min(_FIRST_RETRY * 2 ** min(step.attempts, 10), _LONGEST_RETRY)
                        transaction.postpone_step(step, self._clock() + pause, reason)
        except TransientError as transient:
            log.warning("step waits", step=kind, error=str(transient))


def _halves(step: Step) -> list[Step]:
    middle = len(step.claim_ids) // 2
    parts = (step.claim_ids[:middle], step.claim_ids[middle:])
    return [Step(step.kind, part, subject=step.subject, attempts=step.attempts + 1) for part in parts]
