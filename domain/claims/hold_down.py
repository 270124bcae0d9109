"""Episodes, each from the raise of an error to its clear, and the claims that are observed because of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.audit import chain as audit
from domain.changes import Decision, Step
from domain.claims.claim import Claim
from domain.claims.lifecycle import OBSERVED, SUBMITTED, after
from domain.policy import Policy

Report = tuple[datetime, bool]
"""When something was reported, and whether it was a clear."""


@dataclass(frozen=True, slots=True)
class Episode:
    """How long an error was there; `cleared_at` is None while it is."""

    raised_at: datetime
    cleared_at: datetime | None = None


def episodes(reports: Iterable[Report]) -> list[Episode]:
    """The episodes that reports tell of, in whatever order those come, the first first.

    What is raised again before its clear is the same episode; a clear that ends none says nothing.
    """
    found: list[Episode] = []
    for moment, cleared in sorted(reports):
        lasting = bool(found) and found[-1].cleared_at is None
        if cleared and lasting:
            found[-1] = Episode(found[-1].raised_at, moment)
        elif not cleared and not lasting:
            found.append(Episode(moment))
    return found


def watch(observed: Iterable[Claim], policy: Policy, now: datetime) -> list[Step]:
    """The steps `submit` of claims for which something was raised just now: one for all with one hold-down."""
    together: dict[float, list[str]] = {}
    for claim in observed:
        together.setdefault(policy.codes[claim.code].hold_down_seconds, []).append(claim.id)
    return [Step("submit", ids, due_at=now + timedelta(seconds=held)) for held, ids in together.items()]


def submit(observed: Iterable[tuple[Claim, Sequence[Report]]], policy: Policy, now: datetime) -> Decision:
    """What becomes of claims that are observed, each with all that was reported for it.

    An error that lasts as long as its hold-down becomes a claim, and so does one that flaps, however short each of
    its episodes. One that has been quiet for as long as flapping is looked for lapses; the others are looked at
    again. Claims that are not observed any more are left alone.
    """
    decision = Decision()
    for claim, reports in observed:
        if claim.status != OBSERVED:
            continue
        found = episodes(reports)
        held = timedelta(seconds=policy.codes[claim.code].hold_down_seconds)
        why = "lasted" if _lasted(found, held, now) else "flapping" if _flaps(found, policy) else None
        due_at = None if why else _look_again(found, held, policy, now)
        if due_at is not None:
            decision.steps.append(Step("submit", [claim.id], due_at=due_at))
            continue
        claim.status = after(claim.status, "submit" if why else "lapse")
        claim.closed_at = None if why else now
        data = {
            "episodes": len(found),
            "cleared_at": audit.instant(claim.cleared_at) if claim.cleared_at else None,
            **({"why": why} if why else {}),
        }
        decision.changed.append(claim)
        kind = "claim.submitted" if why else "claim.lapsed"
        decision.events.append(audit.append(claim, now, "rule:hold_down", kind, data))
    submitted = [claim.id for claim in decision.changed if claim.status == SUBMITTED]
    if submitted:
        decision.steps.append(Step("verify", submitted))
    return decision


def _lasted(found: Sequence[Episode], held: timedelta, now: datetime) -> bool:
    return any((episode.cleared_at or now) - episode.raised_at >= held for episode in found)


def _flaps(found: Sequence[Episode], policy: Policy) -> bool:
    """Whether so many episodes began within the time that the policy names."""
    count, within = policy.flapping_episodes, timedelta(minutes=policy.flapping_minutes)
    begins = [episode.raised_at for episode in found]
    return any(last - first <= within for first, last in zip(begins, begins[count - 1 :], strict=False))


def _look_again(found: Sequence[Episode], held: timedelta, policy: Policy, now: datetime) -> datetime | None:
    """When more will be known; None if nothing can come of it any more. Never later than from now on."""
    if not found:
        return None
    cleared_at = found[-1].cleared_at
    if cleared_at is None:
        return min(found[-1].raised_at, now) + held
    quiet = timedelta(minutes=policy.flapping_minutes)
    return None if now - cleared_at >= quiet else min(cleared_at, now) + quiet
