"""Registers the actors: one for intake, one for each kind of step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import dramatiq

from adapters.rabbitmq.batch_codec import from_batch, to_batch
from domain.field.batch import Batch
from domain.ports.store import DeliverBatch
from workers.steps.registry import REST, STEPS, Lane, StepKind

INTAKE_QUEUE: Final = "spotclaim.intake"
SendSteps = Callable[[str, Sequence[int]], None]


def register_intake(broker: dramatiq.Broker, intake: DeliverBatch) -> DeliverBatch:
    """Registers the actor that ingests batches, and returns what sends batches to it.

    That returns when the broker confirmed the batch; it raises `TransientError` otherwise.
    """

    def take_in(batch: Any) -> None:
        intake(to_batch(batch))

    register = dramatiq.actor(actor_name="take_in", queue_name=INTAKE_QUEUE, priority=REST, broker=broker)
    actor = register(take_in)

    def deliver_batch(batch: Batch) -> None:
        actor.send(from_batch(batch))

    return deliver_batch


def register_steps(brokers: Mapping[Lane, dramatiq.Broker], carry_out: SendSteps) -> SendSteps:
    """Registers an actor for each kind of step, and returns what sends step ids.

    Each is on the broker of its lane.
    """
    actors = {kind.name: _step_actor(brokers[kind.lane], kind, carry_out) for kind in STEPS.values()}

    def send(kind: str, ids: Sequence[int]) -> None:
        actors[kind].send(list(ids))

    return send


def _step_actor(broker: dramatiq.Broker, kind: StepKind, carry_out: SendSteps) -> Any:
    def run(ids: list[int]) -> None:
        carry_out(kind.name, ids)

    register = dramatiq.actor(actor_name=kind.name, queue_name=kind.queue, priority=kind.priority, broker=broker)
    return register(run)
