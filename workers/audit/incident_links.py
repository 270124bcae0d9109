"""Checks which claims belong to which incidents.

Incidents' events must state what the rows of claims have.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.steps import INCIDENT
from workers.audit.findings import AuditFinding, Result

# What waits for its position comes after what has one.
_LAST = 2**63


class Taken(NamedTuple):
    """An event by which an incident took a claim; the greatest is the last."""

    at: bytes
    position: int
    incident_id: str
    seq: int


@dataclass(slots=True)
class Links:
    """The links that a part of the record states, or all of it.

    Those `stated` are from the events of incidents, those `present` from the rows of claims. Nobody can say what
    the events of `broken` incidents were. Old archives have no links: `known`.
    """

    stated: dict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    present: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    known: bool = False

    def see_row(self, row: Mapping[str, Any]) -> None:
        """Adds the link in a claim's row."""
        if "incident_id" in row:
            self.known = True
            if row["incident_id"] is not None:
                self.present[row["id"]] = row["incident_id"]

    def see_incident(self, incident_id: str, chain: Sequence[Sequence[bytes]], held: Mapping[str, int]) -> None:
        """Adds the links that an incident's chain leads to.

        `held` has the number of the event that took each claim.
        """
        for claim_id, seq in held.items():
            _, _, at, *_, position = chain[seq - 1]
            taken = Taken(at, int(position) if position else _LAST, incident_id, seq)
            self.stated[claim_id].append(taken)

    def take(self, part: "Links") -> None:
        """Adds the links of the next part."""
        for claim_id, taken in part.stated.items():
            self.stated[claim_id] += taken
        self.present |= part.present
        self.broken |= part.broken
        self.known |= part.known

    def hold(self, result: Result) -> None:
        """Checks that every claim belongs to the incident that took it last."""
        if not self.known:
            return
        for claim_id in sorted(self.stated.keys() | self.present.keys(), key=str):
            last, present = max(self.stated.get(claim_id, ()), default=None), self.present.get(claim_id)
            if present in self.broken or (last is not None and last.incident_id == present):
                continue
            if last is not None:
                instead = f"incident {present}" if present else "none"
                sentence = f"Event {last.seq} of the incident took the claim, which belongs to {instead} now."
                result.add(_finding(sentence, last.incident_id, claim_id))
            else:
                sentence = "The claim belongs to the incident, and none of its events took it."
                result.add(_finding(sentence, present, claim_id))


def _finding(sentence: str, incident_id: str | None, claim_id: str) -> AuditFinding:
    return AuditFinding("LINK_DIFFERS", sentence, INCIDENT, incident_id, claim_id=claim_id)
