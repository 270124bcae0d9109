"""What cannot be understood goes into quarantine with its reason and its bytes, and disturbs nobody."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from tests.acceptance.installation import Database, Roles, await_that, command, settings, succeed
from tests.acceptance.messages import MALFORMED, encoded, fault
from tests.servers.publishing import PERSISTENT, confirming, offer

ROUTING_KEY = "fault.raised"


@pytest.fixture
def given(database_url: str, amqp_url: str, redis_url: str) -> dict[str, str]:
    return settings(database_url=database_url, amqp_url=amqp_url, redis_url=redis_url)


@pytest.fixture
def roles(given: dict[str, str], tmp_path: Path) -> Iterator[Roles]:
    """A running installation on a virtual host and a database of its own."""
    roles = Roles(tmp_path, given)
    try:
        roles.start()
        yield roles
    finally:
        roles.kill()


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url)


def channel(amqp_url: str) -> AbstractContextManager[BlockingChannel]:
    """A channel on which every publication is confirmed."""
    return confirming(pika.URLParameters(amqp_url))


def publish(amqp_url: str, *bodies: bytes, properties: pika.BasicProperties = PERSISTENT) -> None:
    """As a controller does."""
    with channel(amqp_url) as door:
        for body in bodies:
            offer(door, "spotclaim.in", ROUTING_KEY, body, properties)


def spots_under_review(database: Database) -> set[str]:
    return {spot for (spot,) in database.rows("SELECT spot_id FROM claims WHERE status = 'under_review'")}


def await_review(database: Database, spots: set[str]) -> None:
    await_that(f"{len(spots)} spots have claims under review", lambda: spots_under_review(database) == spots)


def quarantine(database: Database) -> dict[bytes, tuple[str, int]]:
    rows = database.rows("SELECT body, reason, size FROM quarantine")
    return {bytes(body): (reason, size) for body, reason, size in rows}


def test_malformed_messages_lie_between_good_ones(roles: Roles, amqp_url: str, database: Database) -> None:
    """Every kind is kept exactly as it came, with its reason, and each of its neighbours becomes a claim."""
    good = {f"GOOD*{number}": encoded(fault("good", number, f"GOOD*{number}")) for number in range(len(MALFORMED))}
    mixed = [
        body for pair in zip(good.values(), MALFORMED.values(), strict=True) for body in (pair[0], pair[1][0])
    ]

    publish(amqp_url, *mixed)

    await_review(database, set(good))
    found = quarantine(database)
    names = {body: name for name, (body, _) in MALFORMED.items()}
    reasons = {names.get(body, body): reason for body, (reason, _) in found.items()}
    assert reasons == {name: reason for name, (_, reason) in MALFORMED.items()}
    assert all(size == len(body) for body, (_, size) in found.items())


def test_malformed_messages_are_shown(
    roles: Roles, amqp_url: str, database: Database, given: dict[str, str]
) -> None:
    """`quarantine list` and `show` tell a person what came, by which door, and what is wrong with it."""
    publish(amqp_url, MALFORMED["no spot"][0])
    await_that("the message is in quarantine", lambda: len(quarantine(database)) == 1)

    (row,) = succeed(given, "quarantine", "list", "--json").json
    shown = succeed(given, "quarantine", "show", row["key"][:8]).output

    assert (row["reason"], row["door"], row["times"]) == ("MISSING_FIELD", "rabbitmq", 1)
    assert "data.spot_id" in row["sentence"]
    assert MALFORMED["no spot"][0].decode() in shown


def test_the_same_bytes_are_kept_once(roles: Roles, amqp_url: str, database: Database) -> None:
    """A controller that repeats itself fills no disk: one row, and a count."""
    body, reason = MALFORMED["not JSON"]
    publish(amqp_url, body)
    await_that("the message is in quarantine", lambda: len(quarantine(database)) == 1)

    publish(amqp_url, body, encoded(fault("good", 1, "GOOD*1")))

    await_review(database, {"GOOD*1"})
    assert database.rows("SELECT reason, times FROM quarantine") == [(reason, 2)]


def test_the_same_bytes_twice_in_one_batch_are_counted_twice(
    roles: Roles, amqp_url: str, database: Database
) -> None:
    """However messages happen to travel together, the count is how often they came."""
    body, reason = MALFORMED["not JSON"]
    roles["ingest"].kill()
    publish(amqp_url, body, body, body)

    roles.restart("ingest")

    await_that("the message is in quarantine", lambda: len(quarantine(database)) == 1)
    assert database.rows("SELECT reason, times FROM quarantine") == [(reason, 3)]


def test_a_message_larger_than_quarantine_keeps_its_beginning(
    roles: Roles, amqp_url: str, database: Database
) -> None:
    """Two megabytes come; the first is kept, and the size of the whole is on record."""
    body = encoded({"x": "y" * 2_000_000})

    publish(amqp_url, body, encoded(fault("good", 1, "GOOD*1")))

    await_review(database, {"GOOD*1"})
    assert quarantine(database) == {body[: 1024 * 1024]: ("TOO_LARGE", len(body))}


def test_a_flood_of_large_messages_stops_nobody(roles: Roles, amqp_url: str, database: Database) -> None:
    """Together they are more than the broker takes as one message."""
    bodies = [encoded({"number": number, "x": "y" * 300_000}) for number in range(450)]
    roles["ingest"].kill()
    publish(amqp_url, *bodies, encoded(fault("good", 1, "GOOD*1")))

    roles.restart("ingest")

    await_review(database, {"GOOD*1"})
    assert database.number("SELECT count(*) FROM quarantine WHERE reason = 'TOO_LARGE'") == len(bodies)


def test_attributes_in_headers_are_no_way_around(roles: Roles, amqp_url: str, database: Database) -> None:
    """In binary mode the envelope travels in AMQP headers, where no JSON decoder guards against U+0000."""
    event = fault("binary", 1, "BINARY*1")
    attributes: dict[str, Any] = {f"cloudEvents:{name}": value for name, value in event.items() if name != "data"}
    bad = attributes | {"cloudEvents:source": "/bi\0nary"}
    for headers in (bad, attributes):
        publish(
            amqp_url, encoded(event["data"]), properties=pika.BasicProperties(headers=headers, delivery_mode=2)
        )

    await_review(database, {"BINARY*1"})
    await_that("the other is in quarantine", lambda: len(quarantine(database)) == 1)


# What no worker of Spotclaim ever wrote: into Dramatiq's own queues.
def _foreign(queue: str, actor: str, *args: Any, **changed: Any) -> bytes:
    message = {"queue_name": queue, "actor_name": actor, "args": args, "kwargs": {}, "options": {}}
    return json.dumps(message | {"message_id": "foreign", "message_timestamp": 1} | changed).encode()


FOREIGN = {
    "spotclaim.intake": [
        b"",
        b"\x80\x04pickle",
        b"[]",
        b"{}",
        encoded(fault("foreign", 1, "FOREIGN*1")),
        _foreign("spotclaim.intake", "no_such_actor", {}),
        _foreign("spotclaim.verify", "verify", [1]),
        _foreign("spotclaim.intake", "take_in"),
        _foreign("spotclaim.intake", "take_in", "faults"),
        _foreign("spotclaim.intake", "take_in", {"faults": 1, "usage": [], "spots": [], "quarantined": []}),
        _foreign("spotclaim.intake", "take_in", {}, args=5),
        _foreign("spotclaim.intake", "take_in", {}, kwargs=[]),
        _foreign("spotclaim.intake", "take_in", {}, options="none"),
        _foreign("spotclaim.intake", "take_in", {}, queue_name=7),
    ],
    "spotclaim.verify": [
        b"nonsense",
        b"null",
        _foreign("spotclaim.verify", "verify", "all"),
        _foreign("spotclaim.verify", "verify", ["one", "two"]),
        _foreign("spotclaim.verify", "take_in", {}),
    ],
}


@pytest.mark.parametrize("queue", FOREIGN)
def test_foreign_messages_in_our_own_queues(roles: Roles, amqp_url: str, database: Database, queue: str) -> None:
    """Whatever it is, it becomes a dead letter, and the work behind it goes on."""
    publish_past_the_door(amqp_url, queue, FOREIGN[queue])
    publish(amqp_url, encoded(fault("good", 1, "GOOD*1")))

    await_review(database, {"GOOD*1"})
    assert_dead_letters(amqp_url, queue, FOREIGN[queue])
    assert all(roles[name].running for name in Roles.USUAL)


def test_reconcile_looks_past_foreign_dead_letters(
    roles: Roles, amqp_url: str, given: dict[str, str], tmp_path: Path
) -> None:
    """What is no batch of ours can hold nothing that was confirmed to a publisher."""
    publish_past_the_door(amqp_url, "spotclaim.intake", FOREIGN["spotclaim.intake"])
    assert_dead_letters(amqp_url, "spotclaim.intake", FOREIGN["spotclaim.intake"])
    file = tmp_path / "good.json"
    file.write_bytes(encoded(fault("good", 1, "GOOD*1")))
    send = ("send", file, "--ledger", tmp_path / "ledger")
    await_that("the fault is confirmed", lambda: command(given, *send).code == 0)

    result = succeed(given, "reconcile", "--ledger", tmp_path / "ledger", "--json").json

    assert (result["confirmed"], result["in_database"], result["lost"]) == (1, 1, 0)


def test_foreign_messages_that_ask_for_a_delay(roles: Roles, amqp_url: str, database: Database) -> None:
    """We never delay by the broker: those who wait until the year 36,000 must not hold up the queue till then."""
    delayed = [_foreign("spotclaim.intake", "take_in", {"number": n}, options={"eta": 2**50}) for n in range(20)]
    publish_past_the_door(amqp_url, "spotclaim.intake", delayed)
    publish(amqp_url, encoded(fault("good", 1, "GOOD*1")))

    await_review(database, {"GOOD*1"})
    assert_dead_letters(amqp_url, "spotclaim.intake", delayed)


def publish_past_the_door(amqp_url: str, queue: str, bodies: list[bytes]) -> None:
    """And only once the queue of its dead letters has kept a message: what comes before that is dropped."""
    with channel(amqp_url) as door:
        offer(door, "", f"{queue}.XQ", b"is it there?")
        await_that("dead letters are kept", lambda: door.basic_get(f"{queue}.XQ", auto_ack=True)[0] is not None)
        for body in bodies:
            offer(door, "", queue, body)


def assert_dead_letters(amqp_url: str, queue: str, bodies: list[bytes]) -> None:
    """Exactly these messages become dead letters, unchanged; what was offered again may be there twice.

    One channel holds what it found: what a closed one gives back comes some time later, and not all at once.
    """
    found: set[bytes] = set()
    with channel(amqp_url) as reader:

        def all_there() -> bool:
            found.update(iter(lambda: reader.basic_get(f"{queue}.XQ")[2], None))
            return found >= set(bodies)

        await_that(f"{len(bodies)} dead letters", all_there)
    assert found == set(bodies)
