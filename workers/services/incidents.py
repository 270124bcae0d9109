"""Handles incidents for people, by the API and the command line alike."""

from collections.abc import Callable, Sequence

import structlog

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.decide import Refused, Wanted
from domain.errors import NotFound, TransientError
from domain.incidents import handling
from domain.incidents.incident import Incident
from domain.policy.policy import IncidentPolicy
from domain.policy.roles import HANDLE_INCIDENTS
from domain.ports.store import Clock, Identity, Store, Transaction
from workers.runtime.step_runner import OnCommit
from workers.services.decisions import Decide

log = structlog.get_logger("incidents")


class IncidentService:
    """Handles incidents, each method in one transaction.

    It raises `NotFound`, `NotAllowed`, `TransientError`, and what its function in `domain.incidents.handling`
    raises; then nothing was changed.
    """

    def __init__(
        self,
        store: Store,
        decide: Decide,
        policy: IncidentPolicy,
        clock: Clock,
        new_id: Callable[[], str],
        on_commit: OnCommit,
    ) -> None:
        self._store = store
        self._decide = decide
        self._policy = policy
        self._clock = clock
        self._new_id = new_id
        self._on_commit = on_commit

    def acknowledge(self, incident_id: str, who: Identity, note: str) -> None:
        """Acknowledges an incident: its notices are not repeated."""

        def work(_: Transaction, incident: Incident) -> Changes:
            return handling.acknowledge(incident, who.name, note, self._clock())

        self._handle(incident_id, who, work)

    def close(self, incident_id: str, who: Identity, note: str) -> None:
        """Closes an incident before it is quiet."""

        def work(_: Transaction, incident: Incident) -> Changes:
            return handling.close_by_hand(incident, who.name, note, self._clock())

        self._handle(incident_id, who, work)

    def merge(self, incident_id: str, into_id: str, who: Identity, note: str) -> None:
        """Merges an incident into another, which takes over its claims."""
        HANDLE_INCIDENTS.demand(who.role)
        with self._store.transaction() as transaction:
            found = {incident.id: incident for incident in transaction.incidents([incident_id, into_id])}
            incident, into = _demand(found, incident_id), _demand(found, into_id)
            claims = transaction.claims_of_incident(incident.id)
            changes = handling.merge(incident, into, claims, who.name, note, self._clock())
            transaction.record(changes)
        self._on_commit("incident", changes)

    def split(self, incident_id: str, claim_ids: Sequence[str], who: Identity, note: str) -> str:
        """Splits claims off as an incident of their own, and returns its id."""
        new_id = self._new_id()

        def work(transaction: Transaction, incident: Incident) -> Changes:
            own = transaction.claims_of_incident(incident.id)
            return handling.split(incident, own, claim_ids, who.name, note, self._policy, self._clock(), new_id)

        self._handle(incident_id, who, work)
        return new_id

    def state_cause(self, incident_id: str, who: Identity, cause: str) -> None:
        """Records the root cause."""

        def work(_: Transaction, incident: Incident) -> Changes:
            return handling.state_cause(incident, who.name, cause, self._clock())

        self._handle(incident_id, who, work)

    def decide(
        self, incident_id: str, action: str, who: Identity, note: str, reason: str = ""
    ) -> list[Claim | Refused]:
        """Decides all claims of an incident, and returns the result of each.

        Up to 500 share a transaction; each is read again under its lock.
        """
        results: list[Claim | Refused] = []
        with self._store.transaction() as transaction:
            _demand({incident.id: incident for incident in transaction.incidents([incident_id])}, incident_id)
            claims = transaction.claims_of_incident(incident_id)
        for begin in range(0, len(claims), _CLAIMS_AT_ONCE):
            wanted = [Wanted(claim_id) for claim_id in claims[begin : begin + _CLAIMS_AT_ONCE]]
            results += self._decide.many(wanted, action, who, note, reason)
        if any(isinstance(result, Claim) for result in results):
            self._note_decided(incident_id, who, note)
        return results

    def _note_decided(self, incident_id: str, who: Identity, note: str) -> None:
        """Records the decision on the incident too.

        Its claims are decided by then, so an outage is no reason to say otherwise.
        """

        def work(_: Transaction, incident: Incident) -> Changes:
            return handling.decided(incident, who.name, note, self._clock())

        try:
            self._handle(incident_id, who, work)
        except TransientError as error:
            log.warning("an incident was not marked as decided", incident=incident_id, error=str(error))

    def _handle(self, incident_id: str, who: Identity, work: Callable[[Transaction, Incident], Changes]) -> None:
        HANDLE_INCIDENTS.demand(who.role)
        with self._store.transaction() as transaction:
            found = {incident.id: incident for incident in transaction.incidents([incident_id])}
            changes = work(transaction, _demand(found, incident_id))
            transaction.record(changes)
        self._on_commit("incident", changes)


_CLAIMS_AT_ONCE = 500


def _demand(found: dict[str, Incident], incident_id: str) -> Incident:
    incident = found.get(incident_id)
    if incident is None:
        raise NotFound(f"There is no incident {incident_id}.")
    return incident
