"""The composition root: settings, database, broker, feed, handlers, doors, in a straight line."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from prometheus_client import CollectorRegistry

from adapters import embedded
from adapters.apprise.notifier import AppriseNotifier
from adapters.apprise.rendering import Texts
from adapters.file_types import sniff
from adapters.object_store import object_files
from adapters.policy import reader as policy_file
from adapters.postgres import engine as postgres_engine
from adapters.postgres.audit.log import AuditLog
from adapters.postgres.claims.policies import Policies
from adapters.postgres.claims.queries import Reports
from adapters.postgres.evidence.files import DatabaseFiles
from adapters.postgres.field.idempotency import IdempotencyKeys
from adapters.postgres.field.known_messages import KnownMessages
from adapters.postgres.field.station_memory import PostgresStationMemory
from adapters.postgres.incidents.baselines import Baselines
from adapters.postgres.incidents.queries import IncidentReports
from adapters.postgres.notifications.destinations import Destinations
from adapters.postgres.notifications.silences import Silences
from adapters.postgres.people.delegations import Delegations
from adapters.postgres.people.tokens import Tokens
from adapters.postgres.steps.queue import LANES, StepQueue, StepSignal
from adapters.postgres.store import PostgresStore
from adapters.prometheus import DatabaseCollector, Metrics
from adapters.rabbitmq import connection as rabbitmq
from adapters.rabbitmq import dramatiq as dramatiq_broker
from adapters.redis import feed as redis_feed
from adapters.redis.windows import RedisWindows
from domain.changes import Decision
from domain.errors import SetupError
from domain.identifiers import new_claim_id
from domain.policy import Policy
from domain.ports.store import Clock, Notifier
from workers.app import App
from workers.audit.sequencer import Sequencer
from workers.audit.signing import Checkpoints
from workers.runtime.actors import register_intake, register_steps
from workers.runtime.audit_service import Scheduler
from workers.runtime.baseline_service import Learning
from workers.runtime.cached_thresholds import PresentThresholds
from workers.runtime.relay import Relay
from workers.runtime.step_runner import StepHandler, StepRunner
from workers.services.circuit_breaker import Gate
from workers.services.decisions import Decide
from workers.services.destinations import DestinationDesk
from workers.services.evidence import EvidenceDesk
from workers.services.incidents import IncidentDesk
from workers.services.intake import Intake
from workers.services.quarantine import QuarantineDesk
from workers.services.sla_explanation import ToldClocks
from workers.services.unstorable import refusal
from workers.settings import Settings
from workers.steps.announce import Announce
from workers.steps.deliver import Deliver, Resend, Told
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

STEP_KINDS = (
    *("submit", "verify", "detect", "route", "escalate", "clock", "incident"),
    *("announce", "digest", "remind", "retry", "told"),
)
# Where people are told until the settings or a command say it.
DEFAULT_DESTINATIONS = {"ops": "log://"}
_DIRECT_PATIENCE_SECONDS = 5.0


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


def build(
    settings: Settings, stack: ExitStack, *, clock: Clock = utc_now, notifier: Notifier | None = None
) -> App:
    """Builds the application; `stack` closes what was opened. Tests pass a clock and a notifier of their own.

    Raises `SetupError` for a setting, a server or a policy that is not as it should be.
    """
    stopping = Event()
    policy, policy_content = _policy(settings.policy)
    url = _database_url(settings, stack)
    threads = settings.worker_threads + settings.delivery_threads
    engine = postgres_engine.connect(url, pool_size=threads + 12)
    stack.callback(engine.dispose)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    configured = {name: url.get_secret_value() for name, url in settings.destinations.items()}
    stored = Destinations(engine)
    notifier = notifier or _notifier(settings, configured, stored, metrics.template_failed)
    store, reports, policies = PostgresStore(engine), Reports(engine), Policies(engine, policy)
    files = object_files(settings.evidence_store) if settings.evidence_store else DatabaseFiles(engine)

    amqp = rabbitmq.parameters(settings.amqp_url.get_secret_value()) if settings.amqp_url else None
    step_broker = dramatiq_broker.rabbitmq_broker(amqp) if amqp else dramatiq_broker.in_process_broker()
    delivery_broker = dramatiq_broker.rabbitmq_broker(amqp) if amqp else dramatiq_broker.in_process_broker()
    stack.callback(step_broker.close)
    stack.callback(delivery_broker.close)

    client = (
        redis_feed.connect(settings.redis_url.get_secret_value())
        if settings.redis_url
        else embedded.redis_in_memory()
    )
    stack.callback(client.close)
    feed = redis_feed.RedisFeed(client)
    windows = RedisWindows(client, timedelta(minutes=policy.incidents.window_minutes))

    registry.register(DatabaseCollector(reports.figures))

    def on_commit(kind: str, decision: Decision) -> None:
        metrics.committed(decision)
        feed.publish(kind, decision.changed)

    baselines = Baselines(engine, policy.incidents)
    threshold = PresentThresholds(baselines.load)

    handlers: dict[str, StepHandler] = {
        "submit": Submit(policy, clock),
        "verify": Verify(policy, clock, policies),
        "detect": Detect(windows, threshold, policy.incidents, clock, new_claim_id),
        "route": Route(policy, clock, policies),
        "escalate": Escalate(policy, clock, policies),
        "announce": Announce(policy, clock),
        "digest": Digest(policy, clock),
        "remind": Remind(policy, clock),
        "retry": Retry(policy, clock),
        "told": Told(clock),
        "clock": Sweep(policies, clock),
        "incident": Settle(policy.incidents, clock),
        "deliver": Deliver(notifier, Gate(settings.delivery_threads), clock, metrics.notified),
    }
    runner = StepRunner(store, handlers, clock, on_commit, lambda steps: metrics.stepped(steps, clock()))
    intake = Intake(
        store,
        policy,
        clock,
        feed,
        metrics,
        # With a broker the batch waits in a worker; without one whoever sent it waits for the answer.
        patience_seconds=settings.intake_patience_seconds if amqp else _DIRECT_PATIENCE_SECONDS,
        stopping=stopping,
        refuse=refusal(clock),
    )
    decide = Decide(store, policy, policies, clock, on_commit)
    send = register_steps(dict.fromkeys(STEP_KINDS, step_broker) | {"deliver": delivery_broker}, runner)
    steps = StepQueue(engine, settings.step_lease_seconds)

    audit_log = AuditLog(engine)
    sequencer = Sequencer(audit_log, metrics.chain_broken)
    checkpoints = Checkpoints(
        audit_log,
        settings.audit_key_file,
        settings.checkpoint_file,
        clock,
        notifier,
        settings.checkpoint_destination,
    )
    scheduler = Scheduler(
        sequencer,
        checkpoints,
        checkpoint_every=timedelta(seconds=settings.checkpoint_seconds),
        poll_seconds=settings.scheduler_poll_seconds,
        on_broken=metrics.chain_broken,
    )

    return App(
        settings=settings,
        database_url=url,
        engine=engine,
        amqp=amqp,
        policy=policy,
        policy_content=policy_content,
        policies=policies,
        clock=clock,
        clocks=ToldClocks(policies, clock),
        registry=registry,
        feed=feed,
        reports=reports,
        tokens=Tokens(engine),
        bind_key=IdempotencyKeys(engine),
        destinations=DestinationDesk(
            stored, notifier, configured=configured, default=DEFAULT_DESTINATIONS, named=policy.destinations
        ),
        notifier=notifier,
        decide=decide,
        delegations=Delegations(engine),
        resend=Resend(store),
        silences=Silences(engine),
        evidence=EvidenceDesk(store, files, sniff, policy, policies, clock, on_commit),
        quarantine=QuarantineDesk(store, intake, clock),
        threshold=threshold,
        baselines=baselines,
        incident_desk=IncidentDesk(store, decide, policy.incidents, clock, new_claim_id, on_commit),
        incident_reports=IncidentReports(engine),
        # Without a broker a batch is durable only once it is in the database, so it goes there at once.
        hand_over=register_intake(step_broker, intake) if amqp else intake,
        known=KnownMessages(engine),
        station_memory=PostgresStationMemory(engine),
        metered=metrics,
        steps=steps,
        relays=tuple(
            Relay(
                StepQueue(engine, settings.step_lease_seconds, lane),
                StepSignal(engine),
                send,
                settings.relay_poll_seconds,
            )
            for lane in LANES
        ),
        audit_log=audit_log,
        sequencer=sequencer,
        checkpoints=checkpoints,
        scheduler=scheduler,
        learning=Learning(lambda: baselines.learn(clock())),
        step_broker=step_broker,
        delivery_broker=delivery_broker,
        stopping=stopping,
    )


def _database_url(settings: Settings, stack: ExitStack) -> str:
    if settings.database_url:
        return settings.database_url.get_secret_value()
    return stack.enter_context(embedded.postgres(settings.data.resolve() / "postgres"))


def _notifier(
    settings: Settings,
    configured: dict[str, str],
    destinations: Destinations,
    on_failure: Callable[[str], None],
) -> Notifier:
    return AppriseNotifier(
        configured,
        allow_internal=settings.allow_internal_destinations,
        texts=Texts(settings.templates, settings.public_url or "", on_failure),
        stored=lambda: ({} if configured else DEFAULT_DESTINATIONS) | destinations.urls(),
    )


def _policy(file: Path | None) -> tuple[Policy, str]:
    try:
        return policy_file.read_policy(file)
    except SetupError as error:
        first, *more = str(error).splitlines()
        rest = f" `spotclaim policy check {file}` lists {len(more)} more." if more else ""
        raise SetupError(f"SPOTCLAIM_POLICY: {first}{rest}") from None
