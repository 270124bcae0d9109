"""Everything that can happen to claims and incidents, once through the real store: each kind of event comes about,
what follows is what `domain.events.what_follows` says, and the record is sound."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.people.delegations import Delegations
from adapters.postgres.people.tokens import Tokens
from adapters.postgres.steps.queue import DueStep
from domain.changes import Changes
from domain.claims.correct import Correction
from domain.claims.decide import Wanted
from domain.events import KINDS
from domain.evidence.file import Upload
from domain.field.batch import Batch
from domain.identifiers import new_claim_id
from domain.policy.policy import ApprovalRule, NotificationRule, Policy
from domain.ports.store import Identity
from tests.builders import NOW, a_clear, a_fault, a_png, a_policy, a_usage_record
from tests.integration.parts import Clock, Spotclaim
from workers.audit.verify import audit
from workers.runtime.relay import pack
from workers.services.corrections import CorrectionService
from workers.services.decisions import Decide
from workers.services.incidents import IncidentService

RITA, MAX, OLGA = Identity("rita", "reviewer"), Identity("max", "manager"), Identity("olga", "operator")
ROB = Identity("rob", "reviewer")
# Only a migration writes them.
NOT_BY_LIFE = {"claim.restated", "incident.restated"}
# At once is by the database's clock, which is far from that of the test.
_DUE = """
SELECT id, kind, cardinality(subject_ids) AS size, payload FROM steps
WHERE due_at <= %s OR due_at = created_at ORDER BY id
"""


def a_lively_policy() -> Policy:
    """Hold-down, evidence, approval by rule, and notices of every end."""
    policy = a_policy()
    codes = dict(policy.codes)
    codes["OTHER"] = replace(codes["OTHER"], hold_down_seconds=600.0)
    codes["SESSION_MISSING"] = replace(codes["SESSION_MISSING"], evidence=("photo",))
    codes["OVER_VOLTAGE"] = replace(codes["OVER_VOLTAGE"], covered=False)
    by_rule = ApprovalRule(severities=("low",), claim_types=("equipment",), automatic=True)
    notices = tuple(NotificationRule(event, ("ops",)) for event in ("claim.ineligible", "incident.closed"))
    return replace(
        policy,
        codes=codes,
        approval=(by_rule, *policy.approval),
        notifications=(*policy.notifications, *notices),
    )


@dataclass
class Lives:
    """A small installation whose time is the test's."""

    spotclaim: Spotclaim

    def __post_init__(self) -> None:
        parts = (self.spotclaim.store, self.spotclaim.policy, self.spotclaim.policies, self.spotclaim.clock)
        keep = self.keep
        self.changes: list[Changes] = []
        self.decide = Decide(*parts, keep)
        self.corrections = CorrectionService(*parts, keep)
        incidents = self.spotclaim.policy.incidents
        self.incidents = IncidentService(
            self.spotclaim.store, self.decide, incidents, self.spotclaim.clock, new_claim_id, keep
        )

    def keep(self, _kind: str, changes: Changes) -> None:
        self.changes.append(changes)

    def report(self, *faults: Any) -> None:
        with self.spotclaim.store.transaction() as transaction:
            changes, _ = self.spotclaim.intake.within(transaction, Batch(faults=list(faults)))
        self.changes.append(changes)
        self.work()

    def fault(self, spot: str, code: str, **changes: Any) -> Any:
        return a_fault(**({"spot_id": spot, "raw_code": code, "occurred_at": self.spotclaim.clock.now} | changes))

    def storm(self, zone: str, numbers: range, code: str = "POWER_FAILURE") -> None:
        self.report(*(self.fault(f"{zone}{number}", code, zone=zone) for number in numbers))

    def claim(self, spot: str) -> str:
        rows = (row for row in self.spotclaim.claims() if row["spot_id"] == spot and row["closed_at"] is None)
        return str(next(rows)["id"])

    def decided(self, spot: str, action: str, who: Identity) -> None:
        self.decide(Wanted(self.claim(spot)), action, who, "a note")
        self.work()

    def correct(self, spot: str, correction: Correction) -> None:
        self.corrections.correct(Wanted(self.claim(spot)), correction, MAX, "measured")
        self.work()

    def incident(self, zone: str) -> str:
        sql = "SELECT id::text AS id FROM incidents WHERE place = %s AND closed_at IS NULL AND split_from IS NULL"
        return str(self.spotclaim.value(sql, zone))

    def pass_time(self, **duration: float) -> None:
        self.spotclaim.clock.now += timedelta(**duration)
        self.work()

    def work(self) -> None:
        """Carries out everything that is due by the test's clock, and what follows."""
        for _ in range(50):
            rows = self.spotclaim.rows(_DUE, self.spotclaim.clock.now)
            if not rows:
                return
            due = [DueStep(row["id"], row["kind"], row["size"], 0, row["payload"]) for row in rows]
            for kind, ids in pack(due):
                self.spotclaim.runner.run(kind, ids)
        raise AssertionError(f"steps still follow: {rows}")


@pytest.fixture
def lives(engine: Engine) -> Lives:
    spotclaim = Spotclaim(engine, policy=a_lively_policy(), clock=Clock())
    spotclaim.policies.keep(spotclaim.policy.version, "{}")
    for who in (RITA, MAX, ROB):
        Tokens(engine).put(who.name, who.role, f"token of {who.name}")
    Delegations(engine).lend("manager", "max", "rob", NOW + timedelta(days=30))
    return Lives(spotclaim)


def from_a_fault_to_a_second_review(lives: Lives) -> None:
    """Two stages with four eyes and a delegation, evidence, and a reopening."""
    records = [a_usage_record(spot_id="A", session_id=name, energy_kwh=-1.0) for name in ("x1", "x2")]
    lives.spotclaim.take_in(usage=records)
    lives.report(
        lives.fault("A", "METER_MISREAD", filed_by="olga", affected_user="u1", session_id="x1", zone="hz")
    )
    earlier = NOW - timedelta(hours=3)
    lives.report(
        lives.fault("A", "METER_MISREAD", filed_by="paul", session_id="x2", occurred_at=earlier),
        a_clear(spot_id="A", occurred_at=NOW),
    )
    lives.decided("A", "acknowledge", RITA)
    lives.decided("A", "note", OLGA)
    desk, claim = lives.spotclaim.desk, lives.claim("A")
    desk.add(claim, "photo", who="tess", role="operator", upload=Upload(a_png(), "m.png", "image/png"))
    item, _ = desk.add(claim, "note", who="tess", role="operator", note="wrong")
    desk.withdraw(claim, item.id, who="tess", role="operator", reason="a mistake")
    for action, who in (("approve", RITA), ("approve", ROB), ("resolve", MAX)):
        lives.decided("A", action, who)
    lives.decide(Wanted(claim), "reopen", MAX, "again")
    lives.work()


def corrected(lives: Lives) -> None:
    """One of an incident is of another error, one is bound to the next policy, and one is a duplicate."""
    lives.storm("east", range(4))
    lives.correct("east0", Correction(code="CONTROLLER_FAILURE"))
    lives.correct("east1", Correction("critical"))
    here, later = lives.spotclaim, replace(lives.spotclaim.policy, version="later")
    here.policies._known[later.version] = later
    rebind = CorrectionService(here.store, later, here.policies, here.clock, lives.keep).rebind
    rebind(Wanted(lives.claim("east1")), MAX, "agreed")
    lives.work()
    lives.report(lives.fault("double", "OVER_CURRENT"), lives.fault("double", "OVER_TEMPERATURE", filed_by="rita"))
    one, other = (it["id"] for it in lives.spotclaim.claims() if it["spot_id"] == "double")
    lives.decide(Wanted(one), "approve", RITA)
    lives.corrections.mark_duplicate(Wanted(other), one, MAX, "one fault")
    lives.work()


def observed_waiting_and_ended(lives: Lives) -> None:
    """Hold-down, flapping, missing evidence, no cover, approval by rule, and every end."""
    lives.report(lives.fault("lasts", "OTHER"), lives.fault("lapses", "OTHER"))
    lives.report(a_clear(spot_id="lapses", raw_code="OTHER", occurred_at=lives.spotclaim.clock.now))
    for _ in range(5):
        now = lives.spotclaim.clock.now
        clear = a_clear(spot_id="flaps", raw_code="OTHER", occurred_at=now + timedelta(seconds=20))
        lives.report(lives.fault("flaps", "OTHER"), clear)
        lives.pass_time(minutes=1)
    lives.pass_time(hours=2)
    lives.report(lives.fault("lacks", "SESSION_MISSING", reservation_id="r7"))
    photo = Upload(a_png(b"e"), "m.png", "image/png")
    note, _ = lives.spotclaim.desk.add(lives.claim("lacks"), "note", who="olga", role="operator", note="soon")
    lives.spotclaim.desk.withdraw(lives.claim("lacks"), note.id, who="olga", role="operator", reason="late")
    lives.spotclaim.desk.add(lives.claim("lacks"), "photo", who="olga", role="operator", upload=photo)
    lives.work()
    lives.report(lives.fault("uncovered", "OVER_VOLTAGE"))
    lives.report(lives.fault("rejected", "GROUND_FAILURE"))
    lives.decided("rejected", "reject", RITA)
    lives.report(lives.fault("withdrawn", "GROUND_FAILURE"))
    lives.decided("withdrawn", "withdraw", MAX)
    lives.report(lives.fault("late", "GROUND_FAILURE"))
    for _ in range(3):
        lives.pass_time(hours=20)


def incidents(lives: Lives) -> None:
    """They open, grow, are linked to, merged, split, explained, closed, and fall quiet."""
    lives.storm("north", range(4))
    lives.storm("north", range(4, 12))
    lives.storm("south", range(4))
    lives.pass_time(minutes=30)
    north, south = lives.incident("north"), lives.incident("south")
    lives.incidents.acknowledge(south, OLGA, "on my way")
    lives.incidents.merge(south, north, MAX, "the same transformer")
    lives.pass_time(hours=1)
    lives.report(lives.fault("north0", "CONTROLLER_FAILURE", zone="north"))
    lives.storm("north", range(12, 13))
    sql = "SELECT claim_id::text AS claim_id FROM incident_claims WHERE incident_id = %s ORDER BY claim_id LIMIT 2"
    claims = [row["claim_id"] for row in lives.spotclaim.rows(sql, north)]
    apart = lives.incidents.split(north, claims, MAX, "another cause")
    lives.incidents.state_cause(north, MAX, "transformer")
    lives.incidents.close(apart, MAX, "done")
    lives.storm("west", range(4), "CONTROLLER_FAILURE")
    for _ in range(20):
        lives.pass_time(minutes=30)


def test_everything_that_can_happen_does_and_leads_where_the_table_says(lives: Lives, engine: Engine) -> None:
    """A step follows an event when both are about one subject and are recorded together."""
    parts: tuple[Callable[[Lives], None], ...] = (
        from_a_fault_to_a_second_review,
        corrected,
        observed_waiting_and_ended,
        incidents,
    )
    for part in parts:
        part(lives)

    recorded = [*lives.changes, *(changes for _, changes in lives.spotclaim.committed)]
    assert {event.kind for changes in recorded for event in changes.events} == {
        kind for kind in KINDS.keys() - NOT_BY_LIFE if not kind.startswith("administration.")
    }
    followed = {
        (event.kind, step.kind)
        for changes in recorded
        for event in changes.events
        for step in changes.steps
        if event.subject_id in step.subject_ids
    }
    assert followed == {(kind, step.KIND) for kind, event in KINDS.items() for step in event.LEADS_TO}
    with open_snapshot(engine) as record:
        assert audit(record).findings == []
