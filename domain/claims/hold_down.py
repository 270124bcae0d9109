"""Holds faults down: an error becomes a claim only if it lasts or flaps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.events import ClaimLapsed, ClaimSubmitted
from domain.claims.lifecycle import OBSERVED
from domain.policy.policy import Policy
from domain.steps import Submit, Verify

_ACTOR: Final = "rule:hold_down"

Report = tuple[datetime, bool]
"""When something was reported, and whether it was a clear."""

EVENTS_WITH_REPORTS: Final = 1000
"""How many of a claim's last audit events with faults are read for its reports; earlier ones are left out."""

STRAY_CLEARS_OF_A_CLAIM: Final = 1000
"""How many clears without a claim are read for one observed claim; which ones, if there are more, is undefined."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of an error; `cleared_at` is None while it lasts."""

    raised_at: datetime
    cleared_at: datetime | None = None


def episodes(reports: Iterable[Report]) -> list[Episode]:
    """Returns the episodes that reports make, the first one first.

    The reports may come in any order. A raise before the clear continues the episode; a clear without a raise says
    nothing.
    """
    found: list[Episode] = []
    for moment, cleared in sorted(reports):
        lasting = bool(found) and found[-1].cleared_at is None
        if cleared and lasting:
            found[-1] = Episode(found[-1].raised_at, moment)
        elif not cleared and not lasting:
            found.append(Episode(moment))
    return found


def watch(observed: Iterable[Claim], policy: Policy, now: datetime) -> list[Submit]:
    """Schedules the end of the hold-down of observed claims."""
    together: dict[float, list[str]] = {}
    for claim in observed:
        together.setdefault(policy.codes[claim.code].hold_down_seconds, []).append(claim.id)
    return [Submit(ids, due_at=now + timedelta(seconds=held)) for held, ids in together.items()]


def submit(observed: Iterable[tuple[Claim, Sequence[Report]]], policy: Policy, now: datetime) -> Changes:
    """Decides what becomes of observed claims, each with all its reports.

    An error that lasts as long as its hold-down becomes a claim, and so does one that flaps, however short its
    episodes. One that has been quiet for the whole flapping interval lapses; the others are looked at again.
    Claims that are not observed any more are left alone.
    """
    changes = Changes()
    submitted: list[str] = []
    for claim, reports in observed:
        if claim.status != OBSERVED:
            continue
        found = episodes(reports)
        held = timedelta(seconds=policy.codes[claim.code].hold_down_seconds)
        why = "lasted" if _lasted(found, held, now) else "flapping" if _flaps(found, policy) else None
        due_at = None if why else _look_again(found, held, policy, now)
        if due_at is not None:
            changes.put(Submit([claim.id], due_at=due_at))
        elif why:
            event = ClaimSubmitted(episodes=len(found), cleared_at=claim.cleared_at, why=why)
            changes.record(claim, event, now, _ACTOR)
            submitted.append(claim.id)
        else:
            changes.record(claim, ClaimLapsed(episodes=len(found), cleared_at=claim.cleared_at), now, _ACTOR)
    if submitted:
        changes.put(Verify(submitted))
    return changes


def _lasted(found: Sequence[Episode], held: timedelta, now: datetime) -> bool:
    return any((episode.cleared_at or now) - episode.raised_at >= held for episode in found)


def _flaps(found: Sequence[Episode], policy: Policy) -> bool:
    """Checks whether enough episodes began within the interval that the policy sets."""
    count, within = policy.flapping_episodes, timedelta(minutes=policy.flapping_minutes)
    begins = [episode.raised_at for episode in found]
    return any(last - first <= within for first, last in zip(begins, begins[count - 1 :], strict=False))


def _look_again(found: Sequence[Episode], held: timedelta, policy: Policy, now: datetime) -> datetime | None:
    """Returns when more will be known; None if nothing can come of it any more.

    A clock ahead of ours does not delay it: the moment is at most the interval from now on.
    """
    if not found:
        return None
    cleared_at = found[-1].cleared_at
    if cleared_at is None:
        return min(found[-1].raised_at, now) + held
    quiet = timedelta(minutes=policy.flapping_minutes)
    return None if now - cleared_at >= quiet else min(cleared_at, now) + quiet
