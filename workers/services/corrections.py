"""Corrects claims for people, by the API and the command line alike."""

from collections.abc import Callable

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.correct import Asked, Correction, correct, rebind
from domain.claims.decide import Person, Wanted
from domain.claims.duplicate import mark_duplicate
from domain.claims.sla import Policies, by_policy
from domain.errors import Conflict, NotFound
from domain.evidence.filing import carry_over
from domain.evidence.following import following
from domain.identifiers import new_claim_id
from domain.incidents import handling as incident_handling
from domain.policy.policy import Policy
from domain.ports.store import Clock, Identity, Store, Transaction
from workers.runtime.step_runner import OnCommit

_Work = Callable[[Transaction, Claim, Asked], Changes]


class CorrectionService:
    """Corrects claims, each method in one transaction, in which the claim is read again under its lock.

    It raises `NotFound`, `TransientError`, and what its function in `domain.claims.correct` raises; then nothing
    was changed.
    """

    def __init__(
        self, store: Store, policy: Policy, policies: Policies, clock: Clock, on_commit: OnCommit
    ) -> None:
        self._store = store
        self._policy = policy
        self._policies = policies
        self._clock = clock
        self._on_commit = on_commit

    def correct(self, wanted: Wanted, correction: Correction, who: Identity, note: str) -> Claim:
        """Corrects severity or error, and returns the claim as it is afterwards.

        A claim of another error leaves its incident. Raises `Conflict` besides where another claim is open for
        that error.
        """

        def work(transaction: Transaction, claim: Claim, asked: Asked) -> Changes:
            [(policy, _)] = by_policy([claim], self._policy, self._policies)
            [case] = transaction.cases([claim], policy)
            before = claim.code
            if correction.code is not None and correction.code != before:
                _demand_place(transaction, claim, correction.code)
            changes = correct(claim, correction, asked, spot=case.spot, policy=policy, now=self._clock())
            incident = transaction.linked_incident(claim.id) if claim.code != before else None
            if incident is not None:
                changes.add(incident_handling.let_go(incident, claim.id, who.name, self._clock()))
            return changes

        return self._work(wanted, who, note, work)

    def rebind(self, wanted: Wanted, who: Identity, note: str) -> Claim:
        """Binds a claim to the present policy, and returns it as it is afterwards."""

        def work(transaction: Transaction, claim: Claim, asked: Asked) -> Changes:
            [case] = transaction.cases([claim], self._policy)
            return rebind(claim, asked, spot=case.spot, policy=self._policy, now=self._clock())

        return self._work(wanted, who, note, work)

    def mark_duplicate(self, wanted: Wanted, of: str, who: Identity, note: str) -> Claim:
        """Marks a claim as a duplicate of another, and returns it as it is afterwards.

        Its evidence follows to the other one. Raises besides what `domain.claims.duplicate.mark_duplicate` does.
        """

        def work(transaction: Transaction, claim: Claim, asked: Asked) -> Changes:
            other = claim if of == claim.id else _found(transaction, of)
            [(policy, _)] = by_policy([other], self._policy, self._policies)
            [case] = transaction.cases([other], policy)
            changes = mark_duplicate(claim, other, asked, spot=case.spot, policy=policy, now=self._clock())
            filed, reported = transaction.evidence(claim.id), transaction.reported_evidence(claim.id)
            items = following(other.id, filed, reported, new_claim_id)
            known = transaction.evidence(other.id)
            changes.add(carry_over(other, known, items, claim.id, who.name, self._clock()))
            return changes

        return self._work(wanted, who, note, work, of)

    def _work(self, wanted: Wanted, who: Identity, note: str, work: _Work, *others: str) -> Claim:
        """Locks the claim together with others, so that two who name them crosswise cannot deadlock."""
        with self._store.transaction() as transaction:
            transaction.claims([wanted.claim_id, *others])
            claim = _found(transaction, wanted.claim_id)
            changed_at = transaction.last_changes([claim.id]).get(claim.id)
            person = Person(who.name, who.role, tuple(transaction.delegations_to(who.name, self._clock())))
            changes = work(transaction, claim, Asked(person, note, wanted.version, changed_at))
            transaction.record(changes)
        self._on_commit("correct", changes)
        return claim


def _found(transaction: Transaction, claim_id: str) -> Claim:
    for claim in transaction.claims([claim_id]):
        return claim
    raise NotFound(f"There is no claim {claim_id}.")


def _demand_place(transaction: Transaction, claim: Claim, code: str) -> None:
    """Raises `Conflict` while another claim is open for the spot and this error."""
    for other in transaction.open_claims([(claim.spot_id, code)]).values():
        remedy = "mark this one as a duplicate of that one"
        raise Conflict(f"Claim {other.name} is open for {code} on {claim.spot_id}; {remedy}.")
