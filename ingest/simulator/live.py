"""A simulated stream into the running system, as if the fleet were there."""

from collections.abc import Callable, Iterable

from domain.field.batch import Batch
from domain.ports.store import Clock, HandOver
from ingest.cloudevents import decode as wire
from ingest.simulator.lines import Line


def send(
    groups: Iterable[list[Line]],
    hand_over: HandOver,
    clock: Clock,
    sent: Callable[[list[Line], Batch], None],
    door: str = "simulate",
) -> None:
    """Hands the groups over one by one, and tells `sent` of each when it is durable. Raises what `hand_over` does.

    The lines hold CloudEvents; they are read as any door reads them.
    """
    for group in groups:
        batch, reception = Batch(), wire.Reception(clock(), door)
        for line in group:
            wire.take_in(batch, line.body, reception)
        hand_over(batch)
        sent(group, batch)
