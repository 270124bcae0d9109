"""Stores items of evidence, and reads those that came with faults."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Index, Table, Text

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Execute, Executor, as_array, insert, or_update, selected
from domain.evidence.item import REPORTED_PIECES, Evidence, Reported

claim_evidence: Final = Table(
    "claim_evidence",
    metadata,
    Column("id", ID, primary_key=True),
    Column("claim_id", ID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("added_at", MOMENT, nullable=False),
    Column("added_by", Text, nullable=False),
    # The very characters that the digest of the set covers, so text and not JSONB.
    Column("content", Text, nullable=False),
    Column("withdrawn_at", MOMENT),
    Column("withdrawn_by", Text),
    Index("claim_evidence_claim", "claim_id"),
)

# Written once, and written again when the item is withdrawn.
_FIXED: Final = ("id", "claim_id", "kind", "added_at", "added_by", "content")
_MOVING: Final = ("withdrawn_at", "withdrawn_by")

_EVIDENCE: Final = (
    f"SELECT {selected(claim_evidence, Evidence)} FROM claim_evidence WHERE claim_id = %s ORDER BY id"
)
# Only faults that brought evidence are in the index by claim, and the condition must say so to use it.
_WITH_EVIDENCE: Final = "f.evidence <> '[]'::jsonb"
_REPORTED_EVIDENCE: Final = f"""
SELECT replace(f.key::text, '-', ''), f.received_at, coalesce(f.filed_by, f.source), piece.data
FROM faults f CROSS JOIN LATERAL jsonb_array_elements(f.evidence) WITH ORDINALITY AS piece(data, place)
WHERE f.claim_id = %s AND {_WITH_EVIDENCE} ORDER BY f.received_at, f.key, piece.place LIMIT {REPORTED_PIECES}
"""
# Items that lack what their kind needs are older than that rule (`domain.evidence.content`); they do not count.
_EVIDENCE_KINDS: Final = f"""
SELECT claim_id::text, array_agg(kind) FROM (
    SELECT claim_id, kind FROM claim_evidence
    WHERE claim_id = ANY(%s::uuid[]) AND withdrawn_at IS NULL AND evidence_item_typed(kind, content::jsonb)
    UNION
    SELECT f.claim_id, piece->>'kind'
    FROM faults f CROSS JOIN LATERAL jsonb_array_elements(evidence_that_counts(f.evidence)) AS piece
    WHERE f.claim_id = ANY(%s::uuid[]) AND {_WITH_EVIDENCE}
) k GROUP BY claim_id
"""

INSERT_EVIDENCE: Final = insert(claim_evidence, _FIXED + _MOVING, or_update(_MOVING))


def read_evidence_kinds(execute: Execute, claim_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Reads which kinds of evidence each claim has on file."""
    ids = as_array(claim_ids)
    found = dict.fromkeys(claim_ids, frozenset[str]())
    return found | {claim_id: frozenset(kinds) for claim_id, kinds in execute(_EVIDENCE_KINDS, ids, ids)}


class EvidenceRows(Executor):
    """Reads evidence within a transaction."""

    def evidence(self, claim_id: str) -> list[Evidence]:
        return [Evidence(*row) for row in self._execute(_EVIDENCE, claim_id)]

    def reported_evidence(self, claim_id: str) -> list[Reported]:
        return [Reported(*row) for row in self._execute(_REPORTED_EVIDENCE, claim_id)]

    def evidence_kinds(self, claim_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        return read_evidence_kinds(self._execute, claim_ids)
