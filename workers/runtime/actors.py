"""Registers what carries out messages: one actor for intake, one for each kind of step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import dramatiq

from adapters.rabbitmq.batch_codec import from_batch, to_batch
from domain.field.batch import Batch
from domain.ports.store import HandOver
from workers.runtime.step_runner import StepRunner

INTAKE_QUEUE: Final = "spotclaim.intake"
# How many claims may travel in one message.
CLAIMS_PER_MESSAGE: Final = {
    "submit": 500,
    "verify": 500,
    "detect": 500,
    "route": 500,
    "escalate": 500,
    "announce": 500,
    "digest": 500,
    # What was told together is repeated together.
    "remind": 10_000,
    "clock": 500,
    "incident": 500,
    "retry": 500,
    "told": 500,
}

# What a worker has at hand it takes in this order, lowest first, so that in a storm people are told of the first
# claims while thousands are still coming in. Everything else, intake included, comes after that as it came.
_FIRST: Final = {"announce": 0, "digest": 0, "escalate": 0, "route": 1, "detect": 1}
_REST: Final = 2

SendSteps = Callable[[str, Sequence[int]], None]


def queue_of(kind: str) -> str:
    """The Dramatiq queue of a kind of step."""
    return f"spotclaim.{kind}"


def register_intake(broker: dramatiq.Broker, intake: HandOver) -> HandOver:
    """The actor that takes batches in. Returns what sends a batch to it and, when the broker confirmed
    it, returns; it raises `TransientError` otherwise."""

    def take_in(batch: Any) -> None:
        intake(to_batch(batch))

    register = dramatiq.actor(actor_name="take_in", queue_name=INTAKE_QUEUE, priority=_REST, broker=broker)
    actor = register(take_in)

    def hand_over(batch: Batch) -> None:
        actor.send(from_batch(batch))

    return hand_over


def register_steps(brokers: Mapping[str, dramatiq.Broker], runner: StepRunner) -> SendSteps:
    """An actor for each kind of step on that kind's broker. Returns what sends step ids to them."""
    actors = {kind: _step_actor(broker, kind, runner) for kind, broker in brokers.items()}

    def send(kind: str, ids: Sequence[int]) -> None:
        actors[kind].send(list(ids))

    return send


def _step_actor(broker: dramatiq.Broker, kind: str, runner: StepRunner) -> Any:
    def run(ids: list[int]) -> None:
        runner.run(kind, ids)

    priority = _FIRST.get(kind, _REST)
    return dramatiq.actor(actor_name=kind, queue_name=queue_of(kind), priority=priority, broker=broker)(run)
