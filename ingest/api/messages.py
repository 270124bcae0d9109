"""What programs post: one message or a list, each answered for itself, once it is durable."""

import uuid
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from domain.errors import MalformedMessage
from domain.field.batch import Batch
from domain.ports.store import Clock, HandOver, Identity
from ingest.api import problems
from ingest.cloudevents import decode as wire
from ingest.cloudevents import split_array as json_items
from ingest.cloudevents import strict_json
from ingest.cloudevents import types as messages

MAX_ITEMS = 1000


MakeId = Callable[[int], str]
"""The id of an item without one, by its place among those of the request."""


def any_id(_index: int) -> str:
    """An id that nobody had before."""
    return str(uuid.uuid4())


def ids_of(key: str, identity: Identity) -> MakeId:
    """The same id for the same item of a request that is repeated with the same key."""

    def make(index: int) -> str:
        return blake2b(f"{index} {len(key)} {key}{identity.name}".encode(), digest_size=16).hexdigest()

    return make


def take_in(
    body: bytes,
    default_type: str,
    identity: Identity,
    hand_over: HandOver,
    clock: Clock,
    make_id: MakeId = any_id,
) -> tuple[int, dict[str, Any]]:
    """Takes in one item or a list of them; returns the HTTP status and the answer.

    An item is a whole CloudEvent, or the bare data of `default_type`. 202 when at least one was accepted; the
    items that were not have a problem document that points at the mistake, and their bytes are in quarantine.
    Raises `MalformedMessage` for a list of no or too many items, and for one item that is no list, when it is in
    quarantine; `TransientError` when nothing is durable and all must be sent again.
    """
    items = _items(body)
    alone = items == [body.strip()]
    batch, answers = Batch(), []
    reception = wire.Reception(clock(), "api", identity.name)
    attributes = {"source": f"api:{identity.name}", "type": default_type}
    for index, raw in enumerate(items):
        try:
            taken_id = _sort_in(batch, strict_json.loads(raw), attributes, make_id(index), reception)
            answers.append({"index": index, "status": "accepted", "id": taken_id})
        except MalformedMessage as reason:
            reason.pointer = reason.pointer if alone else f"/{index}{reason.pointer}"
            batch.quarantined.append(wire.quarantined(raw, reason, reception, attributes))
            answers.append({"index": index, "status": "refused", "problem": problems.of_error(reason)})
            refused = reason
    hand_over(batch)
    accepted = sum(answer["status"] == "accepted" for answer in answers)
    if not accepted and alone:
        raise refused
    return (202 if accepted else 422), {"accepted": accepted, "items": answers}


def _sort_in(batch: Batch, item: Any, attributes: dict[str, str], made_id: str, reception: wire.Reception) -> str:
    """The id under which the item is known now. Raises `MalformedMessage`, pointing into the item."""
    event = wire.completed(item, attributes, made_id)
    try:
        wire.sort_in(batch, event, reception)
    except MalformedMessage as reason:
        if event is not item:
            reason.pointer = reason.pointer.removeprefix("/data")
        raise
    return str(event["id"])


def _items(body: bytes) -> list[bytes]:
    """Each with its own bytes. A body that is neither a list nor an object is one item, which will be refused."""
    items = json_items.split(body)
    if items is None:
        return [body.strip()]
    if not 1 <= len(items) <= MAX_ITEMS:
        raise MalformedMessage(
            "WRONG_COUNT", f"A list must hold 1 to {MAX_ITEMS} items; this one has {len(items)}."
        )
    return items


FAULTS = messages.FAULT_RAISED
USAGE = messages.USAGE_RECORDED
