"""Identities of messages and ids of claims."""

import time
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from domain.identifiers import message_key, new_claim_id, new_claim_ids

SAME = ("controller:7", "m-1", "2026-03-10T11:00:00Z", b'{"a":1}')


def test_a_repeated_message_keeps_its_key() -> None:
    """A redelivery is known by it."""
    assert message_key(*SAME) == message_key(*SAME)
    assert len(bytes.fromhex(message_key(*SAME))) == 16


@pytest.mark.parametrize(
    "other",
    [
        ("controller:8", "m-1", "2026-03-10T11:00:00Z", b'{"a":1}'),
        ("controller:7", "m-2", "2026-03-10T11:00:00Z", b'{"a":1}'),
        ("controller:7", "m-1", "2026-03-10T11:00:01Z", b'{"a":1}'),
        ("controller:7", "m-1", None, b'{"a":1}'),
        ("controller:7", "m-1", "2026-03-10T11:00:00Z", b'{"a":2}'),
    ],
    ids=["source", "id", "time", "no time", "payload"],
)
def test_each_part_counts(other: tuple[str, str, str | None, bytes]) -> None:
    """Controllers reuse ids, so the time and the payload tell messages apart as well."""
    assert message_key(*other) != message_key(*SAME)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c", "", b""), ("a", "bc", "", b"")),
        (("a", "bc", "d", b""), ("a", "b", "cd", b"")),
        (("a", "b", "c", b"d"), ("a", "b", "", b"cd")),
        (("1 1", "", "", b""), ("1", " 1", "", b"")),
    ],
)
def test_parts_do_not_run_into_each_other(
    one: tuple[str, str, str, bytes], other: tuple[str, str, str, bytes]
) -> None:
    """The same characters divided otherwise are another message."""
    assert message_key(*one) != message_key(*other)


def test_claim_ids_are_version_7_uuids() -> None:
    """RFC 9562: the version, the variant, and the time of creation in the first 48 bits."""
    before = time.time_ns() // 1_000_000
    made = [UUID(new_claim_id()) for _ in range(1000)]
    after = time.time_ns() // 1_000_000

    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {RFC_4122}
    assert all(before <= identifier.int >> 80 <= after for identifier in made)
    assert len(set(made)) == 1000


def test_claim_ids_grow_with_time() -> None:
    """Pages of claims are ordered by id, so ids must be ordered by creation."""
    made = [UUID(new_claim_id()).int >> 80 for _ in range(2000)]

    assert all(earlier <= later for earlier, later in pairwise(made))


def test_every_random_bit_of_a_claim_id_varies() -> None:
    """No bit outside time, version and variant is stuck."""
    random_bits = (0xFFF << 64) | ((1 << 62) - 1)
    made = [UUID(new_claim_id()).int & random_bits for _ in range(500)]

    ever_set, always_set = 0, random_bits
    for bits in made:
        ever_set |= bits
        always_set &= bits

    assert (ever_set, always_set) == (random_bits, 0)


def test_ids_of_a_batch_are_as_many_as_asked_for_and_differ() -> None:
    """They are made out of one reading of randomness."""
    made = list(new_claim_ids(500))

    assert len({UUID(identifier).int & ((1 << 62) - 1) for identifier in made}) == 500
    assert made == sorted(made, key=lambda identifier: UUID(identifier).int >> 80)
