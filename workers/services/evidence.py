"""Files evidence for people and programs, by the API and the command line alike."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain.claims.claim import Claim
from domain.claims.sla import Policies, by_policy
from domain.eligibility import evidence_rule
from domain.errors import NotFound
from domain.evidence import file as evidence_file
from domain.evidence import filing
from domain.evidence import item as evidence
from domain.evidence.file import File, Upload
from domain.evidence.item import Evidence, OnFile
from domain.identifiers import new_claim_id
from domain.policy.policy import Policy
from domain.policy.roles import FILE_EVIDENCE
from domain.ports.store import Clock, EvidenceFiles, Sniff, Store, Transaction
from workers.runtime.step_runner import OnCommit


class EvidenceService:
    """Implements `domain.ports.store.EvidenceService`."""

    def __init__(
        self,
        store: Store,
        files: EvidenceFiles,
        sniff: Sniff,
        policy: Policy,
        policies: Policies,
        clock: Clock,
        on_commit: OnCommit,
    ) -> None:
        self._store = store
        self._files = files
        self._sniff = sniff
        self._policy = policy
        self._policies = policies
        self._clock = clock
        self._on_commit = on_commit

    def add(
        self,
        claim_id: str,
        kind: str,
        *,
        who: str,
        role: str,
        note: str = "",
        data: dict[str, Any] | None = None,
        upload: Upload | None = None,
    ) -> tuple[Evidence, bool]:
        FILE_EVIDENCE.demand(role)
        file = evidence_file.settle(upload, self._sniff(upload.content)) if upload else None
        content = evidence.compose(kind, note=note, data=data, file=file)
        if upload:
            self._keep(claim_id, upload.content)
        with self._store.transaction() as transaction:
            claim = _locked(transaction, claim_id)
            items = transaction.evidence(claim.id)
            item = Evidence(new_claim_id(), claim.id, kind, self._clock(), who, content)
            known = filing.same_item(items, item)
            if known is not None:
                return known, False
            changes = filing.add(claim, items, item)
            transaction.record(changes)
        self._on_commit("evidence", changes)
        return item, True

    def _keep(self, claim_id: str, content: bytes) -> None:
        """Stores the bytes first, and while no row is locked.

        What fails afterwards leaves bytes without a row, never a row without bytes. A claim that accepts no
        evidence is rejected before, so that it leaves none behind.
        """
        with self._store.transaction() as transaction:
            filing.demand_open(_locked(transaction, claim_id))
        self._files.put(content)

    def withdraw(self, claim_id: str, item_id: str, *, who: str, role: str, reason: str) -> Evidence:
        FILE_EVIDENCE.demand(role)
        with self._store.transaction() as transaction:
            claim = _locked(transaction, claim_id)
            items = transaction.evidence(claim.id)
            changes = filing.withdraw(claim, items, item_id, who=who, reason=reason, now=self._clock())
            transaction.record(changes)
        self._on_commit("evidence", changes)
        return filing.find(items, item_id)

    def on_file(self, claim_id: str) -> OnFile:
        with self._store.transaction() as transaction:
            claim = _locked(transaction, claim_id)
            items, reported = transaction.evidence(claim_id), transaction.reported_evidence(claim_id)
            [(policy, _)] = by_policy([claim], self._policy, self._policies)
            [case] = transaction.cases([claim], policy)
        return OnFile(
            items=items,
            reported=reported,
            demanded=evidence.demanded(policy, claim.code),
            missing=evidence_rule.lacking(case, policy),
            digest=evidence.digest(items),
        )

    def file(self, claim_id: str, item_id: str) -> tuple[File, bytes]:
        with self._store.transaction() as transaction:
            item = filing.find(transaction.evidence(claim_id), item_id)
        file = item.file
        if file is None:
            raise NotFound(f"Evidence {item.id} is a {item.kind} without a file.")
        return file, self._files.get(file.sha256)


def lacking(transaction: Transaction, bound: Iterable[tuple[Policy, Sequence[Claim]]]) -> dict[str, list[str]]:
    """Returns the evidence that claims lack by their policies, by the claim's id.

    Only claims that lack some are in it.
    """
    found: dict[str, list[str]] = {}
    for policy, claims in bound:
        demanding = [claim for claim in claims if evidence.demanded(policy, claim.code)]
        cases = transaction.cases(demanding, policy) if demanding else []
        found |= {case.claim.id: lacks for case in cases if (lacks := evidence_rule.lacking(case, policy))}
    return found


def _locked(transaction: Transaction, claim_id: str) -> Claim:
    claims = transaction.claims([claim_id])
    if not claims:
        raise NotFound(f"There is no claim {claim_id}.")
    return claims[0]
