"""What an application is made of."""

from dataclasses import dataclass
from threading import Event

import dramatiq
import pika
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Engine

from adapters.postgres.audit.log import AuditLog
from adapters.postgres.claims.policies import Policies
from adapters.postgres.claims.queries import Reports
from adapters.postgres.incidents.baselines import Baselines
from adapters.postgres.incidents.queries import IncidentReports
from adapters.postgres.notifications.silences import Silences
from adapters.postgres.people.delegations import Delegations
from adapters.postgres.people.tokens import Tokens
from adapters.postgres.steps.queue import StepQueue
from adapters.prometheus import Metrics
from adapters.redis import feed as redis_feed
from domain.incidents.windows import Threshold
from domain.policy import Policy
from domain.ports.store import BindKey, Clock, HandOver, Known, Notifier, StationMemory
from workers.audit.sequencer import Sequencer
from workers.audit.signing import Checkpoints
from workers.runtime.audit_service import Scheduler
from workers.runtime.baseline_service import Learning
from workers.runtime.relay import Relay
from workers.services.decisions import Decide
from workers.services.destinations import DestinationDesk
from workers.services.evidence import EvidenceDesk
from workers.services.incidents import IncidentDesk
from workers.services.quarantine import QuarantineDesk
from workers.services.sla_explanation import ToldClocks
from workers.settings import Settings
from workers.steps.deliver import Resend


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
