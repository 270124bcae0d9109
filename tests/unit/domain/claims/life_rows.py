"""The rows that a database would hold of one claim, what is done to them, and what must be true of them."""

import json
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.audit import chain as audit
from domain.audit.event import OPENED
from domain.changes import Changes
from domain.claims import sla
from domain.claims.approval import escalate, route
from domain.claims.claim import Claim
from domain.claims.correct import Asked, Correction, correct
from domain.claims.decide import Delegation, Person, decide
from domain.claims.deduplication import deduplicate, group_by_claim
from domain.claims.hold_down import submit
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.verify import verify
from domain.errors import Conflict, NoteRefused
from domain.evidence import filing
from domain.evidence import item as evidence
from domain.evidence.item import Evidence, compose
from domain.policy.policy import Policy
from domain.policy.roles import FILE_EVIDENCE
from domain.steps import CheckClocks, Escalate, Route, Step, Submit, Verify
from tests.builders import NOW, PIECES, a_usage_record, an_item, ids, new_identities
from tests.unit.domain.claims.life_model import CLOSED, HIGHER, MARKS, OPEN, STANDING, Loan, Model, Refusal
from tests.unit.domain.replaying import replayed

Somebody = tuple[str, str]
"""A person's name and role."""

Work = Callable[[Claim, list[Evidence]], Changes]
"""What a transaction does with the claim and its items."""

HOUR = timedelta(hours=1)
SESSION = {"started_at": NOW - HOUR, "ended_at": NOW}
USAGE = {
    "good": [a_usage_record(energy_kwh=-5.0, **SESSION)],
    "bad": [a_usage_record(**SESSION)],
    "none": [],
}
# The others notify people, and change nothing.
STEPS_OF_LIFE = ("submit", "verify", "route", "escalate", "clock")
# The step that must be pending for a claim in this status.
FOLLOWS = {"observed": "submit", "submitted": "verify", "awaiting_evidence": "verify", "verifying": "route"}

REACHED: Counter[str] = Counter()
"""What happened in all lives together, and how often."""


class ClaimRows(RuleBasedStateMachine):
    """One claim beside its model. A life begins with `_begin`, and its rules do the rest."""

    claim: Claim
    model: Model
    policy: Policy

    def _begin(self, fault: Any) -> None:
        self.reports = [(fault.occurred_at, False)]
        self.items: dict[str, Evidence] = {}
        self.item_ids = ids()
        self.seen = "", self.model.items.copy()
        self.due: dict[str, datetime] = {}
        changes = self._count(fault, {})
        [self.claim] = changes.of(Claim, OPENED)
        self.events = list(changes.events)
        self.steps: list[tuple[Step, int]] = []
        self._schedule(changes)

    def _count(self, fault: Any, claims: dict[tuple[str, str], Claim]) -> Changes:
        groups = group_by_claim([fault], self.policy)
        return deduplicate(groups, claims, self.policy, self.model.now, new_identities())

    def _commit(self, work: Work, *, crash: bool) -> Changes | None:
        """As a transaction: on copies that were read for it, kept only if nothing fails before the end."""
        read, items = pickle.loads(pickle.dumps((self.claim, list(self.items.values()))))
        changes = work(read, items)
        REACHED["a step"] += 1
        if crash:
            REACHED["crashed"] += 1
            return None
        if changes.of(Claim):
            self.claim = read
        self.events += changes.events
        self.items |= {item.id: item for item in changes.of(Evidence)}
        return changes

    def _schedule(self, changes: Changes) -> None:
        """Each step with the turn of the model that it was scheduled for."""
        steps = [step for step in changes.steps if step.kind in STEPS_OF_LIFE]
        self.steps += [(step, self.model.turns) for step in steps]

    def _demand_refused(self, refusal: Refusal, work: Work, what: str) -> None:
        error, why = refusal
        try:
            self._commit(work, crash=False)
        except error:
            REACHED.update(["a step", why])
            return
        raise AssertionError(f"{what}, though: {why}; the claim is {self.model.status}")

    def _decide(
        self, action: str, person: Somebody, *, stale: bool, crash: bool, look: str, note: str = "why"
    ) -> None:
        (name, role), model = person, self.model
        seen = {"none": None, "now": self.claim.evidence_digest, "before": self.seen[0]}[look]
        version = self.claim.version - stale
        lent = [loan for loan in model.loans if loan.to == name and not loan.revoked]
        who = Person(name, role, tuple(Delegation(loan.role, loan.of, loan.until) for loan in lent))

        def work(claim: Claim, items: list[Evidence]) -> Changes:
            return decide(
                claim,
                action,
                who,
                note=note,
                version=version,
                evidence_digest=seen,
                lacking=self._lacking(items),
                now=model.now,
                policies=lambda _: self.policy,
            )

        refusal = model.refuses(action, name, role)
        if look == "before" and self.seen[1] != model.items:
            refusal = Conflict, "evidence changed"
        if stale:
            refusal = Conflict, "stale"
        if not note and action in ("reject", "withdraw", "reopen", "note"):
            refusal = NoteRefused, "no note"
        if refusal is not None:
            return self._demand_refused(refusal, work, action)
        changes = self._commit(work, crash=crash)
        if changes is None:
            return None
        authority = model.authority(action, name, role)
        assert authority is not None
        model.does(action, name, authority[1])
        self._schedule(changes)
        [decision] = changes.events
        stated = json.loads(decision.body)
        assert (stated["role"], stated.get("on_behalf_of")) == authority
        REACHED.update([action, "for oneself" if authority[1] is None else "on behalf"])
        return None

    def _correct(self, person: Somebody, severity: str, *, stale: bool, crash: bool) -> None:
        (name, role), model = person, self.model
        lent = [loan for loan in model.loans if loan.to == name and not loan.revoked]
        who = Person(name, role, tuple(Delegation(loan.role, loan.of, loan.until) for loan in lent))
        asked = Asked(who, "why", self.claim.version - stale)

        def work(claim: Claim, _: list[Evidence]) -> Changes:
            return correct(claim, Correction(severity), asked, spot=None, policy=self.policy, now=model.now)

        refusal = model.refuses("correct", name, role)
        if refusal is None and severity == self.claim.severity:
            refusal = Conflict, "is so already"
        if stale:
            refusal = Conflict, "stale"
        if refusal is not None:
            return self._demand_refused(refusal, work, "correction")
        changes = self._commit(work, crash=crash)
        if changes is not None:
            REACHED["corrected, to begin again" if model.is_corrected(name) else "corrected"] += 1
            self._schedule(changes)
        return None

    def _lacking(self, items: list[Evidence]) -> list[str]:
        return evidence.missing(self.policy, self.claim.code, self._kinds(items))

    def _kinds(self, items: list[Evidence]) -> frozenset[str]:
        return frozenset(item.kind for item in items if item.standing)

    def _file(self, person: Somebody, kind: str, text: str, *, crash: bool) -> None:
        (name, role), model = person, self.model
        content = compose(kind, note=text, data=PIECES[kind])
        item = an_item(self.claim, id=next(self.item_ids), kind=kind, added_by=name, content=content)

        def work(claim: Claim, items: list[Evidence]) -> Changes:
            FILE_EVIDENCE.demand(role)
            return Changes() if filing.same_item(items, item) else filing.add(claim, items, item)

        known = (kind, name, text) in model.items.values()
        refusal = None if known and role != "auditor" else model.refuses_item(role)
        if refusal is not None:
            return self._demand_refused(refusal, work, "filing")
        changes = self._commit(work, crash=crash)
        if changes is None:
            return None
        if not known:
            model.items[item.id] = (kind, name, text)
            model.events += 1
        self._schedule(changes)
        REACHED["filed again" if known else "filed"] += 1
        return None

    def _lend(self, of: Somebody, to: Somebody, hours: int) -> None:
        if of != to:
            self.model.loans.append(Loan(of[1], of[0], to[0], self.model.now + hours * HOUR))

    def _wait_until(self, moment: datetime) -> None:
        self.model.moves_to(max(moment, self.model.now))

    def _carry_out(self, pending: tuple[Step, int], recorded: str, *, again: bool, crash: bool) -> None:
        step, turn = pending
        changes = self._commit(lambda claim, items: self._result_of(step, claim, items, recorded), crash=crash)
        if changes is None:
            return
        # Nobody takes a step's row away before it is due.
        if not again and (step.due_at is None or step.due_at <= self.model.now):
            self.steps.remove(pending)
        expected = self._follow(step, turn, recorded)
        assert len(changes.events) == expected, f"{step.kind} left {len(changes.events)} events"
        self.model.events += expected
        self._schedule(changes)
        REACHED[f"{step.kind} done" if expected else f"{step.kind} in vain"] += 1
        REACHED["approved by rule"] += step.kind == "route" and expected and self.model.status == "approved"

    def _result_of(self, step: Step, claim: Claim, items: list[Evidence], recorded: str) -> Changes:
        now = self.model.now
        if isinstance(step, Submit):
            return submit([(claim, self.reports)], self.policy, now)
        if isinstance(step, Verify):
            known = json.loads(self.events[claim.verdict_seq - 1].body) if claim.verdict_seq else None
            case = EvaluationInput(claim, None, USAGE[recorded], verdict=known, evidence=self._kinds(items))
            return verify([case], self.policy, now, lambda _: self.policy)
        if isinstance(step, Route):
            return route([claim], self.policy, now)
        if isinstance(step, Escalate):
            return escalate([(claim, step.state_key)], now, [claim.id] if self._lacking(items) else [])
        assert isinstance(step, CheckClocks)
        return sla.sweep([claim], {(claim.id, step.pauses)}, lambda _: self.policy, now)

    def _follow(self, step: Step, turn: int, recorded: str) -> int:
        """Moves the model as the step should have moved the claim; returns how many events that makes."""
        model = self.model
        if step.kind == "clock":
            fired = model.alerts - model.fired
            model.fired |= fired
            REACHED.update(fired)
            return len(fired)
        return {
            "submit": model.hold_down_ends,
            "verify": lambda: model.is_judged(recorded),
            "route": model.is_routed,
            "escalate": lambda: model.is_late(turn),
        }[step.kind]()

    def teardown(self) -> None:
        """Left alone, the clocks run on, and fire what they have to fire."""
        if not hasattr(self, "claim"):
            return
        while clocks := [pending for pending in self.steps if pending[0].kind == "clock"]:
            first = min(clocks, key=lambda pending: pending[0].due_at or NOW)
            self._wait_until((first[0].due_at or NOW) + timedelta(seconds=1))
            self._carry_out(first, "none", again=False, crash=False)
        assert set(self.claim.sla_alerts) == self.model.alerts
        running = self.model.timed and self.model.status in OPEN - STANDING
        stopped = set() if self.model.acknowledged is None else {"acknowledge.warned", "acknowledge.breached"}
        assert not running or self.model.alerts >= MARKS.keys() - stopped

    @invariant()
    def the_claim_is_what_the_model_says(self) -> None:
        if not hasattr(self, "claim"):
            return
        claim, model = self.claim, self.model
        assert (claim.status, claim.stage, claim.reopened) == (model.status, model.stage, model.reopened)
        assert claim.approved_by == model.passed_by
        assert claim.fault_count == model.faults
        assert (claim.escalated_to or None) == (model.late_for[-1] if model.late_for else None)
        assert (claim.evidence_digest != "") == bool(model.items)
        REACHED[claim.status] += 1

    @invariant()
    def the_record_is_whole(self) -> None:
        """One event for each change, chained, and they lead to the claim as it is, its version too."""
        if not hasattr(self, "claim"):
            return
        assert self.claim.version == len(self.events) == self.model.events
        assert self.claim.head == self.events[-1].hash
        assert audit.first_broken(self.events) is None
        assert replayed(self.events) == replace(self.claim, head=audit.GENESIS)
        assert (self.claim.closed_at is not None) == (self.claim.status in CLOSED)

    @invariant()
    def the_clocks_are_right(self) -> None:
        """Each alert fires once, and no pause brings a due date nearer."""
        if not hasattr(self, "claim"):
            return
        claim, model = self.claim, self.model
        fired = [f"{json.loads(e.body)['clock']}.{e.kind[10:]}" for e in self.events if ".sla_" in e.kind]
        assert sorted(fired) == sorted(claim.sla_alerts) == sorted(model.fired)
        if not model.timed or model.status in CLOSED:
            return
        dues = {"acknowledge": claim.acknowledge_due_at, "resolve": claim.resolve_due_at}
        for clock, due in dues.items():
            assert due == model.due(clock)
            if due is not None:
                assert due >= self.due.setdefault(clock, due)
                self.due[clock] = due

    @invariant()
    def what_must_happen_next_is_pending(self) -> None:
        """Whatever was lost, repeated or done too early."""
        if not hasattr(self, "claim"):
            return
        model, kinds = self.model, {(step.kind, turn) for step, turn in self.steps}
        wanted = FOLLOWS.get(model.status)
        assert wanted is None or wanted in {kind for kind, _ in kinds}
        if model.status == "awaiting_evidence" and model.found and model.found[1] != model.missing:
            assert "verify" in {step.kind for step, _ in self.steps if step.due_at is None}
        if model.status == "under_review" and model.highest in HIGHER:
            assert ("escalate", model.turns) in kinds
