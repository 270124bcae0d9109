"""Stores steps: jobs in the transactional outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Deletion, Executor, insert
from domain.steps import KINDS, Step

steps: Final = Table(
    "steps",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_ids", ARRAY(ID), nullable=False),
    Column("due_at", MOMENT, nullable=False),
    Column("leased_until", MOMENT),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("subject_kind", Text, nullable=False, server_default=text("'claim'::text")),
    # What only steps of this kind say: the other fields of their class in `domain.steps`.
    Column("payload", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index("steps_due", "due_at"),
)

_WRITTEN: Final = ("kind", "subject_kind", "subject_ids", "payload", "due_at", "attempts")

_STEPS: Final = """
SELECT subject_ids::text[], subject_kind, due_at, attempts, id, payload FROM steps
WHERE id = ANY(%s) AND kind = %s ORDER BY id FOR UPDATE SKIP LOCKED
"""

# Delivered at commit, once however often it is called in a transaction.
WAKE_RELAY: Final = "SELECT pg_notify('spotclaim_steps', '')"
# Without a due time it is due at once.
_DUE_AT: Final = {"due_at": "coalesce((r->>{})::timestamptz, now())"}
INSERT_STEPS: Final = insert(steps, _WRITTEN, spelled=_DUE_AT, afterwards=WAKE_RELAY)
FINISH_STEPS: Final = Deletion("DELETE FROM steps WHERE id = ANY(%s)", ("step_id",))

_POSTPONE: Final = (
    "UPDATE steps SET attempts = attempts + 1, due_at = %s, leased_until = NULL, last_error = %s WHERE id = %s"
)


class StepRows(Executor):
    """Reads and postpones steps within a transaction."""

    def take_steps(self, kind: str, ids: Sequence[int]) -> list[Step]:
        made = KINDS[kind]
        return [
            made(subjects, subject_kind=subject_kind, due_at=due_at, attempts=attempts, id=step_id, **payload)
            for subjects, subject_kind, due_at, attempts, step_id, payload in self._execute(
                _STEPS, list(ids), kind
            )
        ]

    def postpone_step(self, step: Step, due_at: datetime, error: str) -> None:
        self._execute(_POSTPONE, due_at, error, step.id)
