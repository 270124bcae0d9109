"""The composition root: settings, database, broker, feed, handlers, doors, in a straight line."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from prometheus_client import CollectorRegistry

from adapters import dramatiq_broker, embedded, policy_file, rabbitmq, redis_feed
from adapters.apprise_notifier import AppriseNotifier
from adapters.media_types import sniff
from adapters.notice_texts import Texts
from adapters.object_files import object_files
from adapters.postgres import engine as postgres_engine
from adapters.postgres.audit_log import AuditLog
from adapters.postgres.baselines import Baselines
from adapters.postgres.delegations import Delegations
from adapters.postgres.destinations import Destinations
from adapters.postgres.evidence_files import DatabaseFiles
from adapters.postgres.idempotency import IdempotencyKeys
from adapters.postgres.incident_reports import IncidentReports
from adapters.postgres.known import KnownMessages
from adapters.postgres.policies import Policies
from adapters.postgres.reports import Reports
from adapters.postgres.silences import Silences
from adapters.postgres.station_memory import PostgresStationMemory
from adapters.postgres.steps import LANES, StepQueue, StepSignal
from adapters.postgres.store import PostgresStore
from adapters.postgres.tokens import Tokens
from adapters.prometheus import DatabaseCollector, Metrics
from adapters.redis_windows import RedisWindows
from domain.decision import Decision
from domain.errors import SetupError
from domain.identifiers import new_claim_id
from domain.policy import Policy
from domain.ports import Clock, Notifier
from workers.actors import register_intake, register_steps
from workers.app import App
from workers.checkpoints import Checkpoints
from workers.clocks import ToldClocks
from workers.destination_desk import DestinationDesk
from workers.learning import Learning
from workers.refusal import refusal
from workers.relay import Relay
from workers.scheduler import Scheduler
from workers.sequencer import Sequencer
from workers.settings import Settings
from workers.steps.announce import Announce
from workers.steps.clock import Sweep
from workers.steps.decide import Decide
from workers.steps.deliver import Deliver, Resend, Told
from workers.steps.detect import Detect
from workers.steps.digest import Digest
from workers.steps.escalate import Escalate
from workers.steps.evidence import EvidenceDesk
from workers.steps.gate import Gate
from workers.steps.incident_desk import IncidentDesk
from workers.steps.open import Intake
from workers.steps.quarantine import QuarantineDesk
from workers.steps.remind import Remind
from workers.steps.retry import Retry
from workers.steps.route import Route
from workers.steps.runner import StepHandler, StepRunner
from workers.steps.settle import Settle
from workers.steps.submit import Submit
from workers.steps.verify import Verify
from workers.thresholds import PresentThresholds

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
