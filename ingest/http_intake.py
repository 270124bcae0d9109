"""What programs post: one message or a list, each answered for itself, once it is durable."""

import uuid
from typing import Any

from domain.errors import MalformedMessage
from domain.intake import Batch
from domain.ports import Clock, HandOver, Identity
from ingest import json_items, messages, problems, strict_json, wire

MAX_ITEMS = 1000


def take_in(
    body: bytes, default_type: str, identity: Identity, hand_over: HandOver, clock: Clock
) -> tuple[int, dict[str, Any]]:
    """Takes in one item or a list of them; returns the HTTP status and the answer.

    An item is a whole CloudEvent, or the bare data of `default_type`. 202 when at least one was accepted; the
    items that were not have a problem document, and their bytes are in quarantine. Raises `MalformedMessage` for a
    list of no or too many items, and for one item that is no list, when it is in quarantine; `TransientError` when
    nothing is durable and all must be sent again.
    """
    items = _items(body)
    batch, answers = Batch(), []
    reception = wire.Reception(clock(), "api", identity.name)
    attributes = {"source": f"api:{identity.name}", "type": default_type}
    for index, raw in enumerate(items):
        try:
            event = wire.completed(strict_json.loads(raw), attributes, str(uuid.uuid4()))
            wire.sort_in(batch, event, reception)
            answers.append({"index": index, "status": "accepted", "id": event["id"]})
        except MalformedMessage as reason:
            batch.quarantined.append(wire.quarantined(raw, reason, reception, attributes))
            answers.append({"index": index, "status": "refused", "problem": problems.of_error(reason)})
            refused = reason
    hand_over(batch)
    accepted = sum(answer["status"] == "accepted" for answer in answers)
    if not accepted and items == [body.strip()]:
        raise refused
    return (202 if accepted else 422), {"accepted": accepted, "items": answers}


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
