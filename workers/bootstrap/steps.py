"""Builds what carries out steps: the handlers of the registry, and the runner over them."""

from domain.ports.store import Notifier, Store
from workers.bootstrap.foundation import Foundation
from workers.bootstrap.live import Live
from workers.bootstrap.queries import Queries
from workers.runtime.step_runner import StepRunner
from workers.services.circuit_breaker import CircuitBreaker
from workers.steps.registry import STEPS, StepParts, build_handlers


def build(base: Foundation, store: Store, queries: Queries, live: Live, notifier: Notifier) -> StepRunner:
    """Builds the runner with a handler for each kind of step."""
    clock, metrics = base.clock, live.metrics
    parts = StepParts(
        policy=base.policy,
        policies=base.policies,
        clock=clock,
        windows=live.windows,
        threshold=queries.threshold,
        notifier=notifier,
        breaker=CircuitBreaker(base.settings.delivery_threads),
        on_attempt=metrics.notified,
    )
    return StepRunner(
        store,
        build_handlers(parts),
        clock,
        live.committed,
        indivisible={kind.name for kind in STEPS.values() if not kind.divisible},
        on_done=lambda steps: metrics.stepped(steps, clock()),
    )
