"""Frames of a back-end's message log go through RabbitMQ, whoever consumes them and whatever dies meanwhile."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pika
import pytest
from sqlalchemy import Engine

from adapters.postgres.field.station_memory import PostgresStationMemory
from adapters.rabbitmq import connection as rabbitmq
from domain.errors import TransientError
from domain.field.batch import Batch
from ingest.ocpp.queue import FrameListener
from ingest.rabbitmq import topology
from ingest.rabbitmq.consumer import Consumer
from tests.integration.parts import Clock
from tests.servers.publishing import confirming, offer
from tests.servers.waiting import PATIENCE_SECONDS, wait_until

BEGAN = datetime(2025, 10, 1, 8, 0, tzinfo=UTC)


class Taken:
    """What was handed over, of any number of consumers."""

    def __init__(self, engine: Engine, amqp_url: str) -> None:
        self.batches: list[Batch] = []
        self.ignored: Counter[str] = Counter()
        self.clock = Clock(BEGAN)
        self.fail = threading.Event()
        self.failing, self.go_on = threading.Event(), threading.Event()
        self.stop_at_once = False
        self._memory = PostgresStationMemory(engine)
        self._parameters = rabbitmq.parameters(amqp_url)

    def deliver_batch(self, batch: Batch) -> None:
        if self.fail.is_set():
            self.fail.clear()
            self.failing.set()
            assert self.go_on.wait(PATIENCE_SECONDS)
            raise TransientError("as asked for")
        self.batches.append(batch)
        if self.stop_at_once:
            self._stopping.set()

    @contextmanager
    def consuming(self, **options: Any) -> Iterator[None]:
        self._stopping = stopping = threading.Event()
        listener = FrameListener(self.deliver_batch, self._memory, self.clock, self.ignored.update, **options)
        thread = threading.Thread(target=Consumer(self._parameters, listener, stopping=stopping).run)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(PATIENCE_SECONDS)

    def publish(self, *bodies: Any, key: str = "ocpp.log", **properties: Any) -> None:
        with confirming(self._parameters) as channel:
            topology.declare(channel)
            for body in bodies:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                offer(channel, topology.EXCHANGE, key, raw, pika.BasicProperties(delivery_mode=2, **properties))

    def all(self, part: str) -> list[Any]:
        return [item for batch in self.batches for item in getattr(batch, part)]

    def await_count(self, part: str, count: int) -> list[Any]:
        assert wait_until(lambda: len(self.all(part)) >= count), self.batches
        return self.all(part)


@pytest.fixture
def taken(engine: Engine, amqp_url: str) -> Taken:
    return Taken(engine, amqp_url)


def frame(second: int, *message: Any, station: str = "CH-1") -> dict[str, Any]:
    at = (BEGAN + timedelta(seconds=second)).isoformat()
    return {"timestamp": at, "chargePointId": station, "message": list(message)}


def status(second: int, error: str, status: str = "Faulted") -> dict[str, Any]:
    payload = {"connectorId": 1, "status": status, "errorCode": error}
    return frame(second, 2, f"s{second}", "StatusNotification", payload)


RESERVE = {"connectorId": 1, "expiryDate": "2025-10-01T09:00:00Z", "idTag": "TAG", "reservationId": 7}


def heartbeat(second: int, station: str = "CH-1") -> dict[str, Any]:
    return frame(second, 2, f"h{second}", "Heartbeat", {}, station=station)


def test_frames_of_a_queue_become_messages(taken: Taken) -> None:
    """Given a fault, its clear, a session and rubbish, then each becomes what it is, and the rest is counted."""
    with taken.consuming():
        taken.publish(
            heartbeat(0),
            status(1, "GroundFailure"),
            b"\xff not a frame",
            heartbeat(2),
            frame(3, 2, "t", "StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": 1000}),
            frame(4, 3, "t", {"transactionId": 5, "idTagInfo": {"status": "Accepted"}}),
            frame(5, 2, "u", "StopTransaction", {"transactionId": 5, "meterStop": 3500}),
            status(6, "NoError", "Available"),
        )
        faults = taken.await_count("faults", 2)

        assert {fault.raw_code for fault in faults} == {"GroundFailure"}
        assert [fault.cleared for fault in faults] == [False, True]
        assert [(record.session_id, record.energy_kwh) for record in taken.all("usage")] == [("5", 2.5)]
        assert [(item.reason, item.door) for item in taken.all("quarantined")] == [("NOT_UTF8", "ocpp")]
        assert taken.ignored["Heartbeat"] == 1


def test_what_was_said_before_a_restart_is_remembered(taken: Taken) -> None:
    """Given a code, a reservation and a session begun before a restart, then what follows finds them."""
    with taken.consuming():
        taken.publish(
            status(0, "GroundFailure"),
            frame(1, 2, "r", "ReserveNow", RESERVE),
            frame(2, 2, "t", "StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": 1000}),
            frame(3, 3, "t", {"transactionId": 5, "idTagInfo": {"status": "Accepted"}}),
        )
        taken.await_count("faults", 1)
    taken.batches.clear()

    with taken.consuming():
        taken.publish(
            status(10, "NoError"),
            frame(11, 3, "r", {"status": "Occupied"}),
            frame(12, 2, "u", "StopTransaction", {"transactionId": 5, "meterStop": 3500}),
            status(13, "NoError", "Available"),
        )
        faults = taken.await_count("faults", 2)

    assert [(fault.raw_code, fault.cleared) for fault in faults] == [("Occupied", False), ("GroundFailure", True)]
    assert [record.energy_kwh for record in taken.all("usage")] == [2.5]


def test_frames_that_come_again_give_the_messages_they_gave(taken: Taken) -> None:
    """Given frames that come while a hand-over fails, then all come again in their order, and give the same."""
    taken.fail.set()
    with taken.consuming():
        taken.publish(status(0, "GroundFailure"))
        assert taken.failing.wait(PATIENCE_SECONDS)
        taken.publish(status(1, "NoError"), status(2, "NoError", "Available"))
        taken.go_on.set()
        faults = taken.await_count("faults", 2)

    assert [(fault.raw_code, fault.cleared) for fault in faults] == [
        ("GroundFailure", False),
        ("GroundFailure", True),
    ]


def test_whoever_stops_in_a_backlog_leaves_the_rest_in_order(taken: Taken) -> None:
    """Given more frames than a consumer holds, when it stops and another takes over, then their order holds."""
    codes = [f"Code{number}" for number in range(1600)]
    taken.publish(*(status(number, code) for number, code in enumerate(codes)))
    for taken.stop_at_once, count in ((True, 1), (False, len(codes))):
        with taken.consuming():
            taken.await_count("faults", count)

    assert [fault.raw_code for fault in taken.all("faults")] == codes


def test_of_two_consumers_one_has_the_queue_until_it_goes(taken: Taken) -> None:
    """Given two consumers, when frames of one station come, then their order holds and none is shared."""
    with taken.consuming():
        with taken.consuming():
            taken.publish(*(status(n, f"Code{n}") for n in range(200)))
            taken.await_count("faults", 200)
        taken.publish(status(300, "NoError", "Available"))
        faults = taken.await_count("faults", 400)

    assert [fault.raw_code for fault in faults[:200]] == [f"Code{n}" for n in range(200)]
    assert {fault.raw_code for fault in faults[200:]} == {f"Code{n}" for n in range(200)}


@pytest.mark.parametrize("speaks", [True, False])
def test_a_reservation_that_nobody_answers_is_a_fault_even_of_a_silent_station(taken: Taken, speaks: bool) -> None:
    """Given a ReserveNow without an answer, when its time is up by frames or by the clock, then it is a fault."""
    with taken.consuming():
        taken.publish(frame(0, 2, "r", "ReserveNow", RESERVE), heartbeat(1, "CH-2"))
        taken.await_count("spots", 1)
        taken.clock.now = BEGAN + timedelta(minutes=5)
        if speaks:
            taken.publish(heartbeat(90, "CH-2"))
        [fault] = taken.await_count("faults", 1)

    assert (fault.spot_id, fault.raw_code, fault.reservation_id) == ("CH-1", "RESERVATION_NOT_CONFIRMED", "7")


def test_an_answer_behind_a_backlog_is_not_overdue(taken: Taken) -> None:
    """Given frames that waited for an hour, then a request is held against their own time and not the clock's."""
    taken.clock.now = BEGAN + timedelta(hours=1)
    taken.publish(frame(0, 2, "r", "ReserveNow", RESERVE), *(heartbeat(1) for _ in range(1500)))
    taken.publish(frame(2, 3, "r", {"status": "Accepted"}), status(3, "GroundFailure"))

    with taken.consuming():
        faults = taken.await_count("faults", 1)

    assert [fault.raw_code for fault in faults] == ["GroundFailure"]


def test_a_bare_frame_is_its_routing_keys_station_and_its_messages_time(taken: Taken) -> None:
    """Given a back-end that publishes what it hears as it is, then nothing is missing."""
    payload = {"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure"}
    with taken.consuming():
        sent_at = int(BEGAN.timestamp()) - 60
        taken.publish([2, "u", "StatusNotification", payload], key="ocpp.DE*ABC*E1.2", timestamp=sent_at)
        [fault] = taken.await_count("faults", 1)

    assert (fault.spot_id, fault.occurred_at) == ("DE*ABC*E1.2", BEGAN - timedelta(seconds=60))


def test_frames_of_no_user_are_refused_where_one_is_required(taken: Taken) -> None:
    """Given a back-end that states no user and one that does, then only the second is heard."""
    with taken.consuming(require_user_id=True):
        taken.publish(status(0, "GroundFailure"))
        taken.publish(status(1, "WeakSignal"), user_id="guest")
        [fault] = taken.await_count("faults", 1)

    assert (fault.raw_code, fault.filed_by) == ("WeakSignal", "guest")
    assert [item.reason for item in taken.all("quarantined")] == ["NO_USER_ID"]
