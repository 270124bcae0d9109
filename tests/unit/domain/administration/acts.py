"""Every kind of administrative act, with its sentence."""

from datetime import timedelta
from typing import Any

from domain.administration import operating_acts as operating
from domain.administration import people_acts as people
from domain.administration.things import (
    LentAuthority,
    LoadedPolicy,
    Message,
    MeterKey,
    Mute,
    SigningKey,
    StoredDestination,
    Token,
    thing_id,
)
from domain.audit.event import Event
from tests.builders import NOW

_LATER = NOW + timedelta(hours=8)
_DIGEST = "ab" * 32
LENT = LentAuthority("d", "manager", "max", "olga", _LATER, NOW)
TOKEN = Token(thing_id("token", "rita"), "rita", "reviewer", _DIGEST, NOW)
SILENCE = Mute("s", "olga", "works", NOW, NOW, _LATER, codes=["OTHER"], zones=["north", "west"])
DESTINATION = StoredDestination("o", "ops", "slack://…", _DIGEST, NOW, "ada")
MESSAGE = Message(
    "m", "discarded", "NOT_JSON", "It is no JSON.", _DIGEST, 7, "http", "ada", None, {"id": "1"}, NOW,
    settled_at=NOW, settled_by="ada", settled_why="a test",
)  # fmt: skip
EDITED = Message(
    "m", "replayed", "NOT_JSON", "It is no JSON.", _DIGEST, 7, "http", None, "7", None, NOW,
    edited_digest=_DIGEST, settled_why="mended", editors=["ada"],
)  # fmt: skip
POLICY = LoadedPolicy(thing_id("policy", "2026-1"), "2026-1", _DIGEST, _DIGEST, NOW)
KEY = SigningKey(thing_id("signing key", ""), "1" * 16, "0" * 16, NOW, "the disk is gone")
METER_KEY = MeterKey("k", "E1", 2, "30" * 40 + "ab" * 8, "from the plate", NOW, "ada")
REMOVED_KEY = MeterKey("k", "E1", 0, "30" * 40 + "ab" * 8, "plate", NOW, "ada", _LATER, "max", "a new meter")

_RESTATED = "everything on record was restated"
ACTS: list[tuple[Event[Any], str]] = [
    (people.DelegationGiven.of(LENT), "lent the authority of the manager max to olga until 2026-03-10 20:00 UTC"),
    (people.DelegationEnded.of(LENT), "ended the loan of the authority of the manager max to olga"),
    (people.DelegationRestated.of(LENT), _RESTATED),
    (people.TokenAdded.of(TOKEN), "added rita as reviewer"),
    (people.TokenReplaced.of(TOKEN), "gave rita, still reviewer, a new token"),
    (people.RoleChanged.of(TOKEN), "gave rita another role, reviewer, and a new token"),
    (people.TokenDisabled.of(TOKEN), "disabled the token of rita, reviewer"),
    (people.TokenRestated.of(TOKEN), _RESTATED),
    (
        operating.SilenceMade.of(SILENCE),
        "silenced codes OTHER; zones north, west from 2026-03-10 12:00 UTC until 2026-03-10 20:00 UTC: works",
    ),
    (operating.SilenceEnded.of(SILENCE), "ended the silence of codes OTHER; zones north, west"),
    (operating.SilenceRestated.of(SILENCE), _RESTATED),
    (operating.DestinationAdded.of(DESTINATION), "added the destination ops, slack://…"),
    (operating.DestinationTested.of(DESTINATION), "tested the destination ops, slack://…"),
    (operating.DestinationRemoved.of(DESTINATION), "removed the destination ops, slack://…"),
    (operating.DestinationRestated.of(DESTINATION), _RESTATED),
    (operating.MessageReplayed.of(EDITED), "replayed a message that was refused as NOT_JSON as edited: mended"),
    (operating.MessageRefused.of(EDITED), "replayed a message as edited, which was refused as NOT_JSON: mended"),
    (operating.MessageDiscarded.of(MESSAGE), "discarded a message that was refused as NOT_JSON: a test"),
    (operating.MessageRestated.of(MESSAGE), _RESTATED),
    (operating.PolicyLoaded.of(POLICY), "loaded the policy's version 2026-1, digest abababababababab"),
    (operating.PolicyRestated.of(POLICY), _RESTATED),
    (
        operating.KeyReplaced.of(KEY),
        "let the key 1111111111111111 sign checkpoints in place of 0000000000000000: the disk is gone",
    ),
    (
        operating.MeterKeyPinned.of(METER_KEY),
        "pinned the public key …abababababababab for spot E1 / 2: from the plate",
    ),
    (
        operating.MeterKeyRemoved.of(REMOVED_KEY),
        "removed the public key …abababababababab for spot E1: a new meter",
    ),
]
