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

from adapters import embedded
from adapters.file_types import sniff
from adapters.postgres.audit.snapshot import open_record
from adapters.postgres.claims.policies import Policies
from adapters.postgres.evidence.files import DatabaseFiles
from adapters.postgres.steps.queue import DueStep, StepQueue
from adapters.postgres.store import PostgresStore
from adapters.prometheus import Metrics
from adapters.redis.windows import RedisWindows
from domain.audit.chain import AuditEvent, first_broken, instant
from domain.changes import Decision
from domain.claims.claim import Claim
from domain.errors import TransientError
from domain.field.batch import Batch
from domain.identifiers import new_claim_id
from domain.incidents.windows import Threshold, Windows
from domain.policy import Policy
from domain.ports.store import EvidenceFiles, Message, Outcome, Store, Transaction
from tests.builders import NOW, a_policy, a_quarantined
from tests.servers.waiting import wait_until
from workers.audit.verify import audit
from workers.runtime.relay import pack
from workers.runtime.step_runner import StepHandler, StepRunner
from workers.services.circuit_breaker import Gate
from workers.services.evidence import EvidenceDesk
from workers.services.intake import Intake
from workers.services.quarantine import QuarantineDesk
from workers.steps.announce import Announce
from workers.steps.deliver import Deliver, Told
from workers.steps.detect import Detect
from workers.steps.digest import Digest
from workers.steps.escalate import Escalate
from workers.steps.incident import Settle
from workers.steps.remind import Remind
from workers.steps.retry import Retry
from workers.steps.route import Route
from workers.steps.sla import Sweep
from workers.steps.submit import Submit
from workers.steps.verify import Verify

HOUR = timedelta(hours=1)
LEASE_SECONDS = 30.0
DELIVERY_THREADS = 4
PATIENCE_SECONDS = 10

_STEPS = "SELECT *, claim_ids::text[] AS claim_ids FROM steps"


@dataclass
class Clock:
    """Stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Everyone:
    """A notifier that keeps what it was given; while `answer` says why, it fails, or cannot say if `unknown`."""

    told: list[tuple[str, str, str]] = field(default_factory=list)
    answer: str | None = None
    unknown: bool = False
    destinations: dict[str, str] = field(default_factory=lambda: {"ops": "log"})

    def problems(self) -> list[str]:
        return []

    def send(self, destination: str, message: Message) -> Outcome:
        if self.answer:
            return Outcome(False, self.answer, self.unknown)
        self.told.append((destination, message.title, message.body))
        return Outcome(True, "delivered")


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
        self.store: Store = changes.pop("store", PostgresStore(engine))
        self.policies = Policies(engine, self.policy)
        self.notifier = Everyone()
        self.queue = StepQueue(engine, LEASE_SECONDS)
        self.stopping = Event()
        self.committed: list[tuple[str, Decision]] = []
        self.windows: Windows = changes.pop("windows", None) or RedisWindows(embedded.redis_in_memory(), HOUR)
        self.threshold: Threshold = changes.pop("threshold", lambda *_: 3)
        self.handlers: dict[str, StepHandler] = {
            "submit": Submit(self.policy, self.clock),
            "verify": Verify(self.policy, self.clock, self.policies),
            "detect": Detect(self.windows, self.threshold, self.policy.incidents, self.clock, new_claim_id),
            "incident": Settle(self.policy.incidents, self.clock),
            "route": Route(self.policy, self.clock, self.policies),
            "escalate": Escalate(self.policy, self.clock, self.policies),
            "announce": Announce(self.policy, self.clock),
            "digest": Digest(self.policy, self.clock),
            "remind": Remind(self.policy, self.clock),
            "retry": Retry(self.policy, self.clock),
            "told": Told(self.clock),
            "clock": Sweep(self.policies, self.clock),
            "deliver": Deliver(self.notifier, Gate(DELIVERY_THREADS), self.clock),
        } | changes
        self.runner = StepRunner(
            self.store, self.handlers, self.clock, lambda kind, decision: self.committed.append((kind, decision))
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
        self.quarantine = QuarantineDesk(self.store, self.intake, self.clock)

    def desk_over(self, store: Store) -> EvidenceDesk:
        return EvidenceDesk(
            store,
            self.files,
            sniff,
            self.policy,
            self.policies,
            self.clock,
            lambda kind, decision: self.committed.append((kind, decision)),
        )

    def take_in(self, **parts: Any) -> None:
        self.intake(Batch(**{name: list(items) for name, items in parts.items()}))

    def record(self, **parts: Any) -> None:
        with self.store.transaction() as transaction:
            transaction.record(Decision(**parts))

    def carry_out(self, rounds: int = 50) -> None:
        """Everything that is owed now, and what follows from it, as relay and worker would do it.

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
        owed = [DueStep(step["id"], kind, len(step["claim_ids"])) for step in steps]
        for _, ids in pack(owed):
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
        """What is owed to each claim, but for what is owed for days: clocks, and stages that may be late."""
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
            "SELECT claim_id::text AS claim_id, seq, at, actor, kind, body, encode(hash, 'hex') AS hash"
            " FROM audit_events WHERE claim_id = %s ORDER BY seq",
            claim_id,
        )
        return [AuditEvent(**(row | {"at": instant(row["at"])})) for row in rows]

    def verdict(self, claim: dict[str, Any]) -> Any:
        return json.loads(self.events(claim["id"])[claim["verdict_seq"] - 1].body)

    def demand_sound_chains(self) -> None:
        """Every claim stands at its last event, its chain is intact, and its events lead to its row."""
        for claim in self.claims():
            events = self.events(claim["id"])
            assert first_broken(events) is None
            assert (claim["version"], claim["head"]) == (len(events), events[-1].hash)
        with open_record(self.engine) as record:
            assert [finding for finding in audit(record).findings if finding.what == "ROW_DIFFERS"] == []
