"""Detection over recorded faults: the same windows, thresholds and incidents as live, and nothing is stored."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from domain.changes import Decision, Step
from domain.incidents.incident import CLOSED, Incident
from domain.incidents.windows import Group, Sighting, Threshold, Windows
from domain.policy import IncidentPolicy
from workers.steps.detect import Detect
from workers.steps.incident import Settle

# Sightings of one minute come together, as a batch would bring them.
_TOGETHER: Final = timedelta(minutes=1)


class Replay:
    """Sightings in the order of their time, and what becomes of them."""

    def __init__(
        self, windows: Windows, threshold: Threshold, policy: IncidentPolicy, new_id: Callable[[], str]
    ) -> None:
        self._now = datetime.min
        self._recorded = _Recorded()
        self._detect = Detect(windows, threshold, policy, lambda: self._now, new_id)
        self._settle = Settle(policy, lambda: self._now)
        self._owed: list[Step] = []
        windows.fill({})

    def run(self, sightings: Iterable[Sighting]) -> list[Incident]:
        """All incidents in the order of their opening, as they stand when everything has fallen quiet."""
        in_time = sorted(sightings, key=lambda seen: seen.at)
        for moment, together in groupby(in_time, key=lambda seen: _minute(seen.at)):
            self._pass_time(moment + _TOGETHER)
            self._recorded.seen = list(together)
            self._take(self._detect(self._recorded, [Step("detect")]))
        self._pass_time(None)
        return list(self._recorded.known.values())

    def _pass_time(self, until: datetime | None) -> None:
        """Carries out what is due by then, each at its moment; all that is owed, with no end."""
        while due := [step for step in self._owed if step.due_at and (until is None or step.due_at <= until)]:
            first = min(due, key=lambda step: step.due_at or self._now)
            self._owed.remove(first)
            self._now = first.due_at or self._now
            self._take(self._settle(self._recorded, [first]))
        self._now = until or self._now

    def _take(self, decision: Decision) -> None:
        self._recorded.take(decision)
        self._owed += [step for step in decision.steps if step.kind == "incident"]


class _Recorded:
    """Implements `domain.ports.store.Sightings` in memory."""

    def __init__(self) -> None:
        self.seen: list[Sighting] = []
        self.known: dict[str, Incident] = {}
        self._newest: dict[tuple[str, str], Sighting] = {}
        self._links: dict[str, str] = {}

    def take(self, decision: Decision) -> None:
        """What was decided is known from now on."""
        self.known |= {incident.id: incident for incident in decision.incidents}
        self._links |= {link.claim_id: link.incident_id for link in decision.links}

    def sightings(self, claim_ids: Sequence[str]) -> list[Sighting]:
        self._newest |= {(seen.code, seen.spot_id): seen for seen in self.seen}
        return self.seen

    def sightings_since(self, moment: datetime) -> list[Sighting]:
        return [seen for seen in self._newest.values() if seen.at >= moment]

    def take_turns_opening(self, codes: Iterable[str]) -> None:
        """Nobody else is here."""

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
    """Those from a moment on and before another."""
    return (seen for seen in sightings if (begin is None or seen.at >= begin) and (end is None or seen.at < end))
