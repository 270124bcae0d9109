"""Looks at incidents when their time has come: have they fallen quiet, are they over?"""

from collections.abc import Sequence

from domain.changes import Decision, Step
from domain.incidents.lifecycle import settle
from domain.policy import IncidentPolicy
from domain.ports.store import Clock, Sightings


class Settle:
    """The step `incident`. An incident that goes on is looked at again later."""

    def __init__(self, policy: IncidentPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    def __call__(self, transaction: Sightings, steps: Sequence[Step]) -> Decision:
        whole, now = Decision(), self._clock()
        due = {step.subject: step.due_at or now for step in steps if step.subject}
        for incident in transaction.incidents(list(due)):
            whole.add(settle(incident, self._policy, now, due[incident.id]))
        return whole
