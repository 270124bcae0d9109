"""Replays messages from quarantine, as the messages that they were."""

from hashlib import sha256
from typing import Any

from pydantic_core import from_json

from domain.errors import MalformedMessage
from domain.field.batch import Batch
from domain.field.fault import Fault
from domain.field.quarantine import QuarantineEntry
from domain.field.usage import UsageRecord
from ingest.cloudevents import decode, strict_json

_LONGEST_IDENTIFIER = 1024


def read_again(entry: QuarantineEntry, body: bytes, who: str) -> Batch:
    """Decodes `body` into a batch of one, with the reception of the quarantined entry.

    Where nobody vouched for it then, whoever replays it does. A fault or a usage record whose bytes are others
    now says who edited it. Raises `MalformedMessage`, also for a body that states another source or id than
    the original bytes do: it would be another message.
    """
    event = decode.completed(strict_json.loads(body), entry.attributes, entry.key)
    _demand_identity(event, stated_identity(entry))
    batch = Batch()
    decode.ingest_event(batch, event, decode.Reception(entry.received_at, entry.door, entry.source or who))
    if body != entry.body:
        edited: list[Fault | UsageRecord] = [*batch.faults, *batch.usage]
        for message in edited:
            message.edited_by, message.original_digest = entry.editors, sha256(entry.body).hexdigest()
    return batch


def stated_identity(entry: QuarantineEntry) -> dict[str, str]:
    """Returns the source and the id of the message, where they are readable."""
    event = decode.completed(decoded(entry.body), entry.attributes, entry.key)
    if not isinstance(event, dict):
        # Unreadable bytes may have been the data alone; only in binary mode is that certain.
        event = entry.attributes if entry.attributes and "id" in entry.attributes else {}
    stated = {name: event.get(name) for name in ("source", "id")}
    return {
        name: str(value)
        for name, value in stated.items()
        if type(value) in (str, int) and 1 <= len(str(value)) <= _LONGEST_IDENTIFIER
    }


def decoded(body: bytes, *, cut_short: bool = False) -> Any:
    """Parses the bytes as JSON, more leniently than intake does; None where that fails.

    With `cut_short` also the whole values of a text that ends too soon.
    """
    try:
        return from_json(body, allow_partial=cut_short)
    except ValueError:
        return None


def _demand_identity(event: Any, original: dict[str, str]) -> None:
    for name, value in original.items():
        if isinstance(event, dict) and name in event and str(event[name]) != value:
            sentence = (
                f"A replay keeps the message's {name} {value[:128]!r}; these bytes say {event[name]!r:.128}."
            )
            raise MalformedMessage("OTHER_IDENTITY", sentence)
