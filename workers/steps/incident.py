"""Settles incidents that are due: they fall quiet, close, or go on."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.incidents.lifecycle import settle
from domain.policy.policy import IncidentPolicy
from domain.ports.store import Clock, Sightings
from domain.steps import SettleIncident


class IncidentSettler:
    """Settles incidents; one that goes on is settled again later."""

    def __init__(self, policy: IncidentPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Sightings, steps: Sequence[SettleIncident]) -> Changes:
        whole, now = Changes(), self._clock()
        due = {incident_id: step.due_at or now for step in steps for incident_id in step.subject_ids}
        for incident in transaction.incidents(list(due)):
            whole.add(settle(incident, self._policy, now, due[incident.id]))
        return whole
