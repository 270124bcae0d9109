"""What carries work: Dramatiq over RabbitMQ, and its twin within the process."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from queue import SimpleQueue
from typing import Any

import dramatiq
import httpx
import orjson
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import xq_name

from adapters.rabbitmq import connection
from adapters.rabbitmq import dramatiq as dramatiq_broker
from domain.errors import TransientError
from domain.field.batch import Batch
from tests.builders import a_batch, a_clear, a_fault, a_message, a_quarantined, a_spot, a_usage_record
from tests.servers.loopback import HOST, free_port
from tests.servers.publishing import confirming, offer
from tests.servers.waiting import PATIENCE_SECONDS, wait_until
from workers.runtime.actors import INTAKE_QUEUE, register_intake, register_steps
from workers.steps.registry import STEPS

QUEUE = "spotclaim.test"
# A message as our own actors would send it.
OURS = {
    "queue_name": QUEUE,
    "actor_name": "test",
    "args": ["a stranger's"],
    "kwargs": {},
    "options": {},
    "message_id": "1",
    "message_timestamp": 1,
}


@pytest.fixture(params=["RabbitMQ", "in process"])
def broker(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    real = request.param == "RabbitMQ"
    made = _over_rabbitmq(request) if real else dramatiq_broker.in_process_broker()
    yield made
    made.close()


@pytest.fixture
def over_rabbitmq(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    made = _over_rabbitmq(request)
    yield made
    made.close()


def _over_rabbitmq(request: pytest.FixtureRequest) -> dramatiq.Broker:
    return dramatiq_broker.rabbitmq_broker(connection.parameters(request.getfixturevalue("amqp_url")))


@contextmanager
def working(broker: dramatiq.Broker, *queues: str) -> Iterator[None]:
    worker = dramatiq.Worker(broker, queues=set(queues or [QUEUE]), worker_threads=2, worker_timeout=50)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def dead_letters(broker: dramatiq.Broker, queue: str = QUEUE) -> int:
    if isinstance(broker, dramatiq_broker.SafeRabbitmqBroker):
        return broker.get_queue_message_counts(queue)[2]
    return len(broker.dead_letters_by_queue[queue])  # type: ignore[attr-defined]


class Actor:
    """An actor that keeps what it was sent, and fails on request."""

    def __init__(self, broker: dramatiq.Broker) -> None:
        self.failures: list[Exception] = []
        self._ran: SimpleQueue[Any] = SimpleQueue()
        self._actor = dramatiq.actor(self._run, actor_name="test", queue_name=QUEUE, broker=broker)
        self.send = self._actor.send

    def ran(self, times: int = 1) -> list[Any]:
        return [self._ran.get(timeout=PATIENCE_SECONDS) for _ in range(times)]

    def never_ran(self) -> bool:
        return self._ran.empty()

    def _run(self, value: Any) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self._ran.put(value)


def test_what_is_sent_is_carried_out(broker: dramatiq.Broker) -> None:
    """With what was sent, as JSON has it."""
    actor = Actor(broker)
    actor.send({"a": [1, None, "ü"]})

    with working(broker):
        assert actor.ran() == [{"a": [1, None, "ü"]}]


def test_every_message_is_carried_out_once(broker: dramatiq.Broker) -> None:
    """Two hundred, by two threads."""
    actor = Actor(broker)

    with working(broker):
        for number in range(200):
            actor.send(number)
        assert sorted(actor.ran(200)) == list(range(200))

    assert actor.never_ran()


def test_a_message_that_fails_is_kept_as_a_dead_letter(broker: dramatiq.Broker) -> None:
    """It is not acknowledged as if all were well, and holds up nobody."""
    actor = Actor(broker)
    actor.failures.append(ValueError("a bug"))

    with working(broker):
        actor.send("fails")
        assert wait_until(lambda: dead_letters(broker) == 1, PATIENCE_SECONDS)
        actor.send("goes on")
        assert actor.ran() == ["goes on"]

    assert actor.never_ran()


def test_a_batch_arrives_as_it_was_handed_over(broker: dramatiq.Broker) -> None:
    """Every kind of message, with its moments."""
    batch = a_batch(
        faults=[a_fault(evidence=[{"kind": "note", "text": "x"}]), a_clear()],
        usage=[a_usage_record(samples=[{"kwh": 1}])],
        spots=[a_spot()],
        quarantined=[a_quarantined(b"\xff")],
    )
    arrived: SimpleQueue[Batch] = SimpleQueue()
    deliver_batch = register_intake(broker, arrived.put)

    with working(broker, INTAKE_QUEUE):
        deliver_batch(batch)
        assert arrived.get(timeout=PATIENCE_SECONDS) == batch


def test_a_process_in_which_a_message_hangs_is_ended() -> None:
    """And only then: a hundred quick messages disturb nobody."""
    given_up, released = threading.Event(), threading.Event()
    watchdog = dramatiq_broker.Watchdog(2, given_up.set)
    broker = StubBroker(middleware=[watchdog])
    quick: SimpleQueue[int] = SimpleQueue()
    work = dramatiq.actor(quick.put, actor_name="quick", queue_name=QUEUE, broker=broker)
    hang = dramatiq.actor(
        lambda: released.wait(PATIENCE_SECONDS), actor_name="hang", queue_name=QUEUE, broker=broker
    )

    with working(broker):
        for number in range(100):
            work.send(number)
        broker.join(QUEUE, timeout=1000 * PATIENCE_SECONDS)
        assert not given_up.is_set()
        hang.send()
        assert given_up.wait(PATIENCE_SECONDS)
        released.set()


class Runner:
    """Keeps which steps it was asked to run."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[tuple[str, Sequence[int]]] = SimpleQueue()

    def run(self, kind: str, ids: Sequence[int]) -> None:
        self.asked.put((kind, ids))


def test_steps_reach_the_runner_by_their_kind(broker: dramatiq.Broker) -> None:
    """Each kind has its own queue."""
    runner = Runner()
    send = register_steps(defaultdict(lambda: broker), runner.run)

    with working(broker, STEPS["deliver"].queue):
        send("verify", [1])
        send("deliver", (2, 3))
        assert runner.asked.get(timeout=PATIENCE_SECONDS) == ("deliver", [2, 3])
    with working(broker, STEPS["verify"].queue):
        assert runner.asked.get(timeout=PATIENCE_SECONDS) == ("verify", [1])


class TestOverRabbitmq:
    """What only a real broker can lose, keep and be sent by strangers."""

    def test_work_waits_for_a_server_that_is_away(self, over_rabbitmq: dramatiq.Broker) -> None:
        """A batch of faults may be the only copy: it goes back to its queue until it is done."""
        actor = Actor(over_rabbitmq)
        actor.failures += [TransientError("PostgreSQL is away.")] * 3

        with working(over_rabbitmq):
            actor.send("patient")
            assert actor.ran() == ["patient"]

        assert dead_letters(over_rabbitmq) == 0

    def test_a_bug_after_an_outage_is_a_dead_letter(self, over_rabbitmq: dramatiq.Broker) -> None:
        """Putting one message back does not put back the next."""
        actor = Actor(over_rabbitmq)
        actor.failures += [TransientError("away"), ValueError("a bug")]

        with working(over_rabbitmq):
            actor.send("unlucky")
            assert wait_until(lambda: dead_letters(over_rabbitmq) == 1, PATIENCE_SECONDS)

    def test_a_message_outlives_its_worker(self, over_rabbitmq: dramatiq.Broker) -> None:
        """What waits when one worker stops, the next carries out."""
        actor = Actor(over_rabbitmq)
        with working(over_rabbitmq):
            actor.send("first")
            actor.ran()
        actor.send("second")

        with working(over_rabbitmq):
            assert actor.ran() == ["second"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff\x00",
            b"not json",
            b"null",
            b"[]",
            b"{}",
            b'{"queue_name": 5}',
            a_message(),
            *(
                orjson.dumps(OURS | change)
                for change in (
                    {"queue_name": "elsewhere"},
                    {"actor_name": "nobody"},
                    {"actor_name": ["test"]},
                    {"actor_name": None},
                    {"args": 5},
                    {"args": None},
                    {"args": []},
                    {"kwargs": 7},
                    {"options": 5},
                    {"options": None},
                    {"options": {"eta": 10**15}},
                )
            ),
        ],
        ids=lambda body: body.decode("latin-1")[:90],
    )
    def test_a_strangers_message_is_set_aside(
        self, over_rabbitmq: dramatiq_broker.SafeRabbitmqBroker, body: bytes
    ) -> None:
        """It stops no thread: what comes after it is carried out."""
        actor = Actor(over_rabbitmq)
        over_rabbitmq.declare_queue(QUEUE, ensure=True)
        with confirming(over_rabbitmq.parameters) as channel:
            offer(channel, "", QUEUE, body)

        with working(over_rabbitmq):
            assert wait_until(lambda: dead_letters(over_rabbitmq) == 1, PATIENCE_SECONDS)
            actor.send("goes on")
            assert actor.ran() == ["goes on"]

        assert actor.never_ran()

    def test_queues_are_replicated_and_dead_letters_do_not_expire(
        self, over_rabbitmq: dramatiq_broker.SafeRabbitmqBroker, rabbitmq_api_url: str
    ) -> None:
        """A batch of faults outlives the loss of a node, and a dead letter waits until somebody looks."""
        over_rabbitmq.declare_queue(QUEUE, ensure=True)

        virtual_host = over_rabbitmq.parameters.virtual_host  # type: ignore[union-attr]
        with httpx.Client(base_url=rabbitmq_api_url, trust_env=False) as api:
            declared = {queue["name"]: queue["arguments"] for queue in api.get(f"/queues/{virtual_host}").json()}

        assert declared[QUEUE]["x-queue-type"] == declared[xq_name(QUEUE)]["x-queue-type"] == "quorum"
        assert declared[QUEUE]["x-dead-letter-routing-key"] == xq_name(QUEUE)
        assert not {"x-message-ttl", "x-expires", "x-max-length"} & set(declared[xq_name(QUEUE)])


@pytest.mark.parametrize(
    "send",
    [
        lambda broker: register_intake(broker, lambda _: None)(a_batch(faults=[a_fault()])),
        lambda broker: register_steps(defaultdict(lambda: broker), Runner().run)("verify", [1]),
    ],
    ids=["batch", "steps"],
)
def test_a_broker_that_is_away_is_reported_as_such(send: Callable[[dramatiq.Broker], None]) -> None:
    """The caller knows that nothing is durable, and tries again."""
    url = f"amqp://guest:guest@{HOST}:{free_port()}/"
    broker = dramatiq_broker.rabbitmq_broker(connection.parameters(url))

    with closing(broker), pytest.raises(TransientError, match="RabbitMQ did not confirm"):
        send(broker)
