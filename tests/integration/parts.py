"""Parts of the inside, put together over a real database as the composition root does."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from adapters.embedded.redis import redis_in_memory
from adapters.file_types import sniff
from adapters.ocmf.check import check_signed
from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.claims.policies import Policies
from adapters.postgres.evidence.files import DatabaseFiles
from adapters.postgres.steps.queue import DueStep, StepQueue
from adapters.postgres.store import PostgresStore
from adapters.prometheus import Metrics
from adapters.redis.windows import RedisWindows
from domain.audit.chain import AuditEvent, first_broken
from domain.audit.event import NEW, WHOLE
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.events import ClaimRestated
from domain.errors import TransientError
from domain.field.batch import Batch
from domain.incidents.windows import Threshold, Windows
from domain.policy.policy import Policy
from domain.ports.store import AttemptResult, EvidenceFiles, Message, Store, Transaction
from tests.builders import NOW, a_policy, a_quarantined
from tests.servers.waiting import PATIENCE_SECONDS, wait_until
from workers.audit.verify import audit
from workers.runtime.relay import pack
from workers.runtime.step_runner import StepHandler, StepRunner
from workers.services.circuit_breaker import CircuitBreaker
from workers.services.evidence import EvidenceService
from workers.services.intake import Intake
from workers.services.quarantine import QuarantineService
from workers.steps.registry import STEPS, StepParts, build_handlers

HOUR = timedelta(hours=1)
LEASE_SECONDS = 30.0
DELIVERY_THREADS = 4

_STEPS = "SELECT *, subject_ids::text[] AS subject_ids FROM steps"


@dataclass
class Clock:
    """Stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Everyone:
    """A notifier that keeps what it was given; while `answer` says why, it fails, or cannot say if `unknown`."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    answer: str | None = None
    unknown: bool = False
    destinations: dict[str, str] = field(default_factory=lambda: {"ops": "log"})

    def problems(self) -> list[str]:
        return []

    def send(self, destination: str, message: Message) -> AttemptResult:
        if self.answer:
            return AttemptResult(False, self.answer, self.unknown)
        self.sent.append((destination, message.title, message.body))
        return AttemptResult(True, "delivered")


class NoFeed:
    def publish(self, kind: str, claims: Sequence[Claim]) -> None:
        pass


class WatchedStore:
    """The real store; keeps the outages and collisions that it reported."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.met: list[str] = []

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        try:
            with self._store.transaction() as transaction:
                yield transaction
        except TransientError as error:
            self.met.append(str(error))
            raise


class Spotclaim:
    """Intake and steps over one database, carried out by hand."""

    def __init__(self, engine: Engine, **changes: Any) -> None:
        self.engine = engine
        self.clock = changes.pop("clock", Clock())
        self.policy: Policy = changes.pop("policy", a_policy())
        self.store: Store = changes.pop("store", PostgresStore(engine, check_signed))
        self.policies = Policies(engine, self.policy)
        self.notifier = Everyone()
        self.queue = StepQueue(engine, LEASE_SECONDS)
        self.stopping = Event()
        self.committed: list[tuple[str, Changes]] = []
        self.windows: Windows = changes.pop("windows", None) or RedisWindows(redis_in_memory(), HOUR)
        self.threshold: Threshold = changes.pop("threshold", lambda *_: 3)
        self.breaker = CircuitBreaker(DELIVERY_THREADS)
        parts = StepParts(
            policy=self.policy,
            policies=self.policies,
            clock=self.clock,
            windows=self.windows,
            threshold=self.threshold,
            notifier=self.notifier,
            breaker=self.breaker,
        )
        self.handlers: dict[str, StepHandler] = build_handlers(parts) | changes
        self.runner = StepRunner(
            self.store,
            self.handlers,
            self.clock,
            lambda kind, committed: self.committed.append((kind, committed)),
            indivisible={kind.name for kind in STEPS.values() if not kind.divisible},
        )
        self.files: EvidenceFiles = DatabaseFiles(engine)
        self.desk = self.desk_over(self.store)
        self.intake = Intake(
            self.store,
            self.policy,
            self.clock,
            NoFeed(),
            Metrics(CollectorRegistry()),
            patience_seconds=60,
            stopping=self.stopping,
            refuse=lambda _, error: a_quarantined(type(error).__name__.encode(), reason="NOT_STORABLE"),
        )
        self.quarantine = QuarantineService(self.store, self.intake, self.clock)

    def desk_over(self, store: Store) -> EvidenceService:
        return EvidenceService(
            store,
            self.files,
            sniff,
            self.policy,
            self.policies,
            self.clock,
            lambda kind, committed: self.committed.append((kind, committed)),
        )

    def take_in(self, **parts: Any) -> None:
        self.intake(Batch(**{name: list(items) for name, items in parts.items()}))

    def record(self, *records: object, part: str = WHOLE) -> None:
        """Writes records as they are, by no decision of the domain's."""
        changes = Changes()
        changes.put(*records, part=part)
        with self.store.transaction() as transaction:
            transaction.record(changes)

    def put_on_record(self, *claims: Claim) -> None:
        """Stores claims that are new to the database, each with an event that states it."""
        changes = Changes()
        for claim in claims:
            changes.append(claim, ClaimRestated.of(claim), NOW, "test")
            changes.put(claim, part=NEW)
        with self.store.transaction() as transaction:
            transaction.record(changes)

    def carry_out(self, rounds: int = 50) -> None:
        """Everything that is pending now, and what follows from it, as relay and worker would do it.

        But for the clocks, which are due by the database's time and not by that of the test; see `run_now`.
        """
        for _ in range(rounds):
            due = [step for step in self.queue.lease(256) if step.kind not in ("clock", "escalate", "incident")]
            if not due:
                return
            for kind, ids in pack(due):
                self.runner.run(kind, ids)
        raise AssertionError(f"steps still follow after {rounds} rounds: {self.steps()}")

    def run_now(self, kind: str) -> None:
        """Every step of this kind, due or not, in as many messages as the relay would send."""
        steps = self.rows(f"{_STEPS} WHERE kind = %s ORDER BY id", kind)
        due = [DueStep(step["id"], kind, len(step["subject_ids"]), payload=step["payload"]) for step in steps]
        for _, ids in pack(due):
            self.runner.run(kind, ids)

    def await_done_or_waiting(self, work: Future[Any]) -> None:
        """Until the work is done, or waits for a lock that somebody else holds."""
        assert wait_until(lambda: work.done() or self.waiting() > 0, PATIENCE_SECONDS)

    def waiting(self) -> int:
        """How many connections wait for a lock that another holds."""
        here = "FROM pg_stat_activity WHERE datname = current_database()"
        return int(self.value(f"SELECT count(*) {here} AND wait_event_type = 'Lock'"))

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with self.engine.begin() as connection:
            result = connection.exec_driver_sql(sql, parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def value(self, sql: str, *parameters: Any) -> Any:
        [row] = self.rows(sql, *parameters)
        [value] = row.values()
        return value

    def steps(self) -> list[dict[str, Any]]:
        """What is pending, but for what waits for days: clocks, stages that may be late, incidents."""
        others = ("clock", "escalate", "detect", "incident")
        return self.rows(f"{_STEPS} WHERE kind <> ALL (%s) ORDER BY id", list(others))

    def clock_steps(self) -> list[dict[str, Any]]:
        return self.rows(f"{_STEPS} WHERE kind = 'clock' ORDER BY id")

    def claims(self) -> list[dict[str, Any]]:
        return self.rows(
            "SELECT *, id::text AS id, encode(head, 'hex') AS head FROM claims ORDER BY spot_id, code, claims.id"
        )

    def events(self, claim_id: str) -> list[AuditEvent]:
        rows = self.rows(
            "SELECT subject_id::text AS subject_id, seq, at, actor, kind, body, encode(hash, 'hex') AS hash"
            " FROM audit_events WHERE subject_id = %s ORDER BY seq",
            claim_id,
        )
        return [AuditEvent.of_row(row) for row in rows]

    def verdict(self, claim: dict[str, Any]) -> Any:
        return json.loads(self.events(claim["id"])[claim["verdict_seq"] - 1].body)

    def demand_sound_chains(self) -> None:
        """Every claim stands at its last event, its chain is intact, and its events lead to its row."""
        for claim in self.claims():
            events = self.events(claim["id"])
            assert first_broken(events) is None
            assert (claim["version"], claim["head"]) == (len(events), events[-1].hash)
        with open_snapshot(self.engine) as record:
            assert audit(record).findings == []
