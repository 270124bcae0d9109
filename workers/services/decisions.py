"""Carries out people's decisions, for the API and the console alike."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.decide import APPROVE, REJECT, REOPEN, Person, Refused, Wanted, decide
from domain.claims.sla import Policies, by_policy
from domain.errors import Conflict, InputRefused, NotAllowed, NoteRefused, NotFound
from domain.policy.policy import Policy
from domain.ports.store import Clock, Identity, Store, Transaction
from workers.runtime.step_runner import OnCommit
from workers.services.evidence import lacking


class Decide:
    """Decides claims for one person, in one transaction.

    Each claim is read again under its lock.
    """

    def __init__(
        self, store: Store, policy: Policy, policies: Policies, clock: Clock, on_commit: OnCommit
    ) -> None:
        self._store = store
        self._policy = policy
        self._policies = policies
        self._clock = clock
        self._on_commit = on_commit

    def __call__(self, wanted: Wanted, action: str, who: Identity, note: str = "", reason: str = "") -> Claim:
        """Decides one claim, and returns it as it is afterwards.

        Raises `NotFound`, `TransientError`, and what `domain.claims.decide.decide` raises.
        """
        [result] = self.many([wanted], action, who, note, reason)
        if isinstance(result, Refused):
            raise result.reason
        return result

    def many(
        self, wanted: Sequence[Wanted], action: str, who: Identity, note: str = "", reason: str = ""
    ) -> list[Claim | Refused]:
        """Decides several claims, and returns the result of each, in order.

        One that is refused does not hold up the others. `reason` is the code of a rejection.
        """
        whole = Changes()
        results: list[Claim | Refused] = []
        with self._store.transaction() as transaction:
            person = Person(who.name, who.role, tuple(transaction.delegations_to(who.name, self._clock())))
            claims = {claim.id: claim for claim in transaction.claims([item.claim_id for item in wanted])}
            judged = claims.values() if action in (APPROVE, REJECT) else ()
            bound = by_policy(judged, self._policy, self._policies)
            lacks = lacking(transaction, bound) if action == APPROVE else {}
            catalogues = {claim.id: policy.rejections for policy, group in bound for claim in group}
            changes = _last_changes(transaction, claims, wanted)
            for item in wanted:
                try:
                    claim = _found(claims, item, results)
                    _demand_place(transaction, claim, action)
                    part = decide(
                        claim,
                        action,
                        person,
                        note=note,
                        reason=reason,
                        catalogue=catalogues.get(claim.id, self._policy.rejections),
                        version=item.version,
                        changed_at=changes.get(claim.id),
                        evidence_digest=item.evidence_digest,
                        lacking=lacks.get(claim.id, ()),
                        now=self._clock(),
                        policies=self._policies,
                    )
                    whole.add(part)
                    results.append(claim)
                except (NotFound, Conflict, NotAllowed, NoteRefused, InputRefused) as refusal:
                    results.append(Refused(item.claim_id, refusal))
            transaction.record(whole)
        self._on_commit("decide", whole)
        return results


def _found(claims: dict[str, Claim], wanted: Wanted, results: Sequence[Claim | Refused]) -> Claim:
    claim = claims.get(wanted.claim_id)
    if claim is not None and claim in results:
        raise Conflict(f"Claim {wanted.claim_id} is named twice; it was decided once.")
    if claim is None:
        raise NotFound(f"There is no claim {wanted.claim_id}.")
    return claim


def _last_changes(transaction: Transaction, claims: dict[str, Claim], wanted: Sequence[Wanted]) -> dict[str, int]:
    """Returns the last changes of claims that have newer events, often only notifications."""
    seen = ((claims[item.claim_id], item.version) for item in wanted if item.claim_id in claims)
    older = [claim.id for claim, version in seen if version is not None and version < claim.version]
    return transaction.last_changes(older) if older else {}


def _demand_place(transaction: Transaction, claim: Claim, action: str) -> None:
    """Raises `Conflict` if a claim would be reopened while another is open for its spot and error."""
    if action != REOPEN or claim.closed_at is None:
        return
    for other in transaction.open_claims([(claim.spot_id, claim.code)]).values():
        raise Conflict(f"Claim {other.name} is open for {claim.code} on {claim.spot_id}; decide that one.")
