"""Stores claims, and finds the open one of a spot and code."""

from collections.abc import Iterable, Sequence
from typing import Final

import orjson
from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Executor, as_array, insert, selected, update
from domain.claims.claim import Claim, SpotAndCode

claims: Final = Table(
    "claims",
    metadata,
    Column("id", ID, primary_key=True),
    Column("spot_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("claim_type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("zone", Text),
    Column("affected_user", Text),
    Column("reservation_id", Text),
    Column("session_id", Text),
    Column("filed_by", Text),
    Column("also_filed_by", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("opened_at", MOMENT, nullable=False),
    Column("first_seen_at", MOMENT, nullable=False),
    Column("last_seen_at", MOMENT, nullable=False),
    Column("cleared_at", MOMENT),
    Column("closed_at", MOMENT),
    Column("fault_count", Integer, nullable=False),
    Column("stage", Integer, nullable=False, server_default=text("0")),
    Column("stages", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("policy_version", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    # The audit event that holds the verdict.
    Column("verdict_seq", Integer, nullable=False, server_default=text("0")),
    Column("four_eyes", Boolean, nullable=False, server_default=text("false")),
    Column("stage_hours", Double),
    Column("approved_by", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("escalated_to", Text),
    Column("reopened", Integer, nullable=False, server_default=text("0")),
    # Empty until verification binds the clocks; a due date also while a pause keeps it open.
    Column("time_zone", Text),
    Column("acknowledge_due_at", MOMENT),
    Column("resolve_due_at", MOMENT),
    Column("acknowledged_at", MOMENT),
    Column("pauses", ARRAY(MOMENT), nullable=False, server_default=text("'{}'::timestamptz[]")),
    Column("sla_alerts", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    # Empty while nothing is filed.
    Column("evidence_digest", LargeBinary, nullable=False, server_default=text("'\\x'::bytea")),
    # Empty until verification reads the spot's registrations.
    Column("site", Text),
    Column("model", Text),
    Column("firmware", Text),
    # What people call it; empty in claims that were opened before there were numbers.
    Column("number", Text, unique=True),
    Column("duplicate_of", ID),
    # The rule "one open claim for a spot and an error code", and the way every fault finds its claim.
    Index("claims_open", "spot_id", "code", unique=True, postgresql_where=text("closed_at IS NULL")),
)

# Written once, when the claim is opened.
_FIXED: Final = ("id", "spot_id", "filed_by", "opened_at", "number")
# What a claim's reports say together.
_COUNTED: Final = (
    "also_filed_by",
    "connector_id",
    "zone",
    "affected_user",
    "reservation_id",
    "session_id",
    "first_seen_at",
    "last_seen_at",
    "cleared_at",
    "fault_count",
    "version",
    "head",
)
# Written at the opening, and when a person corrects it.
_CORRECTED: Final = ("code", "claim_type", "severity")
# What an opening states; the other columns begin with their defaults, which are those of the dataclass.
_OPENED: Final = (*_FIXED, *_CORRECTED, *_COUNTED, "status", "policy_version")
# Written with every change.
_MOVING: Final = (
    *_COUNTED,
    "status",
    "closed_at",
    "stage",
    "stages",
    "four_eyes",
    "stage_hours",
    "approved_by",
    "escalated_to",
    "reopened",
    "verdict_seq",
    "policy_version",
    "time_zone",
    "acknowledge_due_at",
    "resolve_due_at",
    "acknowledged_at",
    "pauses",
    "sla_alerts",
    "evidence_digest",
)
# Known once the claim is verified.
_OF_THE_SPOT: Final = ("site", "model", "firmware")

_CLAIM: Final = selected(claims, Claim)
# One look into the index for each pair, and the locks in the order of the pairs.
_OPEN_CLAIMS: Final = f"""
SELECT c.* FROM jsonb_array_elements(%s::jsonb) AS w CROSS JOIN LATERAL (
    SELECT {_CLAIM} FROM claims
    WHERE spot_id = w->>0 AND code = w->>1 AND closed_at IS NULL LIMIT 1 FOR UPDATE
) c
"""
_CLAIMS: Final = f"SELECT {_CLAIM} FROM claims WHERE id = ANY(%s::uuid[]) ORDER BY spot_id, code FOR UPDATE"
_OPEN_CLAIMS_OF_SPOTS: Final = (
    "SELECT id::text FROM claims WHERE spot_id = ANY(%s) AND code = %s AND closed_at IS NULL ORDER BY id"
)
_NUMBERS: Final = "SELECT nextval('claim_numbers') FROM generate_series(1, %s)"

INSERT_CLAIMS: Final = insert(claims, _FIXED + _CORRECTED + _MOVING)
INSERT_OPENED: Final = insert(claims, _OPENED)
UPDATE_CLAIMS: Final = update(claims, (*_MOVING, *_OF_THE_SPOT, *_CORRECTED, "duplicate_of"))
UPDATE_COUNTED: Final = update(claims, _COUNTED)


class ClaimRows(Executor):
    """Reads claims within a transaction, and locks them."""

    def open_claims(self, pairs: Iterable[SpotAndCode]) -> dict[SpotAndCode, Claim]:
        wanted = orjson.dumps(sorted(pairs)).decode()
        found = [Claim(*row) for row in self._execute(_OPEN_CLAIMS, wanted)]
        return {(claim.spot_id, claim.code): claim for claim in found}

    def claim_numbers(self, count: int) -> list[int]:
        return [number for (number,) in self._execute(_NUMBERS, count)]

    def claims(self, ids: Sequence[str]) -> list[Claim]:
        return [Claim(*row) for row in self._execute(_CLAIMS, as_array(ids))]

    def open_claims_of_spots(self, spots: Sequence[str], code: str) -> list[str]:
        return [claim_id for (claim_id,) in self._execute(_OPEN_CLAIMS_OF_SPOTS, list(spots), code)]
