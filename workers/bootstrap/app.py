"""The application: a foundation, and parts that are built when they are first asked for."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import RLock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from domain.field.batch import Batch
from domain.ports.store import Clock, Notifier
from workers.bootstrap import foundation
from workers.bootstrap.foundation import Foundation
from workers.runtime.clock import utc_now
from workers.settings import Settings

if TYPE_CHECKING:
    from adapters.postgres.store import PostgresStore
    from adapters.prometheus import Metrics
    from workers.bootstrap.audit import Audit
    from workers.bootstrap.live import Live
    from workers.bootstrap.notifications import Notifications
    from workers.bootstrap.people import People
    from workers.bootstrap.queries import Queries
    from workers.bootstrap.services import Services
    from workers.bootstrap.work import Work
    from workers.runtime.step_runner import StepRunner
    from workers.services.intake import Intake

_Given = ParamSpec("_Given")
_Part = TypeVar("_Part")


class App:
    """Gives access to the parts. The modules that build them are imported here and when a part is asked for, so
    that a command pays for the libraries that it uses."""

    def __init__(self, base: Foundation, stack: ExitStack, notifier: Notifier | None) -> None:
        self.foundation = base
        self.settings, self.clock, self.stopping = base.settings, base.clock, base.stopping
        self._stack = stack
        self._notifier = notifier
        self._built: dict[Callable[..., Any], Any] = {}
        self._building = RLock()

    @property
    def queries(self) -> "Queries":
        """What people and programs read."""
        from workers.bootstrap import queries

        return self._once(queries.build, self.foundation)

    @property
    def live(self) -> "Live":
        """What lies in Redis: the live feed, and the windows of detection."""
        from workers.bootstrap import live

        return self._once(live.build, self.foundation, self.metrics, self._stack)

    @property
    def notifications(self) -> "Notifications":
        """Who is notified, and where."""
        from workers.bootstrap import notifications

        return self._once(notifications.build, self.foundation, self.store, self._template_failed, self._notifier)

    @property
    def audit(self) -> "Audit":
        """The audit record and its checkpoints."""
        from workers.bootstrap import audit

        return self._once(
            audit.build, self.foundation, self.notifications.notifier, self._chain_broken, self._key_right
        )

    @property
    def people(self) -> "People":
        """Who may do what."""
        from workers.bootstrap import people

        return self._once(people.build, self.foundation)

    @property
    def services(self) -> "Services":
        """What people and programs do."""
        from workers.bootstrap import services

        return self._once(services.build, self.foundation, self.store, self.live, self.intake)

    @property
    def work(self) -> "Work":
        """How batches and steps travel."""
        from workers.bootstrap import work

        return self._once(work.build, self.foundation, self._take_in, self._carry_out, self._stack)

    @property
    def store(self) -> "PostgresStore":
        """The truth, in transactions."""
        from adapters.ocmf.check import check_signed
        from adapters.postgres.store import PostgresStore

        return self._once(PostgresStore, self.foundation.engine, check_signed)

    @property
    def metrics(self) -> "Metrics":
        """What this process counts."""
        from workers.bootstrap import metrics

        return self._once(metrics.build, self.queries)

    @property
    def intake(self) -> "Intake":
        """What takes batches in."""
        from workers.bootstrap import intake

        return self._once(intake.build, self.foundation, self.store, self.live)

    @property
    def runner(self) -> "StepRunner":
        """What carries out steps."""
        from workers.bootstrap import steps

        notifier = self.notifications.notifier
        return self._once(steps.build, self.foundation, self.store, self.queries, self.live, notifier)

    def make_ready(self) -> None:
        """Builds now what takes in batches and carries out steps, instead of with the first of them."""
        _ = self.intake, self.runner

    def _once(self, build: Callable[_Given, _Part], *given: _Given.args, **named: _Given.kwargs) -> _Part:
        """One thread builds a part; the others wait for it."""
        with self._building:
            if build not in self._built:
                self._built[build] = build(*given, **named)
            part: _Part = self._built[build]
            return part

    def _take_in(self, batch: Batch) -> None:
        self.intake(batch)

    def _carry_out(self, kind: str, ids: Sequence[int]) -> None:
        self.runner.run(kind, ids)

    def _template_failed(self, name: str) -> None:
        self.metrics.template_failed(name)

    def _chain_broken(self, claim_id: str) -> None:
        self.metrics.chain_broken(claim_id)

    def _key_right(self, right: bool) -> None:
        self.metrics.key_right(right)


def build(
    settings: Settings, stack: ExitStack, *, clock: Clock = utc_now, notifier: Notifier | None = None
) -> App:
    """Builds the application; `stack` closes what was opened. Tests pass a clock and a notifier of their own.

    Raises `SetupError` for a setting, a server or a policy that is not as it should be; so does asking for a part.
    """
    return App(foundation.build(settings, clock, stack), stack, notifier)
