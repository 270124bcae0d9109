"""What a person may correct of a claim, and what follows for its clocks and its approvals."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.changes import Changes
from domain.claims import sla
from domain.claims.claim import Claim
from domain.claims.correct import Asked, Correction, correct, rebind
from domain.claims.decide import Delegation, Person
from domain.errors import Conflict, InputRefused, NotAllowed, NoteRefused
from domain.policy.policy import ApprovalRule, Target
from domain.steps import Announce, CheckClocks, Detect, Verify
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy

HOUR = timedelta(hours=1)
POLICY = a_policy(
    version="test",
    targets=(Target(1, 10, severities=("critical",)), Target(4, 40)),
    approval=(ApprovalRule(("reviewer",), severities=("low", "medium")), ApprovalRule(("reviewer", "manager"))),
    warn_share=0.5,
)


def a_timed_claim(**changes: Any) -> Claim:
    """Under review for its first stage, and opened so long ago as its clocks have run."""
    fields = {"time_zone": "UTC", "resolve_due_at": NOW + 40 * HOUR, "acknowledge_due_at": NOW + 4 * HOUR}
    return a_claim_under_review("reviewer", "manager", **(fields | changes))


def corrected(claim: Claim, role: str = "manager", who: str = "max", **more: Any) -> Changes:
    what = Correction(more.pop("severity", None), more.pop("code", None))
    person = Person(who, role, more.pop("delegations", ()))
    seen = {name: more.pop(name) for name in ("version", "changed_at") if name in more}
    asked = Asked(person, more.pop("note", "measured"), **seen)
    return correct(claim, what, asked, spot=None, policy=POLICY, **({"now": NOW} | more))


def demand_refused(error: type[Exception], words: str, claim: Claim | None = None, **more: Any) -> None:
    """And nothing is changed by it."""
    claim = claim or a_timed_claim()
    before = repr(claim)
    with pytest.raises(error, match=words):
        corrected(claim, **more)
    assert repr(claim) == before


def test_the_clocks_are_reckoned_anew_from_what_is_on_record() -> None:
    """The target of the new severity, the hours that ran, and the pauses in between."""
    claim = a_timed_claim(opened_at=NOW - 9 * HOUR, pauses=[NOW - 8 * HOUR, NOW - 3 * HOUR])

    changes = corrected(claim, severity="critical")

    # Four of the ten hours ran.
    assert (claim.severity, claim.resolve_due_at) == ("critical", NOW + 6 * HOUR)
    assert claim.acknowledged_at == NOW
    [read] = [sla.readings(claim, POLICY, NOW)["resolve"]]
    assert read.used == 4 * HOUR
    clocks = json.loads(changes.events[0].body)["clocks"]
    assert (clocks["target"], clocks["severities"], clocks["resolve_hours"]) == (1, ["critical"], 10)
    [check] = [step for step in changes.steps if isinstance(step, CheckClocks)]
    # The first clock ran past both its marks at a quarter of that, and says so at once.
    assert check.due_at is not None
    assert check.due_at <= NOW


def test_alerts_that_hold_are_not_fired_again_and_the_others_in_their_time() -> None:
    """Down from critical: neither the breach nor the warning of the resolution holds any more."""
    claim = a_timed_claim(
        severity="critical",
        opened_at=NOW - 12 * HOUR,
        sla_alerts=["acknowledge.warned", "acknowledge.breached", "resolve.warned", "resolve.breached"],
    )

    corrected(claim, severity="high")

    assert claim.sla_alerts == ["acknowledge.warned", "acknowledge.breached"]
    assert claim.resolve_due_at == NOW + 28 * HOUR
    again = sla.sweep([claim], set(), lambda _: POLICY, NOW + 8 * HOUR)
    assert [event.kind for event in again.events] == ["claim.sla_warned"]


def test_approvals_count_on_where_the_same_stages_must_approve() -> None:
    """Nothing about the review changes."""
    claim = a_timed_claim(stage=2, approved_by=["rita"])
    key = claim.state_key

    changes = corrected(claim, severity="critical")

    assert (claim.status, claim.stage, claim.approved_by, claim.state_key) == ("under_review", 2, ["rita"], key)
    assert not json.loads(changes.events[0].body)["afresh"]
    assert Verify([claim.id]) in changes.steps
    assert Announce([claim.id], event="corrected") in changes.steps


@pytest.mark.parametrize(
    ("status", "change", "who"),
    [
        ("under_review", {"severity": "low"}, "max"),
        ("approved", {"severity": "low"}, "max"),
        # Another error was approved.
        ("under_review", {"code": "METER_REGRESSION"}, "max"),
        ("approved", {"code": "METER_REGRESSION"}, "max"),
        # Whoever corrects what they approved has approved their own words.
        ("under_review", {"severity": "critical"}, "rita"),
    ],
)
def test_other_stages_or_another_error_are_approved_from_the_start(
    status: str, change: dict[str, str], who: str
) -> None:
    """The review before is told from the next one: what was scheduled for it is left alone."""
    claim = a_timed_claim(status=status, stage=2, approved_by=["rita"])
    before = f"under_review:1{claim.state_key.partition(':2')[2]}"

    corrected(claim, who=who, **change)

    assert (claim.status, claim.stage, claim.stages, claim.approved_by) == ("submitted", 0, [], [])
    assert claim.pauses == [NOW, NOW]
    assert replace(claim, status="under_review", stage=1).state_key != before


def test_what_a_rule_approved_stays_approved_by_it() -> None:
    """Four eyes that an earlier review demanded mean nothing where nobody must approve."""
    claim = a_timed_claim(status="approved", stages=[], stage=0, four_eyes=True)
    by_rule = replace(POLICY, approval=(ApprovalRule(automatic=True),))

    asked = Asked(Person("max", "manager"), "measured")
    correct(claim, Correction("critical"), asked, spot=None, policy=by_rule, now=NOW)

    assert (claim.status, claim.severity) == ("approved", "critical")


@pytest.mark.parametrize("status", ["awaiting_evidence", "ineligible"])
def test_a_claim_that_waits_is_judged_again(status: str) -> None:
    """Its clocks go on with that, as they do whenever it is."""
    claim = a_timed_claim(status=status, stage=0, stages=[], opened_at=NOW - 2 * HOUR, pauses=[NOW - HOUR])

    changes = corrected(claim, code="METER_REGRESSION")

    assert (claim.status, claim.pauses) == ("submitted", [NOW - HOUR, NOW])
    assert claim.resolve_due_at == NOW + 39 * HOUR
    assert Verify([claim.id]) in changes.steps


def test_another_error_brings_its_severity_and_type() -> None:
    """Unless the severity is given; and it is seen with the others of its kind."""
    claim, given = a_timed_claim(), a_timed_claim()

    changes = corrected(claim, code="GROUND_FAILURE")
    corrected(given, code="GROUND_FAILURE", severity="low")

    assert (claim.code, claim.claim_type, claim.severity) == ("GROUND_FAILURE", "equipment", "critical")
    assert (given.code, given.severity) == ("GROUND_FAILURE", "low")
    assert Detect([claim.id]) in changes.steps


def test_an_observed_claim_is_observed_on() -> None:
    """It has no clocks yet; the hold-down of its error decides."""
    claim = a_claim(status="observed")

    changes = corrected(claim, severity="low")

    assert (claim.status, claim.severity, claim.pauses) == ("observed", "low", [])
    assert not [step for step in changes.steps if isinstance(step, CheckClocks)]


def test_whoever_corrects_a_claim_has_shaped_it() -> None:
    """They count among those who filed it, once; the words are theirs."""
    claim = a_timed_claim(filed_by="fred", also_filed_by=["rosa"])

    corrected(claim, severity="critical")
    corrected(claim, severity="high")
    corrected(claim, who="fred", severity="critical")

    assert (claim.filed_by, claim.also_filed_by) == ("fred", ["rosa", "max"])


@pytest.mark.parametrize(
    ("error", "words", "more"),
    [
        (InputRefused, "Name the severity or the code", {}),
        (InputRefused, "no severity 'hihg'; the nearest is high", {"severity": "hihg"}),
        (InputRefused, "no code 'METER_MISRED'; the nearest is METER_MISREAD", {"code": "METER_MISRED"}),
        (Conflict, "has the error METER_MISREAD and the severity high already", {"severity": "high"}),
        (NoteRefused, "note is missing", {"severity": "low", "note": " "}),
        (NoteRefused, "U.0000", {"severity": "low", "note": "\0"}),
        (Conflict, "you saw version 7", {"severity": "low", "version": 7}),
        (Conflict, "rejected; only open", {"severity": "low", "claim": a_claim(status="rejected")}),
        (NotAllowed, "manager or admin; yours is reviewer", {"severity": "low", "role": "reviewer"}),
        (NotAllowed, "Auditors read", {"severity": "low", "role": "auditor"}),
    ],
)
def test_what_is_refused(error: type[Exception], words: str, more: dict[str, Any]) -> None:
    """With what would be right."""
    demand_refused(error, words, **more)


def test_authority_to_correct_is_lent_too() -> None:
    """The record says whose it was."""
    lent = (Delegation("manager", "max", NOW + HOUR),)
    claim = a_timed_claim()

    changes = corrected(claim, "reviewer", "rita", severity="low", delegations=lent)

    body = json.loads(changes.events[0].body)
    assert (body["role"], body["on_behalf_of"], body["severity_before"]) == ("manager", "max", "high")


class TestRebinding:
    """To the present policy, with what follows from it."""

    def rebound(self, claim: Claim, **policy: Any) -> Changes:
        asked = Asked(Person("max", "manager"), "agreed with the operator")
        return rebind(claim, asked, spot=None, policy=replace(POLICY, version="v2", **policy), now=NOW)

    def test_the_clocks_are_those_of_the_present_policy(self) -> None:
        """Over the same intervals; where the same stages approve, the review goes on."""
        claim = a_timed_claim(
            opened_at=NOW - 3 * HOUR, pauses=[NOW - 2 * HOUR, NOW - HOUR], stage=2, approved_by=["r"]
        )
        approval = (ApprovalRule(("reviewer", "manager"), stage_hours=5.0),)

        changes = self.rebound(claim, targets=(Target(1, 7),), approval=approval)

        assert (claim.policy_version, claim.resolve_due_at) == ("v2", NOW + 5 * HOUR)
        assert (claim.status, claim.stage, claim.approved_by, claim.stage_hours) == ("under_review", 2, ["r"], 5.0)
        body = json.loads(changes.events[0].body)
        assert (body["policy_before"], body["policy"], body["afresh"]) == ("test", "v2", False)
        assert {Verify, Announce, CheckClocks} == {type(step) for step in changes.steps}

    @pytest.mark.parametrize("status", ["under_review", "approved"])
    def test_other_stages_approve_from_the_start(self, status: str) -> None:
        """Who approved before has approved by another policy."""
        claim = a_timed_claim(status=status, stage=2, approved_by=["rita"])

        self.rebound(claim, approval=(ApprovalRule(("manager",)),))

        assert (claim.status, claim.stages, claim.approved_by, claim.pauses) == ("submitted", [], [], [NOW, NOW])
        assert not claim.was_filed_by("max")

    @pytest.mark.parametrize(
        ("claim", "words"),
        [
            (a_timed_claim(policy_version="v2"), "bound by policy v2 already"),
            (a_claim(), "No policy binds the claim yet"),
            (a_claim(status="resolved", time_zone="UTC"), "resolved; only open claims"),
        ],
    )
    def test_what_is_refused(self, claim: Claim, words: str) -> None:
        """There is nothing to change, or nobody may any more."""
        with pytest.raises(Conflict, match=words):
            self.rebound(claim)
