"""What an application is made of."""

from dataclasses import dataclass
from threading import Event

import dramatiq
import pika
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Engine

from adapters import redis_feed
from adapters.postgres.audit_log import AuditLog
from adapters.postgres.baselines import Baselines
from adapters.postgres.delegations import Delegations
from adapters.postgres.incident_reports import IncidentReports
from adapters.postgres.policies import Policies
from adapters.postgres.reports import Reports
from adapters.postgres.silences import Silences
from adapters.postgres.steps import StepQueue
from adapters.postgres.tokens import Tokens
from adapters.prometheus import Metrics
from domain.detection import Threshold
from domain.policy import Policy
from domain.ports import BindKey, Clock, HandOver, Known, Notifier, StationMemory
from workers.checkpoints import Checkpoints
from workers.clocks import ToldClocks
from workers.destination_desk import DestinationDesk
from workers.learning import Learning
from workers.relay import Relay
from workers.scheduler import Scheduler
from workers.sequencer import Sequencer
from workers.settings import Settings
from workers.steps.decide import Decide
from workers.steps.deliver import Resend
from workers.steps.evidence import EvidenceDesk
from workers.steps.incident_desk import IncidentDesk
from workers.steps.quarantine import QuarantineDesk


@dataclass(frozen=True, slots=True)
class App:
    """Everything that runs is made of these parts. `amqp` is None in the embedded form."""

    settings: Settings
    database_url: str
    engine: Engine
    amqp: pika.URLParameters | None
    policy: Policy
    policy_content: str
    policies: Policies
    clock: Clock
    clocks: ToldClocks
    registry: CollectorRegistry
    feed: redis_feed.RedisFeed
    reports: Reports
    tokens: Tokens
    bind_key: BindKey
    destinations: DestinationDesk
    notifier: Notifier
    decide: Decide
    delegations: Delegations
    resend: Resend
    silences: Silences
    evidence: EvidenceDesk
    quarantine: QuarantineDesk
    threshold: Threshold
    baselines: Baselines
    incident_desk: IncidentDesk
    incident_reports: IncidentReports
    hand_over: HandOver
    known: Known
    station_memory: StationMemory
    metered: Metrics
    steps: StepQueue
    relays: tuple[Relay, ...]
    audit_log: AuditLog
    sequencer: Sequencer
    checkpoints: Checkpoints
    scheduler: Scheduler
    learning: Learning
    step_broker: dramatiq.Broker
    delivery_broker: dramatiq.Broker
    stopping: Event

    def metrics(self) -> bytes:
        """The registry in Prometheus' text format."""
        return generate_latest(self.registry)
