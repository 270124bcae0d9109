"""Defines the batch: decoded and validated messages that are made durable together."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord


@dataclass(slots=True)
class Quarantined:
    """A message that could not be understood, with its reason and its original bytes.

    `reason` is a code and `sentence` is for people. `attributes` are CloudEvents attributes that did not travel in
    the body, such as those of binary mode; `key` is the digest of both. `body` is base64, so that any bytes
    survive; of a message larger than `QUARANTINE_BODY_LIMIT` it is the first part, while `size` states the whole
    in bytes. `door` names the source or endpoint that received it.
    """

    key: str
    reason: str
    sentence: str
    body: str
    size: int
    received_at: datetime
    door: str
    source: str | None = None
    message_id: str | None = None
    attributes: dict[str, Any] | None = None


QUARANTINE_BODY_LIMIT = 1024 * 1024


@dataclass(slots=True)
class Batch:
    """Messages that travel together, at most a few hundred, in order of arrival."""

    faults: list[Fault] = field(default_factory=list)
    usage: list[UsageRecord] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.faults) + len(self.usage) + len(self.spots) + len(self.quarantined)
