"""The signal that wakes the relay: at once when steps were committed, and again after the database was away."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from adapters.postgres.engine import connect
from adapters.postgres.steps.queue import StepSignal
from domain.changes import Changes
from domain.errors import TransientError
from domain.identifiers import new_claim_id
from domain.steps import Verify
from tests.builders import a_claim, a_usage_record
from tests.integration.parts import Spotclaim
from tests.servers.loopback import HOST, free_port
from tests.servers.waiting import PATIENCE_SECONDS, wait_until

LONG, SHORT = PATIENCE_SECONDS, 0.2
# Only a signal ends a wait before its time.
AT_ONCE = LONG / 2


@pytest.fixture
def signal(engine: Engine) -> Iterator[StepSignal]:
    made = StepSignal(engine)
    made.wait(0)  # connected from here on
    yield made
    made.close()


def seconds_waited(signal: StepSignal, seconds: float = LONG) -> float:
    began = time.monotonic()
    signal.wait(seconds)
    return time.monotonic() - began


def wait_until_lost(signal: StepSignal) -> None:
    """The first wait that a lost connection ends may say nothing; the next one raises."""
    for _ in range(3):
        signal.wait(LONG)


def schedule(spotclaim: Spotclaim) -> None:
    spotclaim.record(Verify([new_claim_id()]))


def end_listeners(spotclaim: Spotclaim) -> int:
    return len(
        spotclaim.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
    )


def test_a_committed_step_ends_the_wait(signal: StepSignal, spotclaim: Spotclaim) -> None:
    """Long before its time is over."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(seconds_waited, signal)
        schedule(spotclaim)

        assert waiting.result() < AT_ONCE


def test_a_step_that_came_before_the_wait_is_not_missed(signal: StepSignal, spotclaim: Spotclaim) -> None:
    """The relay may have been sending while it was committed."""
    schedule(spotclaim)

    assert seconds_waited(signal) < AT_ONCE


def test_many_steps_are_one_signal(signal: StepSignal, spotclaim: Spotclaim) -> None:
    """After the relay was woken it takes all that is due, and waits again."""
    for _ in range(20):
        schedule(spotclaim)
    signal.wait(LONG)
    wait_until(lambda: seconds_waited(signal, 0.05) >= 0.05, LONG)

    assert seconds_waited(signal, SHORT) >= SHORT


def test_late_usage_is_a_signal(signal: StepSignal, spotclaim: Spotclaim) -> None:
    """A claim that waited for it is checked at once."""
    spotclaim.put_on_record(a_claim(status="awaiting_evidence"))
    spotclaim.take_in(usage=[a_usage_record()])

    assert seconds_waited(signal) < AT_ONCE


def test_what_was_rolled_back_is_no_signal(signal: StepSignal, spotclaim: Spotclaim) -> None:
    """Nothing is pending."""
    with pytest.raises(RuntimeError), spotclaim.store.transaction() as transaction:
        transaction.record(Changes(Verify([new_claim_id()])))
        raise RuntimeError("the worker dies here")

    assert seconds_waited(signal, SHORT) >= SHORT


def test_a_lost_connection_is_reported_and_made_again(signal: StepSignal, spotclaim: Spotclaim) -> None:
    """The relay hears of it while it waits, and is woken as before afterwards."""
    for _ in range(3):
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(wait_until_lost, signal)
            assert wait_until(lambda: end_listeners(spotclaim) > 0, LONG)
            with pytest.raises(TransientError, match="PostgreSQL: "):
                waiting.result()

        signal.wait(0)
        schedule(spotclaim)
        assert seconds_waited(signal) < AT_ONCE


def test_a_database_that_is_away_is_reported() -> None:
    """The relay waits and tries again."""
    engine = connect(f"postgresql://nobody@{HOST}:{free_port()}/none")

    with pytest.raises(TransientError):
        StepSignal(engine).wait(LONG)

    engine.dispose()
