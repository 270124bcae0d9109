"""Carries out what a person decided. The API and the console call the same."""

from domain.approval import decide
from domain.claim import Claim
from domain.decision import Decision
from domain.errors import NotFound
from domain.ports import Clock, Store
from workers.steps.runner import OnCommit


class Decide:
    """One decision on one claim, in one transaction."""

    def __init__(self, store: Store, clock: Clock, on_commit: OnCommit) -> None:
        self._store = store
        self._clock = clock
        self._on_commit = on_commit

    def __call__(
        self, claim_id: str, action: str, *, who: str, role: str, note: str = "", version: int | None = None
    ) -> Claim:
        """The claim as it is afterwards.

        Raises `NotFound`, `Conflict` or `NotAllowed` (see `domain.approval.decide`), and `TransientError`.
        """
        with self._store.transaction() as transaction:
            claims = transaction.claims([claim_id])
            if not claims:
                raise NotFound(f"There is no claim {claim_id}.")
            decision: Decision = decide(
                claims[0], action, who=who, role=role, note=note, version=version, now=self._clock()
            )
            transaction.record(decision)
        self._on_commit("decide", decision)
        return claims[0]
