"""The format of audit archives: a tar file whose parts are read by line.

In the first format, every event named its subject a claim, though it may have been an incident. The second knew
claims and incidents only.
"""

from typing import Any, Final

FORMAT: Final = "spotclaim-audit-3"
SECOND_FORMAT: Final = "spotclaim-audit-2"
FIRST_FORMAT: Final = "spotclaim-audit-1"
FORMATS: Final = (FORMAT, SECOND_FORMAT, FIRST_FORMAT)

CLAIMS: Final = "claims.jsonl"
EVENTS: Final = "events.jsonl"
# The field that orders the lines of each part, and the fields that each line needs.
ORDERED_BY: Final = {CLAIMS: "id", EVENTS: "subject_id"}
NEEDED: Final = {
    CLAIMS: {"id", "version", "head"},
    EVENTS: {"subject_id", "seq", "at", "actor", "kind", "body", "hash", "position"},
}

Row = dict[str, Any]
Event = list[bytes]
"""The fields of an event as `workers.audit.chain_replay` reads them."""

README: Final = """\
An audit record of Spotclaim. Check it with

    spotclaim audit verify THIS.tar --pubkey KEY.pub --checkpoints FOLDER

where the key and the checkpoints come from elsewhere: those in here prove nothing about who made this archive.

manifest.json      the format, when it was exported, and how many claims, events and positions there are
claims.jsonl       the claims as they stood, the incidents (`incident_id` names that of a claim), and what is
                   administered (`thing` says what: a token, a delegation, a silence, a destination, a policy, a
                   decided message in quarantine, the signing key), one a line, ordered by id; moments in UTC
                   with microseconds, secrets and bytes as their SHA-256
events.jsonl       their audit events, one a line, ordered by subject_id and seq; subject_kind is claim,
                   incident or administration
checkpoints.jsonl  the signed checkpoints, one a line, the smallest first
public-key.pem     the Ed25519 key that they are signed with, where it was known

Hash of an event: SHA-256 over the 32 bytes of the hash of the subject's event before it (32 zero bytes before the
first) and the UTF-8 text of subject_id, seq, at, actor, kind and body, joined by single line feeds, where in the
actor each backslash is written as two and each line feed as backslash and n. `body` is a string here and is hashed
character for character.

Faults, evidence and usage records are not in here: whether these rows are as the events name them is checked by
`spotclaim audit verify` on the database only.

`position` is the event's place in the log over all subjects, from 0; null while it waits for one. The log's leaves
are SHA-256(0x00, hash of the event in 32 bytes), its tree and root those of RFC 6962.

A checkpoint is canonical JSON (keys sorted, no spaces). `signature` is Ed25519 over the same line without its
signature, `root` the root over the first `size` positions, `previous` the SHA-256 of the checkpoint line before,
and `key` the first 16 digits of the SHA-256 of the public key's 32 bytes.
"""
