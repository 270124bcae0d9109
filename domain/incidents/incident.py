"""Defines the incident: one error on many spots of a place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.audit import chain
from domain.incidents.windows import Group

OPEN: Final = "open"
QUIET: Final = "quiet"
CLOSED: Final = "closed"
STATUSES: Final = (OPEN, QUIET, CLOSED)


@dataclass(slots=True)
class Incident:
    """The state of an incident; applying its audit events leads to the same state.

    See `domain.incidents.events`. `kind` is `zone` or `model`, and `place` its name. `threshold` is the number of
    spots from which on it was an incident. `peak` is the most spots that its window has held, and `told_peak` the
    one in its last notification. `first_seen_at` and `last_seen_at` are moments of faults, and `touched_at` is
    when such were last counted. `closed_why` is `quiet`, `age`, `merged` or `person`; `split_from` names the
    incident that this one was split off from. Since `acknowledged_at` somebody attends to it.
    """

    id: str
    code: str
    kind: str
    place: str
    threshold: int
    opened_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    touched_at: datetime
    status: str = OPEN
    claim_count: int = 0
    peak: int = 0
    told_peak: int = 0
    acknowledged_at: datetime | None = None
    root_cause: str | None = None
    closed_at: datetime | None = None
    closed_why: str | None = None
    merged_into: str | None = None
    split_from: str | None = None
    version: int = 0
    head: str = chain.GENESIS

    @property
    def group(self) -> Group:
        """Returns the series that is counted for it."""
        return Group(self.code, self.kind, self.place)


@dataclass(frozen=True, slots=True)
class Link:
    """The link of a claim to the one incident that took it last."""

    claim_id: str
    incident_id: str


@dataclass(frozen=True, slots=True)
class Unlink:
    """The end of a claim's link to any incident."""

    claim_id: str
