"""The port `DeliverBatch`: ingestion at once and through RabbitMQ makes the same claims of the same messages."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from domain.field.batch import Batch
from ingest.cloudevents import decode
from tests.builders import NOW, a_message
from tests.servers.waiting import PATIENCE_SECONDS, wait_until
from workers.bootstrap.app import App, build
from workers.roles.worker import working
from workers.settings import load_settings

USAGE = "spotclaim.usage.recorded.v1"


@pytest.fixture(params=["RabbitMQ", "at once"])
def app(request: pytest.FixtureRequest, database_url: str) -> Iterator[App]:
    amqp_url = request.getfixturevalue("amqp_url") if request.param == "RabbitMQ" else None
    settings = load_settings(database_url=database_url, amqp_url=amqp_url)
    with ExitStack() as stack:
        made = build(settings, stack, clock=lambda: NOW)
        stack.enter_context(working(made))
        yield made


def a_batch_of(*bodies: bytes) -> Batch:
    batch = Batch()
    for body in bodies:
        decode.ingest_message(batch, body, decode.Reception(NOW, "test", "controller-7"))
    return batch


def a_fault_on(spot_id: str, **changes: Any) -> bytes:
    error = {"taxonomy": "ocpp1.6", "code": "PowerMeterFailure"}
    return a_message({"spot_id": spot_id, "error": error, "zone": "north"}, **changes)


def claims(app: App) -> dict[str, tuple[Any, ...]]:
    columns = ("code", "status", "fault_count", "zone", "filed_by", "first_seen_at", "cleared_at", "version")
    return {row["spot_id"]: tuple(row[column] for column in columns) for row in app.queries.reports.list_claims()}


def stored(app: App) -> int:
    with app.foundation.engine.connect() as connection:
        tables = ("faults", "usage_records", "quarantine")
        return sum(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables)


def test_the_same_messages_make_the_same_claims(app: App) -> None:
    """Faults, a clear, usage, nonsense, and a batch that is delivered twice."""
    clear = a_fault_on("E2", type="spotclaim.fault.cleared.v1", time="2026-03-10T11:30:00Z")
    first = a_batch_of(a_fault_on("E1"), a_fault_on("E1"), a_fault_on("E2"), clear, b"nonsense")
    second = a_batch_of(a_fault_on("E1"), a_message({"spot_id": "E1", "session_id": "s"}, type=USAGE))

    for batch in (first, first, second):
        app.work.deliver_batch(batch)
    assert wait_until(lambda: stored(app) == 7 and claims(app)["E1"][2] == 3, PATIENCE_SECONDS)

    seen = NOW.replace(hour=11)
    common = ("METER_UNREADABLE", "submitted")
    assert claims(app) == {
        "E1": (*common, 3, "north", "controller-7", seen, None, 2),
        "E2": (*common, 1, "north", "controller-7", seen, seen.replace(minute=30), 1),
    }


def test_what_was_handed_over_is_durable(app: App) -> None:
    """Five hundred messages at once, each of them there."""
    app.work.deliver_batch(a_batch_of(*(a_fault_on(f"E{number}") for number in range(500))))

    assert wait_until(lambda: stored(app) == 500, PATIENCE_SECONDS)
