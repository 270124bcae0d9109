"""A message out of quarantine goes through its door again, as the message that it was."""

from typing import Any

from pydantic_core import from_json

from domain.errors import MalformedMessage
from domain.field.batch import Batch
from domain.field.quarantine import Entry
from ingest.cloudevents import decode as wire
from ingest.cloudevents import strict_json

_LONGEST_IDENTIFIER = 1024


def read_again(entry: Entry, body: bytes, who: str) -> Batch:
    """The message in `body` as a batch of one, received when, where and from whom the entry was.

    Where nobody vouched for it then, whoever replays it does. Raises `MalformedMessage`, also for a body that
    states another source or id than the original bytes do: it would be another message.
    """
    event = wire.completed(strict_json.loads(body), entry.attributes, entry.key)
    _demand_identity(event, stated_identity(entry))
    batch = Batch()
    wire.sort_in(batch, event, wire.Reception(entry.received_at, entry.door, entry.source or who))
    return batch


def stated_identity(entry: Entry) -> dict[str, str]:
    """The source and the id of the message, as far as they can be read and are such."""
    event = wire.completed(decoded(entry.body), entry.attributes, entry.key)
    if not isinstance(event, dict):
        # Of bytes that cannot be read nobody knows whether they were the data alone, but in binary mode.
        event = entry.attributes if entry.attributes and "id" in entry.attributes else {}
    stated = {name: event.get(name) for name in ("source", "id")}
    return {
        name: str(value)
        for name, value in stated.items()
        if type(value) in (str, int) and 1 <= len(str(value)) <= _LONGEST_IDENTIFIER
    }


def decoded(body: bytes, *, cut_short: bool = False) -> Any:
    """The bytes as JSON, more leniently than any door takes it; None where it does not go so far.

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
