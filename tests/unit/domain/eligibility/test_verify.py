"""The rules together: the verdict, the waiting for evidence, and what follows for the claim."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.audit import chain as audit
from domain.changes import Changes
from domain.claims.lifecycle import JUDGED, STATUSES
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.rules import RULES, judge
from domain.eligibility.usage_answer import records_stated
from domain.eligibility.verify import verify
from domain.policy.policy import NotificationRule
from domain.steps import Announce, CheckClocks, Route, Verify
from tests.builders import NOW, a_claim, a_policy, a_spot, a_usage_record, an_input
from tests.unit.domain.written import written

POLICY = a_policy(evidence_wait_hours=72)
DEADLINE = NOW + timedelta(hours=72)


def eligible() -> EvaluationInput:
    return an_input(a_claim(), a_usage_record(energy_kwh=-5.0))


def disproved() -> EvaluationInput:
    return an_input(a_claim(), a_usage_record())


def unproved() -> EvaluationInput:
    return an_input(a_claim())


def verdict_in(changes: Changes) -> dict[str, Any]:
    """As it is on record."""
    verdict: dict[str, Any] = json.loads(changes.events[0].body)
    return verdict


def kinds(changes: Changes) -> list[str]:
    return [step.kind for step in changes.steps]


@pytest.mark.parametrize(
    ("case", "outcome"),
    [(eligible(), "eligible"), (disproved(), "ineligible"), (unproved(), "insufficient")],
)
def test_the_verdict_holds_every_rules_answer(case: EvaluationInput, outcome: str) -> None:
    """One answer of each rule, in their order."""
    verdict = judge(case, POLICY, NOW)

    assert verdict["outcome"] == outcome
    assert [answer["rule"] for answer in verdict["answers"]] == [rule.__name__ for rule in RULES]
    assert all(answer["sentence"].endswith(".") for answer in verdict["answers"])


def test_one_failure_outweighs_everything() -> None:
    """Evidence that is missing cannot save a spot without warranty."""
    case = an_input(a_claim(), spot=a_spot(warranty_until=date(2020, 1, 1)))

    assert judge(case, POLICY, NOW)["outcome"] == "ineligible"


def test_the_wait_for_evidence_ends_at_the_deadline() -> None:
    """A moment before it the claim still waits; then it is ineligible for that reason."""
    before = judge(unproved(), POLICY, DEADLINE - timedelta(microseconds=1))
    at = judge(unproved(), POLICY, DEADLINE)

    assert (before["outcome"], at["outcome"]) == ("insufficient", "ineligible")
    assert at["answers"][-1]["reason"] == "EVIDENCE_NOT_RECEIVED"


def test_evidence_in_hand_needs_no_deadline() -> None:
    """A claim that is borne out stays eligible however late it is judged."""
    assert judge(eligible(), POLICY, DEADLINE + timedelta(days=99))["outcome"] == "eligible"


def test_an_eligible_claim_is_routed() -> None:
    """One step names all that are eligible; the verdict is kept and audited."""
    cases = [eligible(), disproved(), eligible()]

    changes = verify(cases, POLICY, NOW)

    assert [case.claim.status for case in cases] == ["verifying", "ineligible", "verifying"]
    eligible_ids = [cases[0].claim.id, cases[2].claim.id]
    route, clock = changes.steps
    assert route == Route(eligible_ids)
    assert isinstance(clock, CheckClocks)
    assert (clock.subject_ids, clock.pauses) == (eligible_ids, 0)
    assert [event.kind for event in changes.events] == ["claim.verified"] * 3
    assert verdict_in(changes).items() >= judge(cases[0], POLICY, NOW).items()
    assert cases[0].claim.verdict_seq == changes.events[0].seq


def test_a_verdict_states_the_digests_of_the_records_that_it_rests_on() -> None:
    """Of these alone, asked for at once; the claims that stay unproved rest on none."""
    asked: list[str] = []
    cases = [eligible(), unproved(), eligible()]

    changes = verify(cases, POLICY, NOW, digests=lambda keys: asked.extend(keys) or dict.fromkeys(keys, "d" * 64))

    stated = [
        record["key"]
        for event in changes.events
        for record in records_stated(json.loads(event.body)["answers"])
        if record["digest"] == "d" * 64
    ]
    assert sorted(asked) == sorted(stated) == sorted(cases[place].usage[0].key for place in (0, 2))


def test_an_unproved_claim_waits_and_is_looked_at_again_at_the_deadline() -> None:
    """The step that follows is not due before."""
    case = unproved()

    changes = verify([case], POLICY, NOW)

    assert case.claim.status == "awaiting_evidence"
    assert changes.steps == [Verify([case.claim.id], due_at=DEADLINE)]


def test_a_repeated_step_changes_nothing() -> None:
    """The broker repeats messages; a second verdict that says the same leaves no trace."""
    case = unproved()
    first = verify([case], POLICY, NOW)

    again = verify([replace(case, verdict=verdict_in(first))], POLICY, NOW + timedelta(hours=1))

    assert written(again) == []
    assert case.claim.version == 1


def test_late_evidence_changes_the_verdict_once() -> None:
    """A claim that waited goes on when its usage record comes; no second deadline is set."""
    case = unproved()
    first = verify([case], POLICY, NOW)

    later = replace(case, usage=[a_usage_record(energy_kwh=-5.0)], verdict=verdict_in(first))
    second = verify([later], POLICY, NOW + timedelta(hours=5))

    assert (case.claim.status, kinds(second)) == ("verifying", ["route", "clock"])
    assert audit.first_broken([*first.events, *second.events]) is None


def test_a_claim_that_still_lacks_evidence_at_the_deadline_is_ineligible() -> None:
    """No further step follows."""
    case = unproved()
    first = verify([case], POLICY, NOW)

    changes = verify([replace(case, verdict=verdict_in(first))], POLICY, DEADLINE)

    assert (case.claim.status, changes.steps) == ("ineligible", [])


@pytest.mark.parametrize("status", sorted(set(STATUSES) - set(JUDGED)))
def test_a_claim_that_was_decided_or_is_observed_is_left_alone(status: str) -> None:
    """A step that comes late cannot pull a claim back."""
    case = an_input(a_claim(status=status), a_usage_record(energy_kwh=-5.0))

    assert written(verify([case], POLICY, NOW)) == []
    assert case.claim.status == status


def under_review(case: EvaluationInput) -> EvaluationInput:
    """The same, found eligible and at its second stage, once escalated."""
    first = verify([case], POLICY, NOW)
    case.claim.status, case.claim.stage = "under_review", 2
    case.claim.stages, case.claim.approved_by, case.claim.escalated_to = ["reviewer", "manager"], ["ada"], "admin"
    return replace(case, verdict=verdict_in(first))


def test_what_is_learnt_under_review_can_take_a_claim_out_of_it() -> None:
    """Whoever passed its stages passed them on other facts; its clocks stand as if it had never been there."""
    case = under_review(eligible())

    changes = verify([replace(case, usage=disproved().usage)], POLICY, NOW + timedelta(hours=1))

    claim = case.claim
    assert (claim.status, kinds(changes)) == ("ineligible", [])
    assert (claim.stage, claim.stages, claim.approved_by, claim.escalated_to) == (0, [], [], None)
    assert claim.pauses == [NOW + timedelta(hours=1)]


def test_another_reason_leaves_a_claim_under_review_where_it_is() -> None:
    """The reviewer sees the new verdict; nothing else moves, and nothing is scheduled."""
    case = under_review(eligible())
    other = a_usage_record(session_id="another", energy_kwh=-7.0)

    changes = verify([replace(case, usage=[other])], POLICY, NOW + timedelta(hours=1))

    claim = case.claim
    assert (claim.status, claim.stage, claim.escalated_to, changes.steps) == ("under_review", 2, "admin", [])
    assert claim.verdict_seq == claim.version == changes.events[0].seq
    assert verdict_in(changes)["answers"][-1]["facts"]["session_id"] == "another"


def test_the_same_verdict_under_review_leaves_no_trace() -> None:
    """Every later session of the spot has the claim looked at again."""
    case = under_review(eligible())

    assert written(verify([case], POLICY, NOW + timedelta(hours=1))) == []


def test_an_ineligible_claim_goes_on_when_proof_comes_late() -> None:
    """The sound record came first, the one that bears the claim out after it; the clocks go on."""
    case = disproved()
    first = verify([case], POLICY, NOW)
    assert case.claim.status == "ineligible"

    later = replace(case, usage=[*case.usage, a_usage_record(energy_kwh=-5.0)], verdict=verdict_in(first))
    second = verify([later], POLICY, NOW + timedelta(hours=1))

    assert (case.claim.status, kinds(second)) == ("verifying", ["route", "clock"])
    assert case.claim.pauses == [NOW, NOW + timedelta(hours=1)]


def test_whoever_wants_to_hear_of_ineligible_claims_does() -> None:
    """Where the policy has a rule for it; otherwise nothing is scheduled."""
    rule = NotificationRule("claim.ineligible", ("ops",))
    case = disproved()

    changes = verify([case], replace(POLICY, notifications=(rule,)), NOW)

    assert changes.steps == [Announce([case.claim.id], state_key="ineligible:0")]
