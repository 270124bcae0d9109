"""Makes identities: the keys of messages, and the ids of claims."""

import os
import time
from hashlib import blake2b

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


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
    random = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000 << 80) | _VERSION_7 | ((random >> 68) << 64)
    digits = f"{value | _VARIANT | (random & 0x3FFF_FFFF_FFFF_FFFF):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
