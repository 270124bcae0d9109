"""Which claims belong to which incidents: what incidents' events say, held against where the claims lie."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workers.audit.findings import Finding, Result

# What waits for its position comes after what has one.
_LAST = 2**63


class Taken(NamedTuple):
    """An incident took a claim by one of its events; the greatest of several is the last."""

    at: bytes
    position: int
    incident_id: str
    seq: int


@dataclass(slots=True)
class Links:
    """What a part of the record says, or all of it: `stated` by the events of incidents, `present` on the rows of
    claims. Of `broken` incidents nobody can say what their events were. Old archives have no links: `known`."""

    stated: dict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    present: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    known: bool = False

    def see_row(self, row: Mapping[str, Any]) -> None:
        """Takes in where a claim lies."""
        if "incident_id" in row:
            self.known = True
            if row["incident_id"] is not None:
                self.present[row["id"]] = row["incident_id"]

    def see_incident(self, incident_id: str, chain: Sequence[Sequence[bytes]], held: Mapping[str, int]) -> None:
        """Takes in which claims an incident holds by its chain, each with the number of the event that took it."""
        for claim_id, seq in held.items():
            _, _, at, *_, position = chain[seq - 1]
            taken = Taken(at, int(position) if position else _LAST, incident_id, seq)
            self.stated[claim_id].append(taken)

    def take(self, part: "Links") -> None:
        """Adds what the next part says."""
        for claim_id, taken in part.stated.items():
            self.stated[claim_id] += taken
        self.present |= part.present
        self.broken |= part.broken
        self.known |= part.known

    def hold(self, result: Result) -> None:
        """Every claim must lie in the incident that took it last, and in no other."""
        if not self.known:
            return
        for claim_id in sorted(self.stated.keys() | self.present.keys(), key=str):
            last, present = max(self.stated.get(claim_id, ()), default=None), self.present.get(claim_id)
            if present in self.broken or (last is not None and last.incident_id == present):
                continue
            if last is not None:
                instead = f"incident {present}" if present else "none"
                sentence = f"Event {last.seq} of the incident took the claim, which belongs to {instead} now."
                result.add(Finding("LINK_DIFFERS", sentence, claim_id, incident_id=last.incident_id))
            else:
                sentence = "The claim belongs to the incident, and none of its events took it."
                result.add(Finding("LINK_DIFFERS", sentence, claim_id, incident_id=present))
