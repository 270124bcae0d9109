"""Defines the event by which a claim leaves an incident: its error was corrected to another one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.incidents.events import IncidentEvent
from domain.incidents.incident import Incident
from domain.text import count


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsLeft(IncidentEvent):
    """Claims of another error, as was found out, belong to the incident no more."""

    KIND = "incident.claims_left"

    claims: list[str]
    claim_count: int

    def apply(self, incident: Incident, at: datetime, actor: str) -> None:
        incident.claim_count = self.claim_count
        IncidentEvent.apply(self, incident, at, actor)

    def link(self, claims: dict[str, int], seq: int) -> None:
        for claim_id in self.claims:
            claims.pop(claim_id, None)

    @property
    def sentence(self) -> str:
        return f"{count(len(self.claims), 'claim')} left: the error was corrected"


EVENTS: Final = (ClaimsLeft,)
