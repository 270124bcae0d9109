"""What everything rests on: settings, clock, policy, database."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from sqlalchemy import Engine

from adapters.policy import reader as policy_file
from adapters.postgres import engine as postgres_engine
from adapters.postgres.claims.policies import Policies
from domain.errors import SetupError
from domain.policy.policy import Policy
from domain.ports.store import Clock
from workers.settings import Settings

# Connections beside those of the threads: HTTP requests, the relay, the scheduler, probes.
_OTHER_CONNECTIONS = 12


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every part rests on. `policy_content` is what is kept under the policy's version."""

    settings: Settings
    clock: Clock
    stopping: Event
    policy: Policy
    policy_content: str
    policies: Policies
    engine: Engine


def build(settings: Settings, clock: Clock, stack: ExitStack) -> Foundation:
    """Reads the policy and opens the database. Raises `SetupError` where one is not as it should be."""
    policy, policy_content = _policy(settings.policy)
    threads = settings.worker_threads + settings.delivery_threads
    engine = postgres_engine.connect(database_url(settings, stack), pool_size=threads + _OTHER_CONNECTIONS)
    stack.callback(engine.dispose)
    return Foundation(
        settings=settings,
        clock=clock,
        stopping=Event(),
        policy=policy,
        policy_content=policy_content,
        policies=Policies(engine, policy),
        engine=engine,
    )


def database_url(settings: Settings, stack: ExitStack) -> str:
    """The URL of the database, which is started where it is an embedded one."""
    if settings.database_url:
        return settings.database_url.get_secret_value()
    # The wheel takes a fifth of a second to import, which processes on real servers need not wait for.
    from adapters.embedded.postgres import postgres

    return stack.enter_context(postgres(settings.data.resolve() / "postgres"))


def _policy(file: Path | None) -> tuple[Policy, str]:
    try:
        return policy_file.read_policy(file)
    except SetupError as error:
        first, *more = str(error).splitlines()
        rest = f" `spotclaim policy check {file}` lists {len(more)} more." if more else ""
        raise SetupError(f"SPOTCLAIM_POLICY: {first}{rest}") from None
