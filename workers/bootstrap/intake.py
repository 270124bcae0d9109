"""What takes batches in."""

from typing import Final

from domain.ports.store import Store
from workers.bootstrap.foundation import Foundation
from workers.bootstrap.live import Live
from workers.services.intake import Intake
from workers.services.unstorable import refusal

_DIRECT_PATIENCE_SECONDS: Final = 5.0


def build(base: Foundation, store: Store, live: Live) -> Intake:
    """Builds the intake. With a broker a batch waits in a worker; without one whoever sent it waits for it."""
    settings = base.settings
    return Intake(
        store,
        base.policy,
        base.clock,
        live.feed,
        live.metrics,
        patience_seconds=_DIRECT_PATIENCE_SECONDS if settings.embedded else settings.intake_patience_seconds,
        stopping=base.stopping,
        refuse=refusal(base.clock),
    )
