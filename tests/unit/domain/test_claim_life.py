"""A claim's whole life against a plain model: random actions, legal and illegal, duplicated, reordered, crashed.

The short run is part of the suite; `SPOTCLAIM_LIFE_STEPS=200000` makes it a long one (`make nightly`). Hypothesis
prints the steps of a failing life and the blob that repeats it.
"""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import audit
from domain.approval import escalate, route
from domain.claim import Claim
from domain.decision import Decision, Step
from domain.decisions import Person, decide
from domain.errors import Conflict, NotAllowed
from domain.opening import meet_claims, open_or_count, submit
from domain.policy import ApprovalRule, CodePolicy
from domain.verification import verify
from tests.builders import NOW, a_case, a_clear, a_fault, a_policy, a_usage_record, ids

POLICY = a_policy()
STEPS_A_LIFE = 40
# Most lives are shorter than they may be, and some steps do nothing: on average over ten are done in a life.
DONE_A_LIFE = 10
LIVES = max(100, int(os.environ.get("SPOTCLAIM_LIFE_STEPS", "0")) // DONE_A_LIFE)

PEOPLE = [("olga", "operator"), ("rita", "reviewer"), ("rosa", "reviewer"), ("max", "manager"), ("ann", "admin")]
OPEN = {"observed", "submitted", "verifying", "awaiting_evidence", "ineligible", "under_review", "approved"}
CLOSED = {"rejected", "resolved", "withdrawn"}
# What brings a claim further comes more often, or most lives would end young.
EVIDENCE = ["good", "good", "good", "good", "bad", "none"]
ACTIONS = ["approve"] * 6 + ["note", "acknowledge", "reject", "resolve", "resolve", "withdraw", "reopen", "reopen"]
SELDOM = st.integers(0, 9).map(lambda number: number == 0)
# The others tell people, and change nothing.
STEPS_OF_LIFE = ("submit", "verify", "route", "escalate")
HIGHER = {"operator": "reviewer", "reviewer": "manager", "manager": "admin"}


@dataclass
class Model:
    """What a claim should be, in the plainest words."""

    filed_by: str
    stages: list[str]
    four_eyes: bool
    status: str = "submitted"
    stage: int = 0
    passed_by: list[str] = field(default_factory=list)
    late_for: list[str] = field(default_factory=list)
    reopened: int = 0
    events: int = 1
    faults: int = 1

    def refuses(self, action: str, name: str, role: str) -> type[Exception] | None:
        """What a person who tries this must be told, if anything."""
        if not self.possible(action):
            return Conflict
        if role == "auditor" or not self.theirs(action, name, role):
            return NotAllowed
        return None

    def possible(self, action: str) -> bool:
        return {
            "note": True,
            "acknowledge": self.status in OPEN,
            "withdraw": self.status in OPEN,
            "reopen": self.status in CLOSED | {"ineligible"},
            "resolve": self.status == "approved",
            "approve": self.status == "under_review",
            "reject": self.status == "under_review",
        }[action]

    def theirs(self, action: str, name: str, role: str) -> bool:
        if action in ("note", "acknowledge", "resolve"):
            return True
        if action == "reopen":
            return role in ("manager", "admin")
        if action == "withdraw":
            return role in ("manager", "admin") or name == self.filed_by
        if role != "admin" and role not in [self.stages[self.stage - 1], *self.late_for]:
            return False
        return action == "reject" or (name != self.filed_by and not (self.four_eyes and name in self.passed_by))

    def does(self, action: str, name: str) -> None:
        self.events += 1
        if action == "approve":
            self.passed_by.append(name)
            self.late_for = []
            if self.stage < len(self.stages):
                self.stage += 1
            else:
                self.status = "approved"
        elif action == "reopen":
            self.status, self.stage, self.passed_by, self.late_for = "submitted", 0, [], []
            self.reopened += 1
        else:
            ends = {"reject": "rejected", "resolve": "resolved", "withdraw": "withdrawn"}
            self.late_for = [] if action in ends else self.late_for
            self.status = ends.get(action, self.status)


class ClaimLife(RuleBasedStateMachine):
    """One claim, the rows that a database would hold of it, and the model."""

    claim: Claim
    model: Model

    @initialize(
        stages=st.lists(st.sampled_from(["operator", "reviewer", "manager"]), min_size=1, max_size=3),
        four_eyes=st.booleans(),
        filed_by=st.sampled_from([name for name, _ in PEOPLE]),
        held=st.booleans(),
    )
    def open(self, stages: list[str], four_eyes: bool, filed_by: str, held: bool) -> None:
        rule = ApprovalRule(tuple(stages), four_eyes=four_eyes, stage_hours=24.0)
        code = CodePolicy("high", hold_down_seconds=60.0 * held)
        self.policy = replace(POLICY, approval=(rule,), codes={**POLICY.codes, "METER_MISREAD": code})
        self.now = NOW
        self.events: list[audit.AuditEvent] = []
        self.steps: list[Step] = []
        self.cleared = False
        decision = self._take_in(a_fault(filed_by=filed_by), {})
        [self.claim] = decision.opened
        self.events = decision.events
        self.steps = [step for step in decision.steps if step.kind in STEPS_OF_LIFE]
        self.model = Model(filed_by, stages, four_eyes, "observed" if held else "submitted")

    def _take_in(self, fault: Any, claims: dict[tuple[str, str], Claim]) -> Decision:
        groups = meet_claims([fault], self.policy)
        return open_or_count(groups, claims, self.policy, self.now, ids().__next__)

    def _commit(self, work: Callable[[Claim], Decision], *, crash: bool) -> Decision | None:
        """As a transaction: on a copy that was read for it, kept only if nothing fails before the end."""
        read = copy.deepcopy(self.claim)
        decision = work(read)
        if crash:
            return None
        if decision.changed:
            self.claim = read
        self.events += decision.events
        self.steps += [step for step in decision.steps if step.kind in STEPS_OF_LIFE]
        return decision

    @rule(
        action=st.sampled_from(ACTIONS),
        person=st.sampled_from([*PEOPLE, PEOPLE[-1], ("aud", "auditor")]),
        stale=SELDOM,
        crash=SELDOM,
    )
    def a_person_decides(self, action: str, person: tuple[str, str], stale: bool, crash: bool) -> None:
        self._decide(action, person, stale=stale, crash=crash)

    @rule(crash=SELDOM)
    def whoever_may_brings_it_on(self, crash: bool) -> None:
        """By chance alone few claims would ever be approved and resolved."""
        action = {"under_review": "approve", "approved": "resolve"}.get(self.model.status)
        able = [person for person in PEOPLE if action and self.model.refuses(action, *person) is None]
        if action and able:
            self._decide(action, able[0], stale=False, crash=crash)

    def _decide(self, action: str, person: tuple[str, str], *, stale: bool, crash: bool) -> None:
        name, role = person
        version = self.claim.version - 1 if stale else self.claim.version

        def work(claim: Claim) -> Decision:
            return decide(
                claim, action, Person(name, role), version=version, now=self.now, policies=lambda _: self.policy
            )

        expected = Conflict if stale else self.model.refuses(action, name, role)
        if expected is None:
            if self._commit(work, crash=crash) is not None:
                self.model.does(action, name)
            return
        try:
            self._commit(work, crash=crash)
        except expected:
            return
        raise AssertionError(f"{name} ({role}) could {action} a claim that is {self.model.status}")

    @rule(clear=st.booleans())
    def another_message_comes(self, clear: bool) -> None:
        """An open claim counts it; a closed one leaves it to another claim, which is not told here."""
        if self.model.status in CLOSED:
            return
        self.now += timedelta(seconds=1)
        fault = (a_clear if clear else a_fault)(occurred_at=self.now)
        self._commit(lambda claim: self._take_in(fault, {(claim.spot_id, claim.code): claim}), crash=False)
        self.cleared = clear
        self.model.events += 1
        self.model.faults += not clear

    @rule(data=st.data(), again=SELDOM, crash=SELDOM, evidence=st.sampled_from(EVIDENCE))
    def a_step_is_carried_out(self, data: st.DataObject, again: bool, crash: bool, evidence: str) -> None:
        """Any that is owed, in any order, early or late; perhaps again, perhaps in vain."""
        if not self.steps:
            return
        step = data.draw(st.sampled_from(self.steps))
        decision = self._commit(lambda claim: self._carry_out(step, claim, evidence), crash=crash)
        if decision is None:
            return
        if not again:
            self.steps.remove(step)
        self._follow(step, decision, evidence)

    def _carry_out(self, step: Step, claim: Claim, evidence: str) -> Decision:
        if step.kind == "submit":
            return submit([claim], self.now)
        if step.kind == "verify":
            records = {"good": [a_usage_record(energy_kwh=-5.0)], "bad": [a_usage_record()], "none": []}[evidence]
            return verify([a_case(claim, *records)], self.policy, self.now)
        if step.kind == "route":
            return route([claim], self.policy, self.now)
        if step.kind == "escalate":
            return escalate([(claim, step.subject or "")], self.now)
        raise AssertionError(step.kind)

    def _follow(self, step: Step, decision: Decision, evidence: str) -> None:
        """Moves the model as the step should have moved the claim."""
        model = self.model
        before = model.status
        if step.kind == "submit" and before == "observed":
            model.status = "withdrawn" if self.cleared else "submitted"
        elif step.kind == "verify" and before in ("submitted", "awaiting_evidence"):
            model.status = {"good": "verifying", "bad": "ineligible", "none": "awaiting_evidence"}[evidence]
        elif step.kind == "route" and before == "verifying":
            model.status, model.stage, model.passed_by, model.late_for = "under_review", 1, [], []
        elif step.kind == "escalate" and decision.changed:
            highest = (model.late_for or [model.stages[model.stage - 1]])[-1]
            assert before == "under_review"
            model.late_for.append(HIGHER[highest])
        model.events += len(decision.events)
        # A claim that waits on is judged again without a trace, if nothing changed.
        assert len(decision.events) == (model.status != before or bool(decision.changed))

    @invariant()
    def the_claim_is_what_the_model_says(self) -> None:
        if not hasattr(self, "claim"):
            return
        claim, model = self.claim, self.model
        assert (claim.status, claim.stage, claim.reopened) == (model.status, model.stage, model.reopened)
        assert claim.approved_by == model.passed_by
        assert claim.fault_count == model.faults
        assert (claim.escalated_to or None) == (model.late_for[-1] if model.late_for else None)

    @invariant()
    def the_record_is_whole(self) -> None:
        """One event for each change, chained, and the claim stands at the last."""
        if not hasattr(self, "claim"):
            return
        assert self.claim.version == len(self.events) == self.model.events
        assert self.claim.head == self.events[-1].hash
        assert audit.first_broken(self.events) is None
        assert (self.claim.closed_at is not None) == (self.claim.status in CLOSED)


ClaimLife.TestCase.settings = settings(
    max_examples=LIVES, stateful_step_count=STEPS_A_LIFE, deadline=None, print_blob=True
)
TestClaimLife = ClaimLife.TestCase
