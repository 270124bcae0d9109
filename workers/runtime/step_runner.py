"""Runs pending steps, so that one failing claim never holds up the others."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from domain.backoff import Backoff
from domain.changes import Changes
from domain.errors import TransientError
from domain.ports.store import Clock, Store, Transaction
from domain.steps import Step

StepHandler = Callable[[Transaction, Sequence[Any]], Changes]
OnCommit = Callable[[str, Changes], None]

_RETRIES = Backoff(timedelta(seconds=5), timedelta(hours=1))

log = structlog.get_logger("steps")


class StepRunner:
    """Runs the handlers of steps that are still pending.

    The rows are removed in the transaction that records the result; a step that is gone or held by another worker
    is left alone, so lost, repeated and reordered messages change nothing.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, StepHandler],
        clock: Clock,
        on_commit: OnCommit,
        indivisible: Collection[str] = (),
        on_done: Callable[[Sequence[Step]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._clock = clock
        self._on_commit = on_commit
        self._indivisible = indivisible
        self._on_done = on_done

    def run(self, kind: str, ids: Sequence[int]) -> None:
        """Runs the steps. Raises nothing: what fails now stays pending, and is run later."""
        if kind in self._indivisible and len(ids) > 1:
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
            changes = self._handlers[kind](transaction, steps)
            changes.done(steps)
            transaction.record(changes)
        self._on_commit(kind, changes)
        self._on_done(steps)

    def _set_apart(self, kind: str, ids: Sequence[int], error: Exception) -> None:
        """Splits a step of many subjects into halves, so that the others get on; one subject waits."""
        reason = f"{type(error).__name__}: {error}"[:500]
        try:
            with self._store.transaction() as transaction:
                for step in transaction.take_steps(kind, ids):
                    if kind not in self._indivisible and len(step.subject_ids) > 1:
                        halves = Changes(*step.halves())
                        halves.done([step])
                        transaction.record(halves)
                    else:
                        pause = _RETRIES.after(step.attempts + 1)
                        transaction.postpone_step(step, self._clock() + pause, reason)
        except TransientError as transient:
            log.warning("step waits", step=kind, error=str(transient))
