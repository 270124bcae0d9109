"""Defines what administrative acts are about, each with the columns that its events state.

A secret stands here as its digest, and bytes do.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from domain.audit.chain import GENESIS

_NAMESPACE: Final = UUID("5b0f9d0e-2f0c-4c3e-9a57-6d1a1c3f2b27")


@dataclass(slots=True)
class LentAuthority:
    """The authority of a role that one person lends to another."""

    id: str
    role: str
    of: str
    to: str
    until: datetime
    created_at: datetime
    revoked_at: datetime | None = None
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class Token:
    """A person's or program's API token, by its SHA-256, and role."""

    id: str
    name: str
    role: str
    digest: str
    created_at: datetime
    disabled_at: datetime | None = None
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class Mute:
    """A silence as it is stored; see `domain.notifications.silence`."""

    id: str
    created_by: str
    why: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    ended_by: str | None = None
    codes: list[str] = field(default_factory=list)
    severities: list[str] = field(default_factory=list)
    claim_types: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class StoredDestination:
    """A destination that was added; its URL by its SHA-256, and what people may see of it."""

    id: str
    name: str
    shown: str
    url_digest: str
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
    removed_by: str | None = None
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class Message:
    """A message in quarantine that somebody decided on; its bytes by their SHA-256."""

    id: str
    state: str
    reason: str
    sentence: str
    body_digest: str
    size: int
    door: str
    source: str | None
    message_id: str | None
    attributes: dict[str, Any] | None
    received_at: datetime
    edited_digest: str | None = None
    message_key: str | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_why: str = ""
    editors: list[str] = field(default_factory=list)
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class LoadedPolicy:
    """A version of the policy, by the SHA-256 that it was kept under and that of its present text."""

    id: str
    name: str
    digest: str
    content_digest: str
    first_loaded_at: datetime
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class SigningKey:
    """The key that may sign checkpoints; there is one of these."""

    id: str
    key: str
    previous: str | None
    since: datetime
    reason: str
    version: int = 0
    head: str = GENESIS


@dataclass(slots=True)
class MeterKey:
    """The public key of a spot's meter, pinned by hand; connector 0 is the whole spot."""

    id: str
    spot_id: str
    connector_id: int
    public_key: str
    reason: str
    pinned_at: datetime
    pinned_by: str
    removed_at: datetime | None = None
    removed_by: str | None = None
    removed_why: str | None = None
    version: int = 0
    head: str = GENESIS


Thing = LentAuthority | Token | Mute | StoredDestination | Message | LoadedPolicy | SigningKey | MeterKey


def thing_id(kind: str, name: str) -> str:
    """Returns the id of something that has a name and no id: the same for the same name, always."""
    return str(uuid5(_NAMESPACE, f"{kind} {name}"))
