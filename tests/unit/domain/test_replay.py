"""Replay: the stored events of a claim or an incident, and nothing else, lead to it as it is."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from domain.administration.act import Act
from domain.audit.chain import GENESIS, AuditEvent, append, instant
from domain.audit.event import UNSTATED, Event
from domain.changes import Changes
from domain.claims import decision_events as decisions
from domain.claims.approval import escalate, route
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange, SlaBreached
from domain.claims.deduplication import deduplicate, group_by_claim
from domain.claims.events import ClaimNotified, ClaimRestated
from domain.eligibility.verify import verify
from domain.errors import Conflict
from domain.events import KINDS, Subject, read, replay
from domain.incidents.events import IncidentRestated
from domain.notifications.attempts import record_notified
from tests.builders import (
    FAULT_TIME,
    NOW,
    a_claim,
    a_claim_under_review,
    a_clear,
    a_delivery,
    a_fault,
    a_policy,
    a_usage_record,
    an_incident,
    an_input,
    new_identities,
)
from tests.unit.domain.replaying import replayed

POLICY = a_policy()


def as_replayed(subject: Subject) -> Subject:
    """Nothing but the hash of the last event is not replayed."""
    return replace(subject, head=GENESIS)


def test_a_claim_is_what_its_events_say() -> None:
    """Opened, counted, cleared, judged, routed, late, notified of: after each of them."""
    opening = deduplicate(
        group_by_claim([a_fault(filed_by="rita", zone="north")], POLICY), {}, POLICY, NOW, new_identities()
    )
    [claim] = opening.of(Claim)
    earlier = a_fault(filed_by="rosa", zone="south", occurred_at=FAULT_TIME - timedelta(hours=1))
    more = group_by_claim([earlier, a_clear(occurred_at=NOW)], POLICY)
    known = {(claim.spot_id, claim.code): claim}
    chain: list[AuditEvent] = []
    for happens in (
        lambda: opening,
        lambda: deduplicate(more, known, POLICY, NOW, new_identities()),
        lambda: verify([an_input(claim, a_usage_record(energy_kwh=-1.0))], POLICY, NOW),
        lambda: route([claim], POLICY, NOW),
        lambda: escalate([(claim, claim.state_key)], NOW),
        lambda: record_notified([(a_delivery(), claim)], NOW),
    ):
        chain += happens().events
        assert replayed(chain) == as_replayed(claim)

    assert (claim.zone, claim.also_filed_by, claim.verdict_seq, claim.version) == ("south", ["rosa"], 3, 6)
    assert (claim.status, claim.stage, claim.stages) == ("under_review", 1, ["reviewer", "manager"])
    assert (claim.escalated_to, claim.cleared_at) == ("manager", NOW)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            decisions.StagePassed(stage=1, on_behalf_of="max"),
            {"stage": 2, "escalated_to": None, "approved_by": ["ann", "eve", "max"]},
        ),
        (
            decisions.ClaimApproved(stage=2),
            {"status": "approved", "escalated_to": None, "approved_by": ["ann", "eve"]},
        ),
        (decisions.ClaimApproved(automatic=True), {"status": "approved", "escalated_to": None}),
        (decisions.ClaimRejected(), {"status": "rejected", "closed_at": NOW, "escalated_to": None}),
        (decisions.ClaimResolved(), {"status": "resolved", "closed_at": NOW, "escalated_to": None}),
        (decisions.ClaimWithdrawn(), {"status": "withdrawn", "closed_at": NOW, "escalated_to": None}),
        (decisions.ClaimEscalated(to="manager"), {"escalated_to": "manager"}),
        (
            decisions.ClaimReopened(clocks=ClockChange(resolve_due_at=FAULT_TIME)),
            {
                "status": "submitted",
                "closed_at": None,
                "escalated_to": None,
                "stage": 0,
                "stages": [],
                "approved_by": [],
                "reopened": 1,
                "resolve_due_at": FAULT_TIME,
            },
        ),
        (
            decisions.ClaimAcknowledged(clocks=ClockChange(acknowledged_at=NOW)),
            {"acknowledged_at": NOW},
        ),
        (decisions.ClaimNoted(note="x"), {}),
        (SlaBreached(clock="resolve", due_at=NOW, used_hours=1.0), {"sla_alerts": ["resolve.breached"]}),
        (ClaimNotified(delivery="d", destination="ops", event="x"), {}),
    ],
    ids=lambda value: getattr(value, "KIND", ""),
)
def test_what_an_event_changes(event: Event[Claim], expected: dict[str, Any]) -> None:
    """That, and nothing else; closing it at the moment of the event."""
    claim = a_claim_under_review("reviewer", "manager", escalated_to="admin", approved_by=["ann"])
    before = replace(claim)

    read(event.KIND, json.loads(append(a_claim(), NOW, "eve", event.KIND, event.body()).body)).apply(
        claim, NOW, "eve"
    )

    assert claim == replace(before, **expected)


@pytest.mark.parametrize("subject", [a_claim(pauses=[NOW], stages=["manager"]), an_incident(root_cause="x")])
def test_a_chain_may_begin_with_a_restatement(subject: Subject) -> None:
    """Every column has its value again; later it replaces what events before left unknown."""
    restated: Any = ClaimRestated if isinstance(subject, Claim) else IncidentRestated
    changes = Changes()
    changes.append(subject, restated.of(subject), NOW, "operator")

    assert replayed(changes.events) == as_replayed(subject)
    other: Any = a_claim(id=subject.id) if isinstance(subject, Claim) else an_incident(id=subject.id)
    restated.of(subject).apply(other, NOW, "operator")
    assert replace(other, version=1) == as_replayed(subject)


def test_only_openings_and_restatements_begin_a_chain() -> None:
    """Whatever else comes first follows from nothing."""
    begins = {kind for kind, event in KINDS.items() if hasattr(event, "begin") and not issubclass(event, Act)}

    assert begins == {"claim.opened", "claim.restated", "incident.opened", "incident.restated"}
    for kind, body in (("claim.noted", {"note": "a call"}), ("incident.quiet", {})):
        with pytest.raises(LookupError, match=f"no chain begins with {kind}"):
            replay(None, "c", read(kind, body), NOW, "eve")


def test_a_state_that_does_not_allow_the_event() -> None:
    """A closed claim gets no verdict."""
    verdict = read("claim.verified", {"outcome": "eligible", "answers": []})

    with pytest.raises(Conflict, match="rejected"):
        replay(a_claim(status="rejected"), "c", verdict, NOW, "rule:eligibility")


OLD_OPENING = {
    "spot_id": "E1",
    "code": "METER_MISREAD",
    "severity": "high",
    "connector_id": 2,
    "policy": "v1",
    "faults": ["ab" * 16],
    "fault_count": 1,
    "first_seen_at": instant(FAULT_TIME),
    "last_seen_at": instant(FAULT_TIME),
    "cleared_at": None,
}
NOT_STATED = {"claim_type", "status", "zone", "affected_user", "reservation_id", "session_id", "filed_by"}


class TestOldOpenings:
    """Before openings stated a status, they did not state everything."""

    def replayed(self, *later: tuple[str, dict[str, Any]], **more: Any) -> Claim:
        subject = a_claim()
        bodies = [("claim.opened", OLD_OPENING | more), *later]
        claim = replayed([append(subject, NOW, "controller:7", kind, body) for kind, body in bodies])
        assert isinstance(claim, Claim)
        return claim

    def unstated(self, claim: Claim) -> set[str]:
        return {field.name for field in fields(claim) if getattr(claim, field.name) is UNSTATED}

    def test_what_they_do_not_state_is_unstated(self) -> None:
        """Not None, which would be a statement; the rest is as it was said."""
        claim = self.replayed()

        assert self.unstated(claim) == NOT_STATED
        assert (claim.spot_id, claim.connector_id, claim.fault_count, claim.policy_version) == ("E1", 2, 1, "v1")
        assert (claim.opened_at, claim.first_seen_at, claim.cleared_at) == (NOW, FAULT_TIME, None)
        assert (claim.also_filed_by, claim.stages, claim.version) == ([], [], 1)

    def test_what_they_state_is_stated(self) -> None:
        """Some named what the fault said."""
        claim = self.replayed(zone="north", also_filed_by=["rosa"])

        assert (claim.zone, claim.also_filed_by) == ("north", ["rosa"])
        assert self.unstated(claim) == NOT_STATED - {"zone"}

    def test_later_events_state_the_rest(self) -> None:
        """A verdict the status, an earlier fault what it said, and a restatement everything."""
        verified = "claim.verified", {"outcome": "insufficient", "answers": [{"result": "insufficient"}]}
        counted = (
            "claim.faults_counted",
            {
                **{name: OLD_OPENING[name] for name in ("faults", "first_seen_at", "last_seen_at", "cleared_at")},
                "fault_count": 2,
                "zone": None,
            },
        )
        restated = "claim.restated", ClaimRestated.of(a_claim(affected_user="u-1")).body()

        judged = self.replayed(verified)
        assert (judged.status, judged.verdict_seq) == ("awaiting_evidence", 2)
        assert self.unstated(judged) == NOT_STATED - {"status"}
        assert self.unstated(self.replayed(verified, counted)) == NOT_STATED - {"status", "zone"}
        assert self.unstated(self.replayed(verified, counted, restated)) == set()
        assert self.replayed(restated).affected_user == "u-1"

    def test_an_opening_with_a_status_states_everything(self) -> None:
        """What it leaves out is None."""
        claim = self.replayed(status="observed", claim_type="usage_discrepancy")

        assert self.unstated(claim) == set()
        assert (claim.status, claim.zone, claim.filed_by) == ("observed", None, None)
