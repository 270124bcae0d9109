"""Routes for people's decisions on claims, and for delegations."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, Field

from domain.claims.claim import Claim
from domain.claims.correct import Correction
from domain.claims.decide import NOTE, REOPEN, WITHDRAW, Refused, Wanted
from domain.errors import Conflict
from domain.policy.roles import ADMIN, LEND_AUTHORITY
from domain.ports.store import Clock, Delegations, Identity
from ingest.api import fields, problems
from ingest.api.fields import Note, RejectionCode
from ingest.api.request_checks import StrictBody

_LONGEST_DELEGATION = timedelta(days=366)
_Digest = Annotated[
    str, Field(pattern=r"^([0-9a-f]{64})?$", description="The digest of the evidence that the person saw.")
]
_Version = Annotated[int, Field(ge=1, description="The version that the person saw.")]


class Decide(Protocol):
    """Carries out decisions; see `domain.claims.decide.decide` for what it raises."""

    def __call__(self, wanted: Wanted, action: str, who: Identity, note: str = "", reason: str = "") -> Claim: ...

    def many(
        self, wanted: Sequence[Wanted], action: str, who: Identity, note: str = "", reason: str = ""
    ) -> list[Claim | Refused]: ...


class Corrections(Protocol):
    """Corrects claims; see `workers.services.corrections.CorrectionService`."""

    def correct(self, wanted: Wanted, correction: Correction, who: Identity, note: str) -> Claim: ...

    def rebind(self, wanted: Wanted, who: Identity, note: str) -> Claim: ...

    def mark_duplicate(self, wanted: Wanted, of: str, who: Identity, note: str) -> Claim: ...


class Decision(StrictBody):
    """A decision on a claim. A claim changed since that version answers 409.

    A rejection names a reason of the policy's catalogue; a note alone is the reason OTHER.
    """

    decision: Literal["acknowledge", "approve", "reject", "resolve"]
    version: _Version
    evidence_digest: _Digest | None = None
    reason: RejectionCode = ""
    note: Note = ""


class _Seen(StrictBody):
    claim: UUID
    version: _Version
    evidence_digest: _Digest | None = None


class BulkDecision(StrictBody):
    """One decision on many claims. Each is checked and reported separately; of rejections see `Decision`."""

    decision: Literal["acknowledge", "approve", "reject", "resolve"]
    claims: Annotated[list[_Seen], Field(min_length=1, max_length=500)]
    reason: RejectionCode = ""
    note: Note = ""


class Reason(StrictBody):
    """The reason, which a withdrawal, a reopening, a rebinding and a note require."""

    note: fields.Reason
    version: _Version | None = None


class CorrectionBody(Reason):
    """The severity or the error code that is right, and why. Another error brings its own severity."""

    severity: Annotated[str, Field(max_length=64)] | None = None
    code: Annotated[str, Field(max_length=64)] | None = None


class Duplicate(Reason):
    """The claim that this one is a duplicate of, by its id or the end of it, and why."""

    of: fields.Name


class Lending(StrictBody):
    """Lends the authority of one's own role to another person until a moment."""

    to: fields.Name
    until: AwareDatetime


def router(
    decide: Decide,
    corrections: Corrections,
    delegations: Delegations,
    identity: Callable[..., Identity],
    found: Callable[[str], dict[str, Any]],
    clock: Clock,
) -> APIRouter:
    """Creates the routes. `found` returns a claim by its id or the end of it, or raises `NotFound`."""
    routes = APIRouter(prefix="/api/v1")
    asking = Annotated[Identity, Depends(identity)]

    def seen(claim_id: str, reason: Reason) -> Wanted:
        return Wanted(found(claim_id)["id"], reason.version)

    def decided(claim_id: str, action: str, who: Identity, note: str, version: int | None) -> dict[str, Any]:
        return found(decide(Wanted(found(claim_id)["id"], version), action, who, note).id)

    @routes.post("/claims/{claim_id}/decisions", summary="Decide a claim")
    def decisions(claim_id: str, decision: Decision, who: asking) -> dict[str, Any]:
        wanted = Wanted(found(claim_id)["id"], decision.version, decision.evidence_digest)
        return found(decide(wanted, decision.decision, who, decision.note, decision.reason).id)

    @routes.post("/claims/{claim_id}/notes", summary="Add a note to a claim")
    def notes(claim_id: str, reason: Reason, who: asking) -> dict[str, Any]:
        return decided(claim_id, NOTE, who, reason.note, reason.version)

    @routes.post("/claims/{claim_id}/withdrawal", summary="Withdraw a claim")
    def withdrawal(claim_id: str, reason: Reason, who: asking) -> dict[str, Any]:
        return decided(claim_id, WITHDRAW, who, reason.note, reason.version)

    @routes.post("/claims/{claim_id}/reopening", summary="Reopen a claim")
    def reopening(claim_id: str, reason: Reason, who: asking) -> dict[str, Any]:
        return decided(claim_id, REOPEN, who, reason.note, reason.version)

    @routes.post("/claims/{claim_id}/correction", summary="Correct the severity or the error of a claim")
    def correction(claim_id: str, body: CorrectionBody, who: asking) -> dict[str, Any]:
        right = Correction(body.severity, body.code)
        return found(corrections.correct(seen(claim_id, body), right, who, body.note).id)

    @routes.post("/claims/{claim_id}/rebinding", summary="Bind a claim to the present policy")
    def rebinding(claim_id: str, reason: Reason, who: asking) -> dict[str, Any]:
        return found(corrections.rebind(seen(claim_id, reason), who, reason.note).id)

    @routes.post("/claims/{claim_id}/duplicate", summary="Close a claim as a duplicate of another one")
    def duplicate(claim_id: str, body: Duplicate, who: asking) -> dict[str, Any]:
        wanted, of = seen(claim_id, body), found(body.of)["id"]
        return found(corrections.mark_duplicate(wanted, of, who, body.note).id)

    @routes.post("/decisions", summary="Decide up to 500 claims; each is reported separately")
    def bulk(decision: BulkDecision, who: asking) -> dict[str, Any]:
        wanted = [Wanted(str(item.claim), item.version, item.evidence_digest) for item in decision.claims]
        results = decide.many(wanted, decision.decision, who, decision.note, decision.reason)
        return {"items": [result_json(result) for result in results]}

    @routes.get("/delegations", summary="List delegations", dependencies=[Depends(identity)])
    def listed() -> dict[str, Any]:
        return {"delegations": delegations.listed()}

    @routes.post("/delegations", status_code=201, summary="Delegate the authority of one's role until a moment")
    def lend(lending: Lending, who: asking) -> dict[str, Any]:
        _demand_lendable(lending, who, clock())
        return delegations.lend(who.role, who.name, lending.to, lending.until)

    @routes.delete("/delegations/{delegation_id}", summary="End a delegation")
    def revoke(delegation_id: UUID, who: asking) -> dict[str, Any]:
        return delegations.revoke(str(delegation_id), None if who.role == ADMIN else who.name, who.name)

    return routes


def result_json(result: Claim | Refused) -> dict[str, Any]:
    """Formats the result for one claim of many as JSON."""
    if isinstance(result, Refused):
        return {"claim": result.claim_id, "problem": problems.of_error(result.reason)}
    return {"claim": result.id, "status": result.status, "stage": result.stage, "version": result.version}


def _demand_lendable(lending: Lending, who: Identity, now: datetime) -> None:
    LEND_AUTHORITY.demand(who.role)
    if lending.to == who.name:
        raise Conflict("Authority is lent to somebody else.")
    if not now < lending.until <= now + _LONGEST_DELEGATION:
        raise Conflict(f"A delegation ends within {_LONGEST_DELEGATION.days} days from now.")
