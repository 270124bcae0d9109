"""Ingests posted messages, one or a list, and answers for each once it is durable."""

import uuid
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from domain.errors import MalformedMessage
from domain.field.batch import Batch
from domain.ports.store import Clock, DeliverBatch, Identity
from ingest.api import problems
from ingest.cloudevents import decode, split_array, strict_json, unknown_fields

MAX_ITEMS = 1000


MakeId = Callable[[int], str]
"""Makes the id of an item that has none, from its index in the request."""


def any_id(_index: int) -> str:
    """Returns a new random id."""
    return str(uuid.uuid4())


def ids_of(key: str, identity: Identity) -> MakeId:
    """Derives ids from an idempotency key, so that a repeated request gives the same ones."""

    def make(index: int) -> str:
        return blake2b(f"{index} {len(key)} {key}{identity.name}".encode(), digest_size=16).hexdigest()

    return make


def ingest_items(
    body: bytes,
    default_type: str,
    identity: Identity,
    deliver_batch: DeliverBatch,
    clock: Clock,
    make_id: MakeId = any_id,
) -> tuple[int, dict[str, Any]]:
    """Ingests one item or a list of them; returns the HTTP status and the answer.

    An item is a whole CloudEvent, or the bare data of `default_type`. 202 when at least one was accepted; each
    item that was not has a problem document that points at the mistake, and its bytes are in quarantine. Raises
    `MalformedMessage` for a list of no or too many items, and for one item that is no list, when it is in
    quarantine; `TransientError` when nothing is durable and all must be sent again.
    """
    items = _items(body)
    alone = items == [body.strip()]
    batch, answers = Batch(), []
    reception = decode.Reception(clock(), "api", identity.name)
    attributes = {"source": f"api:{identity.name}", "type": default_type}
    for index, raw in enumerate(items):
        try:
            accepted = _ingest_item(batch, strict_json.loads(raw), attributes, make_id(index), reception)
            answers.append({"index": index, "status": "accepted"} | accepted)
        except MalformedMessage as reason:
            reason.pointer = reason.pointer if alone else f"/{index}{reason.pointer}"
            batch.quarantined.append(decode.quarantined(raw, reason, reception, attributes))
            answers.append({"index": index, "status": "refused", "problem": problems.of_error(reason)})
            refused = reason
    deliver_batch(batch)
    count = sum(answer["status"] == "accepted" for answer in answers)
    if not count and alone:
        raise refused
    return (202 if count else 422), {"accepted": count, "items": answers}


def _ingest_item(
    batch: Batch, item: Any, attributes: dict[str, str], made_id: str, reception: decode.Reception
) -> dict[str, Any]:
    """Adds an item to the batch; returns its id, and warnings if there are any.

    Raises `MalformedMessage`, pointing into the item.
    """
    event = decode.completed(item, attributes, made_id)
    try:
        message = decode.ingest_event(batch, event, reception)
    except MalformedMessage as reason:
        if event is not item:
            reason.pointer = reason.pointer.removeprefix("/data")
        raise
    sentences = [sentence for _, sentence in unknown_fields.warnings(message.unknown)]
    return {"id": message.message_id} | ({"warnings": sentences} if sentences else {})


def _items(body: bytes) -> list[bytes]:
    """Splits the body into items, each with its own bytes.

    A body that is neither a list nor an object is one item, which will be refused.
    """
    items = split_array.split(body)
    if items is None:
        return [body.strip()]
    if not 1 <= len(items) <= MAX_ITEMS:
        raise MalformedMessage(
            "WRONG_COUNT", f"A list must hold 1 to {MAX_ITEMS} items; this one has {len(items)}."
        )
    return items
