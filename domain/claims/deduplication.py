"""Deduplicates faults: each is counted by the open claim of its spot and code.

A fault without an open claim opens one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from domain.audit.event import COUNTED, OPENED
from domain.changes import Changes
from domain.claims.claim import Claim, SpotAndCode
from domain.claims.events import DETAILS, ClaimOpened, Edits, FaultsCounted
from domain.claims.hold_down import watch
from domain.claims.lifecycle import AWAITING_EVIDENCE, INELIGIBLE, JUDGED, OBSERVED, SUBMITTED
from domain.claims.number import NewIdentity
from domain.field.fault import Fault
from domain.policy.error_codes import CLAIM_TYPES, CODES_OF_OTHERS, classify
from domain.policy.policy import Policy
from domain.steps import Detect, Step, Verify

# A spot that shows its error again so soon adds nothing to the number of spots.
_SEEN_JUST_NOW: Final = timedelta(minutes=1)
_details = attrgetter(*DETAILS)

STRAY_CLEARS_OF_A_PAIR: Final = 100
"""How many clears without a claim are read for one spot and code: the earliest; later ones are left out."""


def group_by_claim(faults: Iterable[Fault], policy: Policy) -> dict[SpotAndCode, list[Fault]]:
    """Groups faults by spot and error code, and sets the code of each."""
    groups: dict[SpotAndCode, list[Fault]] = {}
    for fault in faults:
        of_vendor = policy.mappings.get(fault.taxonomy)
        fault.code = (of_vendor and of_vendor.get(fault.raw_code)) or classify(fault.taxonomy, fault.raw_code)
        groups.setdefault((fault.spot_id, fault.code), []).append(fault)
    return groups


def earlier_than_known(
    groups: Mapping[SpotAndCode, list[Fault]], open_claims: Mapping[SpotAndCode, Claim]
) -> dict[SpotAndCode, datetime]:
    """Finds the errors that begin with these faults, or earlier than known, with their beginnings."""
    begins: dict[SpotAndCode, datetime] = {}
    for pair, faults in groups.items():
        moments = [fault.occurred_at for fault in faults if not fault.cleared]
        claim = open_claims.get(pair)
        if moments and (claim is None or min(moments) < claim.first_seen_at):
            begins[pair] = min(moments)
    return begins


def deduplicate(
    groups: dict[SpotAndCode, list[Fault]],
    open_claims: dict[SpotAndCode, Claim],
    policy: Policy,
    now: datetime,
    new_identity: NewIdentity,
    clears: Mapping[SpotAndCode, Sequence[Fault]] = MappingProxyType({}),
) -> Changes:
    """Counts each group with its open claim, or opens one.

    A clear alone opens nothing. `groups` must hold no message that was ingested before. `clears` are those
    ingested before without a claim: any that occurred after the first fault belongs to it, in whatever order they
    came. Opened claims are verified, or submitted after their hold-down; a claim that was verified is verified
    again when the faults that speak for it change. Detection counts all that were seen.
    """
    changes = Changes()
    again: list[str] = []
    seen_again: list[str] = []
    for pair, faults in groups.items():
        changes.put(*faults)
        claim = open_claims.get(pair)
        if claim is None:
            _open(changes, faults, clears.get(pair, ()), policy, now, new_identity)
            continue
        speaks, seen = (claim.first_seen_at, _details(claim)), claim.last_seen_at
        if _count(changes, claim, faults, clears.get(pair, ()), now):
            if _verdict_may_change(claim, faults, moved=speaks != (claim.first_seen_at, _details(claim))):
                again.append(claim.id)
            if claim.last_seen_at - seen >= _SEEN_JUST_NOW:
                seen_again.append(claim.id)
    opened = changes.of(Claim, OPENED)
    changes.put(*_first_steps(opened, changes.of(Claim, COUNTED), policy, now))
    if again:
        changes.put(Verify(again))
    if sighted := [*(claim.id for claim in opened), *seen_again]:
        changes.put(Detect(sighted))
    return changes


def _verdict_may_change(claim: Claim, faults: Iterable[Fault], *, moved: bool) -> bool:
    """Checks whether these faults can change the verdict.

    They can by the evidence they bring, by speaking for the claim instead of a later fault, or by naming another
    party as responsible.
    """
    if claim.status == AWAITING_EVIDENCE and any(fault.evidence for fault in faults):
        return True
    if claim.status not in JUDGED or claim.status == SUBMITTED:
        return False
    return moved or (claim.status == INELIGIBLE and claim.code in CODES_OF_OTHERS)


def _first_steps(opened: list[Claim], counted: list[Claim], policy: Policy, now: datetime) -> list[Step]:
    """Schedules verification at once, and the end of the hold-down for observed claims."""
    submitted = [claim.id for claim in opened if claim.status == SUBMITTED]
    observed = [claim for claim in (*opened, *counted) if claim.status == OBSERVED]
    return [*([Verify(submitted)] if submitted else ()), *watch(observed, policy, now)]


def _open(
    changes: Changes,
    faults: Sequence[Fault],
    clears: Sequence[Fault],
    policy: Policy,
    now: datetime,
    new_identity: NewIdentity,
) -> None:
    raised = [fault for fault in faults if not fault.cleared]
    if not raised:
        return
    identity = new_identity()
    first = _earliest(raised)
    code = policy.codes[first.code]
    ended = _ended(faults, clears, first.occurred_at) if clears or len(raised) < len(faults) else []
    filers = sorted(_filers(raised, first.filed_by))
    details: dict[str, Any] = {name: value for name in _OPTIONAL if (value := getattr(first, name)) is not None}
    if filers:
        details["also_filed_by"] = filers
    if edited := _edits(raised):
        details["edited"] = edited
    opened = ClaimOpened(
        spot_id=first.spot_id,
        code=first.code,
        claim_type=CLAIM_TYPES[first.code],
        number=identity.number,
        severity=code.severity,
        status=OBSERVED if code.hold_down_seconds else SUBMITTED,
        policy=policy.version,
        connector_id=first.connector_id,
        faults=[fault.key for fault in (*raised, *ended)],
        fault_count=len(raised),
        first_seen_at=first.occurred_at,
        last_seen_at=max(fault.occurred_at for fault in raised),
        cleared_at=max((fault.occurred_at for fault in ended), default=None),
        **details,
    )
    claim = opened.begin(identity.id, now)
    for fault in (*raised, *ended):
        fault.claim_id = claim.id
    changes.append(claim, opened, now, claim.filed_by or faults[0].source)


# The details that an opening leaves out where they are unknown.
_OPTIONAL: Final = ("zone", "affected_user", "reservation_id", "session_id", "filed_by")


def _count(
    changes: Changes, claim: Claim, faults: Sequence[Fault], clears: Sequence[Fault], now: datetime
) -> bool:
    """Counts the faults that belong to the claim, if any do.

    The earliest fault speaks for the claim, whenever it comes. A clear from before it belongs to no claim yet.
    """
    raised = [fault for fault in faults if not fault.cleared]
    first = _earliest(raised) if raised else None
    first_seen_at = min(claim.first_seen_at, first.occurred_at) if first else claim.first_seen_at
    ended = _ended(faults, clears, first_seen_at) if clears or len(raised) < len(faults) else []
    belonging = [*raised, *ended]
    if not belonging:
        return False
    for fault in belonging:
        fault.claim_id = claim.id
    moments = [fault.occurred_at for fault in ended]
    filers = sorted(_filers(raised, claim.filed_by).difference(claim.also_filed_by))
    moved = _moved(claim, first) if first else {}
    if filers:
        moved["also_filed_by"] = [*claim.also_filed_by, *filers]
    if edited := _edits(raised):
        moved["edited"] = edited
    counted = FaultsCounted(
        faults=[fault.key for fault in belonging],
        fault_count=claim.fault_count + len(raised),
        first_seen_at=first_seen_at,
        last_seen_at=max([claim.last_seen_at, *(fault.occurred_at for fault in raised)]),
        cleared_at=max([*moments, claim.cleared_at] if claim.cleared_at else moments, default=None),
        **moved,
    )
    changes.record(claim, counted, now, faults[0].source)
    return True


def _ended(faults: Sequence[Fault], clears: Sequence[Fault], since: datetime) -> list[Fault]:
    """Finds the clears that belong to a claim that was first seen at this moment."""
    every_clear = [*(fault for fault in faults if fault.cleared), *clears]
    return [fault for fault in every_clear if fault.occurred_at >= since]


def _filers(raised: Iterable[Fault], first: str | None) -> set[str]:
    """Names who filed these besides the first; controllers send storms, and are named once.

    Who edits a message files it as well: the words are theirs.
    """
    names = {fault.filed_by for fault in raised}
    for fault in raised:
        names.update(fault.edited_by)
    return {name for name in names if name is not None and name != first}


def _edits(raised: Iterable[Fault]) -> Edits:
    return {
        fault.key: {"by": fault.edited_by, "original": fault.original_digest}
        for fault in raised
        if fault.edited_by
    }


def _earliest(raised: list[Fault]) -> Fault:
    """Breaks ties deterministically."""
    if len(raised) == 1:
        return raised[0]
    moment = min(fault.occurred_at for fault in raised)
    first = [fault for fault in raised if fault.occurred_at == moment]
    return first[0] if len(first) == 1 else min(first, key=lambda fault: _ordered(_details(fault)))


def _ordered(details: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """Makes the details of a fault or a claim comparable with another's."""
    return [(value is not None, value) for value in details]


def _moved(claim: Claim, fault: Fault) -> dict[str, Any]:
    """Returns the details that change when an earlier fault speaks for the claim."""
    if fault.occurred_at > claim.first_seen_at:
        return {}
    said, known = _details(fault), _details(claim)
    if fault.occurred_at == claim.first_seen_at and (said == known or _ordered(said) >= _ordered(known)):
        return {}
    return {name: getattr(fault, name) for name in DETAILS if getattr(fault, name) != getattr(claim, name)}
