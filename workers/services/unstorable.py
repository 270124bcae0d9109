"""Quarantines messages that the database refused."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import orjson

from adapters.rabbitmq.batch_codec import from_batch
from domain.field.batch import Batch, Quarantined
from domain.ports.store import Clock

WORKER_DOOR: Final = "worker"


def refusal(clock: Clock) -> Callable[[Batch, Exception], Quarantined]:
    """Returns what makes a quarantined message of one that the database refused.

    It is kept as it was decoded, since its bytes are gone by then.
    """

    def refuse(batch: Batch, error: Exception) -> Quarantined:
        body = orjson.dumps(from_batch(batch))
        return Quarantined(
            key=blake2b(body, digest_size=16).hexdigest(),
            reason="NOT_STORABLE",
            sentence=f"The database refused the message: {type(error).__name__}.",
            body=b64encode(body).decode(),
            size=len(body),
            received_at=clock(),
            door=WORKER_DOOR,
        )

    return refuse
