"""Registers the kinds of steps: how each is carried out, and how it travels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from domain.claims.sla import Policies
from domain.identifiers import new_claim_id
from domain.incidents.windows import Threshold, Windows
from domain.notifications.delivery import Delivery
from domain.policy.policy import Policy
from domain.ports.store import AttemptResult, Clock, Notifier
from domain.steps import (
    Announce,
    CheckClocks,
    Deliver,
    Detect,
    Escalate,
    RecordNotified,
    Remind,
    Retry,
    Route,
    SendDigest,
    SettleIncident,
    Step,
    Submit,
    Verify,
)
from workers.runtime.step_runner import StepHandler
from workers.services.circuit_breaker import CircuitBreaker
from workers.steps.announce import Announcer
from workers.steps.clock import ClockSweeper
from workers.steps.deliver import Deliverer
from workers.steps.detect import Detector
from workers.steps.digest import DigestSender
from workers.steps.escalate import Escalator
from workers.steps.incident import IncidentSettler
from workers.steps.notified import NotifiedRecorder
from workers.steps.remind import Reminder
from workers.steps.retry import Retrier
from workers.steps.route import Router
from workers.steps.submit import Submitter
from workers.steps.verify import Verifier

# A lane has its own relay and its own threads: deliveries to a destination that hangs take long, and nothing else
# may wait for them.
Lane = Literal["claims", "deliveries"]
LANES: Final[tuple[Lane, ...]] = ("claims", "deliveries")
# A server besides PostgreSQL and RabbitMQ, without which a kind cannot be carried out.
Dependency = Literal["redis", "destination"]
# The order in which a worker carries out what it has, lowest first, so that in a storm people are notified of the
# first claims while thousands are still coming in. Intake comes with the rest.
SOON: Final = 0
NEXT: Final = 1
REST: Final = 2


@dataclass(frozen=True, slots=True)
class StepParts:
    """The parts that handlers are built of."""

    policy: Policy
    policies: Policies
    clock: Clock
    windows: Windows
    threshold: Threshold
    notifier: Notifier
    breaker: CircuitBreaker
    on_attempt: Callable[[Delivery, AttemptResult], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class StepKind:
    """How one kind of step is carried out and travels.

    One message names at most `subjects_per_message`. Steps that are `apart_by` a field of theirs travel together
    only with the same value of it. One that is not `divisible` is carried out alone: its result goes on record
    before the next one begins, and its subjects are not split when it fails.
    """

    payload: type[Step]
    handler: Callable[[StepParts], StepHandler]
    priority: int = REST
    subjects_per_message: int = 500
    lane: Lane = "claims"
    needs: Dependency | None = None
    apart_by: str | None = None
    divisible: bool = True

    @property
    def name(self) -> str:
        """Returns the name of the kind, of its actor, and of the metrics' label."""
        return self.payload.KIND

    @property
    def queue(self) -> str:
        """Returns the Dramatiq queue of the kind."""
        return f"spotclaim.{self.name}"


_KINDS: Final = (
    StepKind(Submit, lambda parts: Submitter(parts.policy, parts.clock)),
    StepKind(Verify, lambda parts: Verifier(parts.policy, parts.clock, parts.policies)),
    StepKind(
        Detect,
        lambda parts: Detector(parts.windows, parts.threshold, parts.policy.incidents, parts.clock, new_claim_id),
        priority=NEXT,
        needs="redis",
    ),
    StepKind(Route, lambda parts: Router(parts.policy, parts.clock, parts.policies), priority=NEXT),
    StepKind(Escalate, lambda parts: Escalator(parts.policy, parts.clock, parts.policies), priority=SOON),
    StepKind(CheckClocks, lambda parts: ClockSweeper(parts.policies, parts.clock)),
    StepKind(SettleIncident, lambda parts: IncidentSettler(parts.policy.incidents, parts.clock)),
    StepKind(Announce, lambda parts: Announcer(parts.policy, parts.clock), priority=SOON),
    StepKind(SendDigest, lambda parts: DigestSender(parts.policy, parts.clock), priority=SOON),
    # What was announced together is repeated together.
    StepKind(Remind, lambda parts: Reminder(parts.policy, parts.clock), subjects_per_message=10_000),
    StepKind(Retry, lambda parts: Retrier(parts.policy, parts.clock)),
    StepKind(RecordNotified, lambda parts: NotifiedRecorder(parts.clock)),
    # Few travel together, so that every worker gets some.
    StepKind(
        Deliver,
        lambda parts: Deliverer(parts.notifier, parts.breaker, parts.clock, parts.on_attempt),
        subjects_per_message=8,
        lane="deliveries",
        needs="destination",
        apart_by="destination",
        divisible=False,
    ),
)
STEPS: Final = {kind.name: kind for kind in _KINDS}


def kinds_in(lane: Lane) -> list[str]:
    """Names the kinds of a lane."""
    return [kind.name for kind in _KINDS if kind.lane == lane]


def build_handlers(parts: StepParts) -> dict[str, StepHandler]:
    """Builds the handler of every kind."""
    return {kind.name: kind.handler(parts) for kind in _KINDS}
