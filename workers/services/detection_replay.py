"""Replays detection over recorded faults, and stores nothing.

Windows, thresholds and incidents are the same as live.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from domain.changes import Changes
from domain.incidents.incident import CLOSED, Incident, Link
from domain.incidents.windows import Group, Sighting, Threshold, Windows
from domain.policy.policy import IncidentPolicy
from domain.steps import Detect, SettleIncident
from workers.steps.detect import Detector
from workers.steps.incident import IncidentSettler

# Sightings of one minute come together, as a batch would bring them.
_TOGETHER: Final = timedelta(minutes=1)


class Replay:
    """Replays sightings in the order of their time."""

    def __init__(
        self, windows: Windows, threshold: Threshold, policy: IncidentPolicy, new_id: Callable[[], str]
    ) -> None:
        self._now = datetime.min
        self._recorded = _Recorded()
        self._detect = Detector(windows, threshold, policy, lambda: self._now, new_id)
        self._settle = IncidentSettler(policy, lambda: self._now)
        self._pending: list[SettleIncident] = []
        windows.fill({})

    def run(self, sightings: Iterable[Sighting]) -> list[Incident]:
        """Returns all incidents in the order of their opening, when all are quiet."""
        in_time = sorted(sightings, key=lambda seen: seen.at)
        for moment, together in groupby(in_time, key=lambda seen: _minute(seen.at)):
            self._pass_time(moment + _TOGETHER)
            self._recorded.seen = list(together)
            self._take(self._detect(self._recorded, [Detect([])]))
        self._pass_time(None)
        return list(self._recorded.known.values())

    def _pass_time(self, until: datetime | None) -> None:
        """Carries out what is due by then, each at its moment; all that is pending, without an end."""
        while due := [step for step in self._pending if step.due_at and (until is None or step.due_at <= until)]:
            first = min(due, key=lambda step: step.due_at or self._now)
            self._pending.remove(first)
            self._now = first.due_at or self._now
            self._take(self._settle(self._recorded, [first]))
        self._now = until or self._now

    def _take(self, changes: Changes) -> None:
        self._recorded.take(changes)
        self._pending += [step for step in changes.steps if isinstance(step, SettleIncident)]


class _Recorded:
    """Implements `domain.ports.store.Sightings` in memory."""

    def __init__(self) -> None:
        self.seen: list[Sighting] = []
        self.known: dict[str, Incident] = {}
        self._newest: dict[tuple[str, str], Sighting] = {}
        self._links: dict[str, str] = {}

    def take(self, changes: Changes) -> None:
        """Stores what was recorded."""
        self.known |= {incident.id: incident for incident in changes.of(Incident)}
        self._links |= {link.claim_id: link.incident_id for link in changes.of(Link)}

    def sightings(self, claim_ids: Sequence[str]) -> list[Sighting]:
        self._newest |= {(seen.code, seen.spot_id): seen for seen in self.seen}
        return self.seen

    def sightings_since(self, moment: datetime) -> list[Sighting]:
        return [seen for seen in self._newest.values() if seen.at >= moment]

    def take_turns_opening(self, codes: Iterable[str]) -> None:
        """Waits for nobody: there is no other."""

    def open_incidents(self, codes: Iterable[str]) -> list[Incident]:
        wanted = set(codes)
        return [one for one in self.known.values() if one.status != CLOSED and one.code in wanted]

    def last_closed(self, group: Group) -> Incident | None:
        closed = (one for one in self.known.values() if one.status == CLOSED and one.group == group)
        return max(closed, key=lambda one: one.closed_at or one.opened_at, default=None)

    def incidents(self, ids: Sequence[str]) -> list[Incident]:
        return [self.known[one] for one in ids if one in self.known]

    def incidents_of(self, claim_ids: Sequence[str]) -> dict[str, str]:
        linked = {claim: self._links[claim] for claim in claim_ids if claim in self._links}
        return {claim: one for claim, one in linked.items() if self.known[one].status != CLOSED}

    def open_claims_of_spots(self, spots: Sequence[str], code: str) -> list[str]:
        return [self._newest[code, spot].claim_id for spot in spots if (code, spot) in self._newest]


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def between(sightings: Iterable[Sighting], begin: datetime | None, end: datetime | None) -> Iterator[Sighting]:
    """Filters sightings from a moment on and before another."""
    return (seen for seen in sightings if (begin is None or seen.at >= begin) and (end is None or seen.at < end))
