"""Stores incidents, and which claims belong to them."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, text

from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Deletion, Executor, as_array, insert, or_update, selected
from domain.incidents.incident import Incident
from domain.incidents.windows import Group

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("opened_at", MOMENT, nullable=False),
    Column("first_seen_at", MOMENT, nullable=False),
    Column("last_seen_at", MOMENT, nullable=False),
    Column("touched_at", MOMENT, nullable=False),
    Column("status", Text, nullable=False),
    Column("claim_count", Integer, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("told_peak", Integer, nullable=False),
    Column("root_cause", Text),
    Column("acknowledged_at", MOMENT),
    Column("closed_at", MOMENT),
    Column("closed_why", Text),
    Column("merged_into", ID),
    Column("split_from", ID),
    Column("version", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    # However many see it at once, one error in one place is one incident; but for what people take out of one.
    Index(
        "incidents_open",
        "code",
        "kind",
        "place",
        unique=True,
        postgresql_where=text("closed_at IS NULL AND split_from IS NULL"),
    ),
    Index(
        "incidents_closed", "code", "kind", "place", "closed_at", postgresql_where=text("closed_at IS NOT NULL")
    ),
)

incident_claims: Final = Table(
    "incident_claims",
    metadata,
    Column("claim_id", ID, primary_key=True),
    Column("incident_id", ID, nullable=False),
    Index("incident_claims_incident", "incident_id"),
)

# Written once, when the incident is opened.
_FIXED: Final = ("id", "code", "kind", "place", "threshold", "opened_at", "first_seen_at", "split_from")
# Written with every change.
_MOVING: Final = (
    "last_seen_at",
    "touched_at",
    "status",
    "claim_count",
    "peak",
    "told_peak",
    "acknowledged_at",
    "root_cause",
    "closed_at",
    "closed_why",
    "merged_into",
    "version",
    "head",
)
_LINK: Final = ("claim_id", "incident_id")

_INCIDENT: Final = selected(incidents, Incident)
_OPEN_INCIDENTS: Final = (
    f"SELECT {_INCIDENT} FROM incidents WHERE code = ANY(%s) AND closed_at IS NULL ORDER BY id FOR UPDATE"
)
_INCIDENTS: Final = f"SELECT {_INCIDENT} FROM incidents WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE"
_LAST_CLOSED: Final = f"""
SELECT {_INCIDENT} FROM incidents WHERE code = %s AND kind = %s AND place = %s AND closed_at IS NOT NULL
ORDER BY closed_at DESC LIMIT 1
"""
_INCIDENTS_OF: Final = """
SELECT l.claim_id::text, l.incident_id::text FROM incident_claims l JOIN incidents i ON i.id = l.incident_id
WHERE l.claim_id = ANY(%s::uuid[]) AND i.closed_at IS NULL
"""
_LINKED: Final = "SELECT incident_id::text FROM incident_claims WHERE claim_id = %s"
_CLAIMS_OF_INCIDENT: Final = "SELECT claim_id::text FROM incident_claims WHERE incident_id = %s ORDER BY claim_id"

INSERT_INCIDENTS: Final = insert(incidents, _FIXED + _MOVING, or_update(_MOVING))
INSERT_LINKS: Final = insert(
    incident_claims, _LINK, "ON CONFLICT (claim_id) DO UPDATE SET incident_id = excluded.incident_id"
)

DELETE_LINKS: Final = Deletion("DELETE FROM incident_claims WHERE claim_id = ANY(%s::uuid[])", ("claim_id",))

# Whoever would open an incident of a code waits for whoever does so just now, and then sees it.
_TAKE_TURNS: Final = """
SELECT pg_advisory_xact_lock(7305777, turn) FROM (
    SELECT DISTINCT abs(hashtext(code) %% 1024) AS turn FROM unnest(%s::text[]) AS code ORDER BY turn
) AS turns
"""


class IncidentRows(Executor):
    """Reads incidents within a transaction, and locks them."""

    def take_turns_opening(self, codes: Iterable[str]) -> None:
        self._execute(_TAKE_TURNS, sorted(codes))

    def open_incidents(self, codes: Iterable[str]) -> list[Incident]:
        return [Incident(*row) for row in self._execute(_OPEN_INCIDENTS, sorted(codes))]

    def last_closed(self, group: Group) -> Incident | None:
        return next((Incident(*row) for row in self._execute(_LAST_CLOSED, *group)), None)

    def incidents(self, ids: Sequence[str]) -> list[Incident]:
        return [Incident(*row) for row in self._execute(_INCIDENTS, as_array(ids))]

    def incidents_of(self, claim_ids: Sequence[str]) -> dict[str, str]:
        return dict(self._execute(_INCIDENTS_OF, as_array(claim_ids)))

    def linked_incident(self, claim_id: str) -> Incident | None:
        linked = [incident_id for (incident_id,) in self._execute(_LINKED, claim_id)]
        return next(iter(self.incidents(linked)), None)

    def claims_of_incident(self, incident_id: str) -> list[str]:
        return [claim_id for (claim_id,) in self._execute(_CLAIMS_OF_INCIDENT, incident_id)]
