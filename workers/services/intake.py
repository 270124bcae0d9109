"""Intake: a batch becomes rows in one transaction, and every fault meets its claim."""

import random
import time
from collections.abc import Callable, Sequence
from threading import Event

import structlog

from adapters.prometheus import Metrics
from domain.changes import Decision
from domain.claims.deduplication import earlier_than_known, meet_claims, open_or_count
from domain.errors import TransientError
from domain.field.batch import Batch, Quarantined
from domain.field.fault import Fault
from domain.identifiers import new_claim_id
from domain.policy import Policy
from domain.ports.store import Clock, Feed, Store, Transaction

log = structlog.get_logger("intake")

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 5.0


class Intake:
    """Takes batches in. Idempotent: a message that was taken in before changes nothing."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Clock,
        feed: Feed,
        metrics: Metrics,
        *,
        patience_seconds: float,
        stopping: Event,
        refuse: Callable[[Batch, Exception], Quarantined],
    ) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._feed = feed
        self._metrics = metrics
        self._patience_seconds = patience_seconds
        self._stopping = stopping
        self._refuse = refuse

    def __call__(self, batch: Batch) -> None:
        """Returns when the batch is committed.

        A server that is away is waited for, up to the patience, then `TransientError` is raised and nothing was
        changed. A message that cannot be stored goes to quarantine alone; its neighbours go on.
        """
        deadline = time.monotonic() + self._patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._take_in(batch)
            except TransientError as error:
                if time.monotonic() + pause > deadline or self._stopping.is_set():
                    raise
                log.warning("batch waits", error=str(error), retry_in=round(pause, 2))
            # Two writers that met on one key must not meet again.
            self._stopping.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _take_in(self, batch: Batch) -> None:
        try:
            self._commit(batch)
        except TransientError:
            raise
        except Exception as error:
            if len(batch) == 1:
                log.exception("message refused by the store")
                self._commit(Batch(quarantined=[self._refuse(batch, error)]))
                return
            for half in _halves(batch):
                self._take_in(half)

    def _commit(self, batch: Batch) -> None:
        with self._store.transaction() as transaction:
            decision, _ = self.within(transaction, batch)
        self.committed(batch, decision)

    def within(self, transaction: Transaction, batch: Batch) -> tuple[Decision, int]:
        """Takes a batch in as part of a transaction: what it led to, and how many of its messages were new."""
        decision, new = Decision(), 0
        if batch.spots:
            new += transaction.register_spots(batch.spots)
        if batch.usage:
            new += transaction.record_usage(batch.usage)
        if batch.quarantined:
            transaction.quarantine(batch.quarantined)
        if batch.faults:
            decision = self._open(transaction, batch.faults)
        return decision, new + len(decision.faults)

    def committed(self, batch: Batch, decision: Decision) -> None:
        """Counts and tells of a batch, once its transaction is committed."""
        self._metrics.taken_in(batch, decision)
        if decision.opened:
            self._feed.publish("opened", decision.opened)

    def _open(self, transaction: Transaction, faults: Sequence[Fault]) -> Decision:
        once = {fault.key: fault for fault in faults}
        known = transaction.known_messages(list(once))
        # One order for everybody, of messages and of claims, so that two workers cannot deadlock.
        groups = meet_claims((once[key] for key in sorted(once) if key not in known), self._policy)
        if not groups:
            return Decision()
        open_claims = transaction.open_claims(groups)
        groups = {pair: groups[pair] for pair in sorted(groups)}
        begins = earlier_than_known(groups, open_claims)
        clears = transaction.stray_clears(begins) if begins else {}
        decision = open_or_count(groups, open_claims, self._policy, self._clock(), new_claim_id, clears)
        transaction.record(decision)
        return decision


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    """Two batches with every message in one of them, smaller than the whole when that has two or more."""
    parts = (batch.faults, batch.usage, batch.spots, batch.quarantined)
    left: list[list[object]] = []
    right: list[list[object]] = []
    room = len(batch) // 2
    for part in parts:
        left.append(list(part[:room]))
        right.append(list(part[room:]))
        room = max(0, room - len(part))
    return Batch(*left), Batch(*right)  # type: ignore[arg-type]
