"""An incident's whole life: whatever comes to it, its record alone leads to it and to the claims that it holds."""

import json
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.audit.chain import GENESIS, AuditEvent, first_broken
from domain.changes import Changes
from domain.errors import Conflict, NoteRefused
from domain.incidents import handling, lifecycle
from domain.incidents.events import EVENTS, IncidentRestated
from domain.incidents.incident import CLOSED, Incident, Link
from domain.incidents.windows import Group, Window
from domain.notifications.attempts import record_notified
from domain.policy.policy import IncidentPolicy
from domain.steps import SettleIncident
from tests.builders import NOW, a_delivery, ids
from tests.unit.domain.replaying import replayed

POLICY = IncidentPolicy(quiet_minutes=60, max_age_hours=5)
THRESHOLD = 3
PEOPLE = st.sampled_from(["max", "ann"])
NOTES = st.sampled_from(["why", "why", ""])
Work = Callable[[Incident], Changes]

REACHED: Counter[str] = Counter()
"""The kinds of events in all lives together, and what was refused."""


@dataclass
class Kept:
    """An incident's row, its chain, and the look at it that is pending."""

    row: Incident
    chain: list[AuditEvent] = field(default_factory=list)
    due_at: datetime = NOW


class IncidentLife(RuleBasedStateMachine):
    """What may come to incidents at any time."""

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.new_id = ids().__next__
        self.kept: dict[str, Kept] = {}
        self.links: dict[str, str] = {}
        for place in ("north", "south"):
            self._open(place, spots=4)

    def _open(self, place: str, spots: int) -> None:
        group, claims = Group("OTHER", "zone", place), [self.new_id() for _ in range(spots)]
        window = Window(spots, self.now - timedelta(minutes=5), self.now)
        self._keep(lifecycle.open_incident(group, window, THRESHOLD, claims, POLICY, self.now, self.new_id()))

    def _keep(self, changes: Changes) -> None:
        for incident in changes.of(Incident):
            self.kept.setdefault(incident.id, Kept(incident)).row = incident
        for event in changes.events:
            self.kept[event.subject_id].chain.append(event)
            REACHED.update([event.kind, json.loads(event.body).get("closed_why")])
        self.links |= {link.claim_id: link.incident_id for link in changes.of(Link)}
        for step in changes.steps:
            if isinstance(step, SettleIncident) and step.due_at is not None:
                self.kept[step.subject_ids[0]].due_at = step.due_at

    def _do(self, incident: Incident, work: Work) -> None:
        """As a transaction: what is refused changes nothing."""
        loaded = pickle.loads(pickle.dumps(incident))
        try:
            changes = work(loaded)
        except (Conflict, NoteRefused) as refused:
            REACHED[type(refused).__name__] += 1
            assert loaded == incident
        else:
            self._keep(changes)

    def _one(self, data: st.DataObject) -> Incident:
        return self.kept[data.draw(st.sampled_from(sorted(self.kept)))].row

    def _claims(self, incident: Incident) -> list[str]:
        return [claim for claim, incident_id in self.links.items() if incident_id == incident.id]

    @rule(data=st.data(), spots=st.integers(1, 8), new=st.integers(0, 3))
    def more_is_seen(self, data: st.DataObject, spots: int, new: int) -> None:
        """More spots or fewer, with claims or without; a closed incident takes in nothing."""
        incident, claims = self._one(data), [self.new_id() for _ in range(new)]
        window = Window(spots, self.now, self.now)
        if incident.status != CLOSED:
            self._do(incident, lambda it: lifecycle.count(it, window, claims, self.now))

    @rule(minutes=st.sampled_from([1, 10, 61, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(data=st.data())
    def it_is_left_alone(self, data: st.DataObject) -> None:
        """And looked at when it is due."""
        incident = self._one(data)
        self.now = max(self.now, self.kept[incident.id].due_at)
        self._do(incident, lambda it: lifecycle.settle(it, POLICY, self.now, self.now))

    @rule(data=st.data(), late=st.booleans())
    def somebody_looks_whether_it_is_over(self, data: st.DataObject, late: bool) -> None:
        """In time or too early, or long after the look was due."""
        incident = self._one(data)
        due_at = self.kept[incident.id].due_at if late else self.now
        self._do(incident, lambda it: lifecycle.settle(it, POLICY, self.now, due_at))

    @rule(data=st.data(), who=PEOPLE, note=NOTES, cause=st.booleans())
    def somebody_attends_to_it(self, data: st.DataObject, who: str, note: str, cause: bool) -> None:
        act = handling.state_cause if cause else handling.acknowledge
        self._do(self._one(data), lambda it: act(it, who, note, self.now))

    @rule(data=st.data(), who=PEOPLE, note=NOTES)
    def somebody_closes_it(self, data: st.DataObject, who: str, note: str) -> None:
        self._do(self._one(data), lambda it: handling.close_by_hand(it, who, note, self.now))

    @rule(data=st.data(), who=PEOPLE)
    def somebody_merges_it(self, data: st.DataObject, who: str) -> None:
        """Into another one, or into itself."""
        incident, into = self._one(data), pickle.loads(pickle.dumps(self._one(data)))
        claims = self._claims(incident)
        self._do(incident, lambda it: handling.merge(it, into, claims, who, "the same cause", self.now))

    @rule(data=st.data(), who=PEOPLE, note=NOTES, parted=st.integers(0, 4))
    def somebody_splits_it(self, data: st.DataObject, who: str, note: str, parted: int) -> None:
        incident = self._one(data)
        own, new_id = self._claims(incident), self.new_id()
        self._do(incident, lambda it: handling.split(it, own, own[:parted], who, note, POLICY, self.now, new_id))

    @rule(data=st.data())
    def people_are_notified_of_it(self, data: st.DataObject) -> None:
        delivery = a_delivery(event="incident.opened", subject_kind="incident")
        self._do(self._one(data), lambda it: record_notified([(delivery, it)], self.now))

    @invariant()
    def the_record_leads_to_it(self) -> None:
        """Every chain is whole, and what it says is all there is to know."""
        for kept in getattr(self, "kept", {}).values():
            assert first_broken(kept.chain) is None
            assert kept.row.head == kept.chain[-1].hash
            assert replayed(kept.chain) == replace(kept.row, head=GENESIS)

    @invariant()
    def the_record_leads_to_its_claims(self) -> None:
        """A claim belongs to the incident that took it last, and to no other."""
        for incident_id, kept in getattr(self, "kept", {}).items():
            held: dict[str, int] = {}
            for event in kept.chain:
                KINDS_OF_INCIDENTS[event.kind].read(json.loads(event.body)).link(held, event.seq)
            assert sorted(held) == sorted(self._claims(kept.row))
            assert kept.row.claim_count == len(held), incident_id


KINDS_OF_INCIDENTS = {event.KIND: event for event in EVENTS}
DONE = KINDS_OF_INCIDENTS.keys() - {IncidentRestated.KIND} | {"quiet", "age", "merged", "person"}
REFUSED = {Conflict.__name__, NoteRefused.__name__}


def test_any_life_is_on_record() -> None:
    """And the lives together go everywhere, by whatever way an incident can end."""
    REACHED.clear()

    run_state_machine_as_test(
        IncidentLife,
        settings=settings(max_examples=100, stateful_step_count=30, derandomize=True, deadline=None),
    )

    assert (DONE | REFUSED) - REACHED.keys() == set()
