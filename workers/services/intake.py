"""Ingests batches: each becomes rows in one transaction, its faults deduplicated."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event

import structlog

from adapters.prometheus import Metrics
from domain.audit.event import OPENED
from domain.backoff import Backoff
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.deduplication import deduplicate, earlier_than_known, group_by_claim
from domain.claims.number import identities
from domain.errors import TransientError
from domain.field.batch import Batch, Quarantined
from domain.field.fault import Fault
from domain.identifiers import new_claim_ids
from domain.policy.policy import Policy
from domain.ports.store import Clock, Feed, Store, Transaction

log = structlog.get_logger("intake")

_PAUSES = Backoff(timedelta(seconds=0.02), timedelta(seconds=5))


class Intake:
    """Ingests batches.

    It is idempotent: a message that was ingested before changes nothing.
    """

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
        """Ingests a batch, and returns when it is committed.

        It waits for a server that is away, up to the patience; then `TransientError` is raised and nothing was
        changed. A message that cannot be stored goes to quarantine alone; the others go on.
        """
        deadline = time.monotonic() + self._patience_seconds
        failures = 0
        while True:
            try:
                return self._take_in(batch)
            except TransientError as error:
                failures += 1
                pause = _PAUSES.after(failures).total_seconds()
                if time.monotonic() + pause > deadline or self._stopping.is_set():
                    raise
                log.warning("batch waits", error=str(error), retry_in=round(pause, 2))
            # Two writers that met on one key must not meet again.
            self._stopping.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311

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
            changes, _ = self.within(transaction, batch)
        self.committed(batch, changes)

    def within(self, transaction: Transaction, batch: Batch) -> tuple[Changes, int]:
        """Ingests a batch within a transaction.

        Returns the changes, and how many of its messages were new.
        """
        changes, new = Changes(), 0
        if batch.spots:
            new += transaction.register_spots(batch.spots)
        if batch.usage:
            new += transaction.record_usage(batch.usage)
        if batch.quarantined:
            transaction.quarantine(batch.quarantined)
        if batch.faults:
            changes = self._deduplicate(transaction, batch.faults)
        return changes, new + len(changes.of(Fault))

    def committed(self, batch: Batch, changes: Changes) -> None:
        """Counts and publishes a batch, once its transaction is committed."""
        self._metrics.ingested(batch, changes)
        if opened := changes.of(Claim, OPENED):
            self._feed.publish("opened", opened)

    def _deduplicate(self, transaction: Transaction, faults: Sequence[Fault]) -> Changes:
        once = {fault.key: fault for fault in faults}
        known = transaction.known_messages(list(once))
        # One order for everybody, of messages and of claims, so that two workers cannot deadlock.
        groups = group_by_claim((once[key] for key in sorted(once) if key not in known), self._policy)
        if not groups:
            return Changes()
        open_claims = transaction.open_claims(groups)
        groups = {pair: groups[pair] for pair in sorted(groups)}
        begins = earlier_than_known(groups, open_claims)
        clears = transaction.stray_clears(begins) if begins else {}
        now, opening = self._clock(), sum(pair not in open_claims for pair in begins)
        numbers = transaction.claim_numbers(opening) if opening else ()
        new_identity = identities(new_claim_ids(opening), numbers, now).__next__
        changes = deduplicate(groups, open_claims, self._policy, now, new_identity, clears)
        transaction.record(changes)
        return changes


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    """Splits a batch in two; each is smaller than the whole if that has two messages or more."""
    parts = (batch.faults, batch.usage, batch.spots, batch.quarantined)
    left: list[list[object]] = []
    right: list[list[object]] = []
    room = len(batch) // 2
    for part in parts:
        left.append(list(part[:room]))
        right.append(list(part[room:]))
        room = max(0, room - len(part))
    return Batch(*left), Batch(*right)  # type: ignore[arg-type]
