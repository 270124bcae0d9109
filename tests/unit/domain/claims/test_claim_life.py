"""A claim's whole life against a plain model: random actions, legal and illegal, duplicated, reordered, crashed.

The short run is part of the suite; `SPOTCLAIM_LIFE_STEPS=200000` makes it a long one (`make nightly`). Hypothesis
prints the steps of a failing life and the blob that repeats it.
"""

import os
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.decide import ACTIONS
from domain.claims.lifecycle import DUPLICATE, STATUSES
from domain.evidence import filing
from domain.evidence.item import Evidence
from domain.policy.policy import ApprovalRule, CodePolicy, Target
from domain.policy.roles import FILE_EVIDENCE
from tests.builders import NOW, a_clear, a_fault, a_policy
from tests.unit.domain.claims import life_model
from tests.unit.domain.claims.life_model import CLOSED, MARKS, Model
from tests.unit.domain.claims.life_rows import FOLLOWS, HOUR, REACHED, STEPS_OF_LIFE, ClaimRows, Somebody

POLICY = a_policy(
    targets=(Target(life_model.ACKNOWLEDGE / HOUR, life_model.RESOLVE / HOUR),),
    warn_share=life_model.WARN_SHARE,
    evidence_wait_hours=life_model.PATIENCE / HOUR,
    # Flapping has its own tests in test_hold_down; here only lasting makes a claim.
    flapping_episodes=1000,
    flapping_minutes=life_model.QUIET.total_seconds() / 60,
)
STEPS_A_LIFE = 40
SHORT = 6000
WANTED = int(os.environ.get("SPOTCLAIM_LIFE_STEPS", SHORT))
# Most lives are shorter than they may be, and some steps do nothing; the test counts those that were done. Which
# lives are drawn depends on what else is imported, so there is some room: they take 17 to 19 steps on average.
DONE_A_LIFE = 15

AUDITOR = ("aud", "auditor")
PEOPLE = [("olga", "operator"), ("rita", "reviewer"), ("rosa", "reviewer"), ("max", "manager"), ("ann", "admin")]
ANYBODY = st.sampled_from([*PEOPLE, PEOPLE[-1], AUDITOR])
# What brings a claim further comes more often, or most lives would end young.
RECORDED = st.sampled_from(["good", "good", "bad", "none"])
ACTING = st.sampled_from(["approve"] * 3 + ["reject", "reopen", *ACTIONS])
SELDOM = st.integers(0, 9).map(lambda number: number == 0)


class ClaimLife(ClaimRows):
    """What anybody may try at any time."""

    @initialize(
        stages=st.lists(st.sampled_from(["operator", "reviewer", "manager"]), max_size=3),
        four_eyes=st.booleans(),
        demanded=st.sampled_from([(), (), ("note",), ("note", "session")]),
        filed_by=st.sampled_from([name for name, _ in PEOPLE]),
        held=st.booleans(),
        loans=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=3),
        head_start=st.integers(0, 5),
    )
    def open(
        self,
        stages: list[str],
        four_eyes: bool,
        demanded: tuple[str, ...],
        filed_by: str,
        held: bool,
        loans: list[tuple[Somebody, Somebody]],
        head_start: int,
    ) -> None:
        rule = ApprovalRule(tuple(stages), automatic=not stages, four_eyes=four_eyes, stage_hours=24.0)
        code = CodePolicy("high", evidence=demanded, hold_down_seconds=life_model.HOLD_DOWN.total_seconds() * held)
        self.policy = replace(POLICY, approval=(rule,), codes={**POLICY.codes, "METER_MISREAD": code})
        self.model = Model([filed_by], stages, four_eyes, set(demanded), NOW, "observed" if held else "submitted")
        self._begin(a_fault(filed_by=filed_by, occurred_at=NOW))
        for of, to in loans:
            self._lend(of, to, 4)
        for _ in range(head_start):
            self._bring_on(crash=False)

    @rule(
        action=ACTING,
        person=ANYBODY,
        stale=SELDOM,
        silent=SELDOM,
        crash=SELDOM,
        look=st.sampled_from(["none", "now", "before"]),
    )
    def a_person_decides(
        self, action: str, person: Somebody, stale: bool, silent: bool, crash: bool, look: str
    ) -> None:
        self._decide(action, person, stale=stale, crash=crash, look=look, note="" if silent else "why")

    @rule(
        action=st.sampled_from(["approve", "approve", "approve", "reject"]),
        person=ANYBODY,
        own=SELDOM,
        again=st.booleans(),
    )
    def somebody_reviews_it(self, action: str, person: Somebody, own: bool, again: bool) -> None:
        """Whether it is theirs or not; whoever filed it, or passed a stage, may be an admin by now."""
        if self.model.status == "under_review":
            person = (self.model.passed_by[0], "admin") if again and self.model.passed_by else person
            person = (self.model.filed_by[-1], "admin") if own else person
            self._decide(action, person, stale=False, crash=False, look="none")

    @rule(person=st.sampled_from(PEOPLE))
    def an_item_goes_while_it_is_reviewed(self, person: Somebody) -> None:
        """And somebody would approve what is no longer shown: by chance alone that is rare."""
        if self.model.status == "under_review" and self.items:
            self._withdraw(PEOPLE[0], min(self.items), "why", crash=False)
            self._decide("approve", person, stale=False, crash=False, look="none")

    @rule(crash=SELDOM)
    def whoever_may_brings_it_on(self, crash: bool) -> None:
        """By chance alone few claims would ever be approved and resolved."""
        self._bring_on(crash=crash)

    def _bring_on(self, *, crash: bool) -> None:
        action = {"under_review": "approve", "approved": "resolve"}.get(self.model.status)
        able = [person for person in PEOPLE if action and self.model.refuses(action, *person) is None]
        steps = [pending for pending in self.steps if pending[0].kind == FOLLOWS.get(self.model.status)]
        if self.model.missing and self.model.status in ("submitted", "awaiting_evidence"):
            self._file(PEOPLE[0], min(self.model.missing), "as demanded", crash=crash)
        elif action:
            self._decide(action, (able or PEOPLE)[-1], stale=False, crash=crash, look="now")
        elif steps:
            self._wait_until(steps[0][0].due_at or NOW)
            self._carry_out(steps[0], "good", again=False, crash=crash)

    @rule(person=ANYBODY, severity=st.sampled_from(["low", "high", "critical"]), stale=SELDOM, crash=SELDOM)
    def somebody_corrects_the_severity(self, person: Somebody, severity: str, stale: bool, crash: bool) -> None:
        """All have the same stages and targets here; what is left is what a correction does itself."""
        self._correct(person, severity, stale=stale, crash=crash)

    @rule(of=st.sampled_from(PEOPLE), to=st.sampled_from(PEOPLE), hours=st.sampled_from([1, 10, 100]))
    def somebody_lends_their_authority(self, of: Somebody, to: Somebody, hours: int) -> None:
        self._lend(of, to, hours)

    @rule(data=st.data(), action=st.sampled_from(["approve", "approve", "reject", "withdraw", "reopen"]))
    def somebody_stands_in(self, data: st.DataObject, action: str) -> None:
        """With authority that was lent to them, and that may be over."""
        if self.model.loans:
            loan = data.draw(st.sampled_from(self.model.loans))
            self._decide(action, (loan.to, dict(PEOPLE)[loan.to]), stale=False, crash=False, look="none")

    @rule(data=st.data())
    def a_loan_is_revoked(self, data: st.DataObject) -> None:
        if self.model.loans:
            data.draw(st.sampled_from(self.model.loans)).revoked = True

    @rule(person=ANYBODY, kind=st.sampled_from(["note", "session"]), text=st.sampled_from("ab"), crash=SELDOM)
    def somebody_files_evidence(self, person: Somebody, kind: str, text: str, crash: bool) -> None:
        """The same from the same person is one item."""
        self._file(person, kind, text, crash=crash)

    @rule(data=st.data(), person=ANYBODY, unknown=SELDOM, reason=st.sampled_from(["why", "why", ""]), crash=SELDOM)
    def somebody_withdraws_evidence(
        self, data: st.DataObject, person: Somebody, unknown: bool, reason: str, crash: bool
    ) -> None:
        if unknown or self.items:
            item = "nothing" if unknown else data.draw(st.sampled_from(sorted(self.items)))
            self._withdraw(person, item, reason, crash=crash)

    def _withdraw(self, person: Somebody, item: str, reason: str, *, crash: bool) -> None:
        (name, role), model = person, self.model

        def work(claim: Claim, items: list[Evidence]) -> Changes:
            FILE_EVIDENCE.demand(role)
            return filing.withdraw(claim, items, item, who=name, reason=reason, now=model.now)

        refusal = model.refuses_withdrawal(item, role, reason)
        if refusal is not None:
            self._demand_refused(refusal, work, "withdrawal")
        elif (changes := self._commit(work, crash=crash)) is not None:
            model.withdrawn.add(item)
            del model.items[item]
            model.events += 1
            self._schedule(changes)
            REACHED["evidence withdrawn"] += 1

    @rule()
    def somebody_looks_at_the_evidence(self) -> None:
        """And decides on it later, perhaps when it has changed."""
        self.seen = self.claim.evidence_digest, self.model.items.copy()

    @rule(clear=st.booleans(), filed_by=st.sampled_from([None, *(name for name, _ in PEOPLE)]))
    def another_message_comes(self, clear: bool, filed_by: str | None) -> None:
        """An open claim counts it; a closed one leaves it to another claim, which lives elsewhere."""
        if self.model.status in CLOSED:
            return
        self._wait_until(self.model.now + timedelta(seconds=1))
        fault = (a_clear if clear else a_fault)(occurred_at=self.model.now, filed_by=filed_by)
        self._commit(lambda claim, _: self._count(fault, {(claim.spot_id, claim.code): claim}), crash=False)
        self.reports.append((fault.occurred_at, clear))
        self.model.hears(filed_by, clear=clear)

    @rule(hours=st.sampled_from([1, 1, 2, 7, 30]))
    def time_passes(self, hours: int) -> None:
        """Never so much that a clock ends at this very moment: test_sla has on which side that falls."""
        self._wait_until(self.model.now + hours * HOUR + timedelta(seconds=1))

    @rule(data=st.data(), again=SELDOM, crash=SELDOM, recorded=RECORDED)
    def a_step_is_carried_out(self, data: st.DataObject, again: bool, crash: bool, recorded: str) -> None:
        """Any that is pending, in any order; perhaps again, perhaps in vain, perhaps before its time."""
        if self.steps:
            self._carry_out(data.draw(st.sampled_from(self.steps)), recorded, again=again, crash=crash)


REFUSALS = {"impossible", "role", "auditor", "loan over", "stale", "evidence changed", "evidence missing"}
REFUSALS |= {
    "filed it",
    "passed it",
    "closed",
    "no note",
    "no reason",
    "withdrawn before",
    "approved on it",
    "unknown",
    "is so already",
}
DONE = {
    *ACTIONS,
    "corrected",
    "corrected, to begin again",
    "on behalf",
    "approved by rule",
    "filed",
    "filed again",
    "evidence withdrawn",
    "crashed",
}
DONE |= {f"{kind} done" for kind in STEPS_OF_LIFE} | {"verify in vain", "escalate in vain", "clock in vain"}


def test_any_life_goes_as_the_model_says() -> None:
    """And the lives together go everywhere. The short run lives much the same ones each time."""
    REACHED.clear()

    run_state_machine_as_test(
        ClaimLife,
        settings=settings(
            max_examples=WANTED // DONE_A_LIFE,
            stateful_step_count=STEPS_A_LIFE,
            derandomize=WANTED == SHORT,
            deadline=None,
            print_blob=True,
        ),
    )

    # It takes another claim to be a duplicate of: see test_duplicate.
    assert {*STATUSES, *MARKS, *DONE, *REFUSALS} - {DUPLICATE} - (+REACHED).keys() == set()
    assert REACHED["a step"] >= WANTED
