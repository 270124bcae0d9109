"""Makes identities: the keys of messages, and the ids of claims."""

import os
import time
from collections.abc import Iterator
from hashlib import blake2b

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM_BYTES = 10


def message_key(source: str, message_id: str, stated_time: str | None, payload: bytes) -> str:
    """Returns the identity of a message, 32 hexadecimal digits.

    CloudEvents 1.0 says that `source` and `id` identify an event. Controllers reuse ids (one OCPP `uniqueId` 101
    times in a fortnight), so the event's own time and its canonical payload count as well.
    """
    stated_time = stated_time or ""
    # Stating the lengths keeps ("ab", "c") apart from ("a", "bc").
    identity = f"{len(source)} {len(message_id)} {len(stated_time)} {source}{message_id}{stated_time}"
    return blake2b(identity.encode() + payload, digest_size=16).hexdigest()


def new_claim_id() -> str:
    """Makes a version 7 UUID (RFC 9562).

    It is ordered by creation time to the millisecond, so indexes grow at one end.
    """
    return next(new_claim_ids(1))


def new_claim_ids(count: int) -> Iterator[str]:
    """Makes up to so many ids out of one reading of randomness.

    Each reading lets another thread in, which costs a batch more than all the rest of it.
    """
    randomness = os.urandom(_RANDOM_BYTES * count)
    for start in range(0, len(randomness), _RANDOM_BYTES):
        random = int.from_bytes(randomness[start : start + _RANDOM_BYTES], "big")
        value = (time.time_ns() // 1_000_000 << 80) | _VERSION_7 | ((random >> 68) << 64)
        digits = f"{value | _VARIANT | (random & 0x3FFF_FFFF_FFFF_FFFF):032x}"
        yield f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
