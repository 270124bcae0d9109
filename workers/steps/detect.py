"""Detects that one error shows on many spots, and counts its incident."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from domain.changes import Changes
from domain.errors import TransientError
from domain.incidents import lifecycle
from domain.incidents.incident import Incident, Link
from domain.incidents.windows import Group, NewestBySpot, Sighting, Threshold, Window, Windows, newest_by_group
from domain.policy.policy import IncidentPolicy
from domain.ports.store import Clock, Sightings
from domain.steps import Detect

# An incident that holds this share of another's claims is the same incident.
_SAME_SHARE = 0.5


class Detector:
    """Adds sightings to the windows; too many spots with one error are an incident."""

    def __init__(
        self,
        windows: Windows,
        threshold: Threshold,
        policy: IncidentPolicy,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._windows = windows
        self._threshold = threshold
        self._policy = policy
        self._clock = clock
        self._new_id = new_id

    def __call__(self, transaction: Sightings, steps: Sequence[Detect]) -> Changes:
        now = self._clock()
        sightings = transaction.sightings([claim_id for step in steps for claim_id in step.subject_ids])
        windows = self._see(transaction, newest_by_group(sightings, now), now)
        thresholds = {group: self._threshold(group, window.last) for group, window in windows.items()}
        over = {group for group, window in windows.items() if window.spots >= thresholds[group]}
        codes = {sighting.code for sighting in sightings}
        incidents = _by_group(transaction.open_incidents(codes))
        if over - incidents.keys():
            # Somebody else may be opening it just now.
            transaction.take_turns_opening({group.code for group in over - incidents.keys()})
            incidents = _by_group(transaction.open_incidents(codes))
        changes = self._count(transaction, sightings, windows, incidents, now)
        # What exceeds its threshold most comes first: it may explain the others.
        for group in sorted(over - incidents.keys(), key=lambda group: thresholds[group] / windows[group].spots):
            links = changes.of(Link)
            changes.add(self._open(transaction, group, windows[group], thresholds[group], links, now))
        return changes

    def _see(
        self, transaction: Sightings, newest: Mapping[Group, NewestBySpot], now: datetime
    ) -> Mapping[Group, Window]:
        if not newest:
            return {}
        windows = self._windows.see(newest)
        if windows is None:
            since = now - 3 * timedelta(minutes=self._policy.window_minutes)
            self._windows.fill(newest_by_group(transaction.sightings_since(since), now))
            windows = self._windows.see(newest)
        if windows is None:
            raise TransientError("Redis was emptied while the windows of detection were being filled.")
        return windows

    def _count(
        self,
        transaction: Sightings,
        sightings: Sequence[Sighting],
        windows: Mapping[Group, Window],
        incidents: Mapping[Group, Incident],
        now: datetime,
    ) -> Changes:
        """Counts what was seen for the incidents that are open there."""
        changes = Changes()
        if not incidents:
            return changes
        linked = transaction.incidents_of([sighting.claim_id for sighting in sightings])
        new: dict[Group, list[str]] = {}
        for sighting in sightings:
            group = next((group for group in sighting.groups if group in incidents), None)
            if group is not None:
                claims = new.setdefault(group, [])
                if sighting.claim_id not in linked:
                    claims.append(sighting.claim_id)
        for group, claims in new.items():
            changes.add(lifecycle.count(incidents[group], windows[group], claims, now))
        return changes

    def _open(
        self,
        transaction: Sightings,
        group: Group,
        window: Window,
        threshold: int,
        links: Sequence[Link],
        now: datetime,
    ) -> Changes:
        """Opens an incident, unless another explains it.

        That is a closed one of this series, or an open one that holds so many of its claims, as a zone's may hold
        a model's.
        """
        last = transaction.last_closed(group)
        if last is not None and lifecycle.tells_of(last, window, self._policy, now):
            return Changes()
        claims = transaction.open_claims_of_spots(self._windows.spots(group, window), group.code)
        taken = transaction.incidents_of(claims).keys() | {link.claim_id for link in links}
        free = [claim for claim in claims if claim not in taken]
        if len(free) <= (1 - _SAME_SHARE) * len(claims) and claims:
            return Changes()
        return lifecycle.open_incident(group, window, threshold, free, self._policy, now, self._new_id())


def _by_group(incidents: Iterable[Incident]) -> dict[Group, Incident]:
    """Returns the incidents that count what is seen: not those that people split off."""
    return {incident.group: incident for incident in incidents if incident.split_from is None}
