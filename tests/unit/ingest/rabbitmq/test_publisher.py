"""By which routing key a message is sent."""

import pytest

from ingest.rabbitmq import topology
from ingest.rabbitmq.publisher import _routing_key
from tests.builders import a_message


@pytest.mark.parametrize(("kind", "key"), topology.ROUTING_KEYS.items())
def test_each_type_has_its_key(kind: str, key: str) -> None:
    """Controllers may only write under their own."""
    assert _routing_key(a_message(type=kind)) == key


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"type": null}',
        b'{"type": ["a"]}',
        b'{"type": {}}',
        b"\xff",
    ],
)
def test_what_has_no_known_type_still_reaches_a_queue(body: bytes) -> None:
    """Any queue leads to quarantine; the floor leads nowhere."""
    assert _routing_key(body) == topology.UNKNOWN_TYPE_KEY


def test_an_unknown_type_is_routed_like_none() -> None:
    """A newer version of a message is quarantined with its reason."""
    assert _routing_key(a_message(type="spotclaim.fault.raised.v2")) == topology.UNKNOWN_TYPE_KEY


def test_every_key_is_bound_to_a_queue() -> None:
    """The first word of each key has a queue."""
    bound = {pattern.removesuffix(".#") for pattern in topology.QUEUES}

    assert {key.split(".")[0] for key in (*topology.ROUTING_KEYS.values(), topology.UNKNOWN_TYPE_KEY)} == bound
