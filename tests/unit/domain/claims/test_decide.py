"""What a person may decide, and what a decision leaves behind."""

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.audit import chain as audit
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.decide import ACTIONS, Delegation, Person, decide, demand_seen
from domain.claims.lifecycle import CLOSED, STATUSES
from domain.errors import Conflict, InputRefused, NotAllowed, NoteRefused
from domain.evidence.item import digest
from domain.policy.roles import ROLES
from domain.steps import Announce, Escalate, Verify
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy, an_item

POLICY = a_policy()
TOMORROW = NOW + timedelta(days=1)


def decided(claim: Claim, action: str, role: str = "admin", who: str = "eve", **more: Any) -> Changes:
    person = Person(who, role, more.pop("delegations", ()))
    return decide(claim, action, person, **({"note": "why", "now": NOW, "policies": lambda _: POLICY} | more))


def demand_refused(claim: Claim, action: str, words: str, **more: Any) -> None:
    """And nothing is changed by it."""
    before = repr(claim)
    with pytest.raises(NotAllowed, match=words):
        decided(claim, action, **more)
    assert repr(claim) == before


def test_each_stage_is_passed_before_the_claim_is_approved() -> None:
    """Two roles, two approvals, and an audit event for each."""
    claim = a_claim_under_review("reviewer", "manager")

    first = decided(claim, "approve", "reviewer", "rita")
    assert (claim.status, claim.stage) == ("under_review", 2)
    second = decided(claim, "approve", "manager", "max", note="seen the meter")

    assert (claim.status, claim.closed_at, claim.approved_by) == ("approved", None, ["rita", "max"])
    events = [*first.events, *second.events]
    assert [(event.actor, event.kind) for event in events] == [
        ("rita", "claim.stage_passed"),
        ("max", "claim.approved"),
    ]
    assert audit.first_broken(events) is None
    said = {"action": "approve", "role": "manager", "note": "seen the meter", "stage": 2, "of_stages": 2}
    said |= {"evidence_digest": ""}
    assert json.loads(events[1].body) == said


@pytest.mark.parametrize("stage", [1, 2])
def test_any_stage_may_reject(stage: int) -> None:
    """That closes the claim."""
    claim = a_claim_under_review("reviewer", "reviewer", stage=stage)

    changes = decided(claim, "reject", "reviewer")

    assert (claim.status, claim.closed_at) == ("rejected", NOW)
    assert changes.events[0].kind == "claim.rejected"


CATALOGUE = {"NO_FAULT": "No fault was found.", "OTHER": "Another reason."}


@pytest.mark.parametrize(
    ("reason", "note", "stated"),
    [
        ("NO_FAULT", "", "NO_FAULT"),
        ("NO_FAULT", "twice", "NO_FAULT"),
        ("OTHER", "x", "OTHER"),
        ("", "x", "OTHER"),
    ],
)
def test_a_rejection_states_its_reason_and_what_that_says(reason: str, note: str, stated: str) -> None:
    """Words alone are another reason."""
    changes = decided(a_claim_under_review(), "reject", reason=reason, note=note, catalogue=CATALOGUE)

    body = json.loads(changes.events[0].body)
    assert (body["reason_code"], body["because"], body["note"]) == (stated, CATALOGUE[stated], note)


@pytest.mark.parametrize(
    ("reason", "note", "catalogue", "words"),
    [
        (
            "NO_FAULTS",
            "x",
            CATALOGUE,
            "'NO_FAULTS'; the nearest is NO_FAULT. There are: NO_FAULT, OTHER",
        ),
        ("no_fault", "x", CATALOGUE, "the nearest is NO_FAULT"),
        ("OTHER", " ", CATALOGUE, "note is missing"),
        ("", " ", CATALOGUE, "note is missing"),
        ("OTHER", "x", {"NO_FAULT": "None."}, "no reason 'OTHER'"),
        ("", "x", {"NO_FAULT": "None."}, "Name a reason: NO_FAULT"),
    ],
)
def test_a_rejection_names_a_reason_of_the_catalogue(
    reason: str, note: str, catalogue: dict[str, str], words: str
) -> None:
    """Without `OTHER` in it, words alone are none."""
    claim = a_claim_under_review()
    before = repr(claim)

    with pytest.raises((InputRefused, NoteRefused), match=words):
        decided(claim, "reject", reason=reason, note=note, catalogue=catalogue)

    assert repr(claim) == before


def test_nothing_else_takes_a_reason_of_the_catalogue() -> None:
    """Or an approval could say that there was no fault."""
    with pytest.raises(InputRefused, match="Only a rejection"):
        decided(a_claim_under_review(), "approve", reason="NO_FAULT", catalogue=CATALOGUE)


def test_an_approved_claim_is_resolved() -> None:
    """That closes it."""
    claim = a_claim(status="approved", stages=["reviewer"], stage=1)

    decided(claim, "resolve", "operator")

    assert (claim.status, claim.closed_at) == ("resolved", NOW)


@pytest.mark.parametrize("action", ["approve", "reject", "withdraw"])
def test_what_leaves_review_is_late_no_more(action: str) -> None:
    """Or notices of it would still speak of the delay."""
    claim = a_claim_under_review("reviewer", escalated_to="manager")

    decided(claim, action)

    assert (claim.escalated_to, claim.state_key) == (None, f"{claim.status}:1")


@pytest.mark.parametrize("action", ["approve", "reject", "withdraw"])
def test_what_ends_a_review_is_announced(action: str) -> None:
    """People wait to hear of it."""
    claim = a_claim_under_review()

    changes = decided(claim, action)

    assert changes.steps == [Announce([claim.id], state_key=claim.state_key)]


def test_the_next_stage_has_its_own_time() -> None:
    """It is looked after from when the one before was passed, and starts with its own role."""
    claim = a_claim_under_review("reviewer", "manager", stage_hours=24, escalated_to="manager")

    changes = decided(claim, "approve")

    assert (claim.stage, claim.escalated_to) == (2, None)
    assert changes.steps == [
        Announce([claim.id], state_key="under_review:2"),
        Escalate([claim.id], "under_review:2", due_at=NOW + timedelta(hours=24)),
    ]


@pytest.mark.parametrize("action", ["approve", "reject"])
@pytest.mark.parametrize("demanded", ["operator", "reviewer", "manager"])
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"auditor"}))
def test_a_stage_belongs_to_its_role(demanded: str, role: str, action: str) -> None:
    """Only that role and an admin decide there; for anybody else nothing changes."""
    claim = a_claim_under_review(demanded)

    if role in (demanded, "admin"):
        decided(claim, action, role)
        assert claim.status != "under_review"
    else:
        demand_refused(claim, action, f"belongs to the role {demanded}; yours is {role}", role=role)


def test_an_escalated_stage_is_open_to_both() -> None:
    """Its own role keeps it; nobody above the one it was opened to gets it."""
    for role, may in (("operator", True), ("reviewer", True), ("manager", False)):
        claim = a_claim_under_review("operator", escalated_to="reviewer")
        if may:
            decided(claim, "approve", role)
        else:
            demand_refused(claim, "approve", "operator or reviewer", role=role)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_auditors_change_nothing(action: str, status: str) -> None:
    """They read, even where a policy would name them."""
    claim = a_claim(status=status, stages=["auditor"], stage=1)

    with pytest.raises((NotAllowed, Conflict)):
        decided(claim, action, "auditor")


@pytest.mark.parametrize("note", ["", " \n"])
@pytest.mark.parametrize("action", ACTIONS)
def test_what_goes_against_a_claim_takes_a_reason(action: str, note: str) -> None:
    """To reject, to withdraw and to take up again; the others may go without a word, but for the note itself."""
    claim = a_claim_under_review() if action in ("approve", "reject") else a_claim(status="approved")
    claim = a_claim(status="rejected") if action == "reopen" else claim

    if action in ("reject", "withdraw", "reopen", "note"):
        with pytest.raises(NoteRefused, match=f"note is missing; to {action} a claim"):
            decided(claim, action, note=note)
        assert claim.version == 0
    else:
        decided(claim, action, note=note)


@pytest.mark.parametrize("note", ["a\0b", "a\ud83db"])
@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_note_that_no_record_can_keep_is_refused(action: str, note: str) -> None:
    """Before anything is decided."""
    claim = a_claim_under_review()

    with pytest.raises(NoteRefused, match=r"U\+0000 or half of a surrogate pair"):
        decided(claim, action, note=note)

    assert (claim.status, claim.version) == ("under_review", 0)


def test_nobody_approves_what_they_filed() -> None:
    """Not even an admin; rejecting it is theirs."""
    claim = a_claim_under_review(filed_by="eve")

    demand_refused(claim, "approve", "eve filed this claim", role="admin")
    decided(claim, "reject", "admin")


def test_nobody_approves_what_they_reported_again() -> None:
    """However many had reported it before, and whoever lends them authority."""
    claim = a_claim_under_review("manager", filed_by="fred", also_filed_by=["ann", "eve"])
    lent = (Delegation("manager", "ann", TOMORROW),)

    demand_refused(claim, "approve", "eve filed this claim", role="admin")
    demand_refused(claim, "approve", "ann filed this claim", role="operator", who="olga", delegations=lent)
    decided(claim, "approve", "manager", "max")


@pytest.mark.parametrize("four_eyes", [True, False])
def test_four_eyes_are_two_people(four_eyes: bool) -> None:
    """Where the policy demands it, whoever passed one stage cannot pass another, whatever their role."""
    claim = a_claim_under_review("reviewer", "manager", four_eyes=four_eyes)
    decided(claim, "approve", "admin", "ann")

    if four_eyes:
        demand_refused(claim, "approve", "ann has approved this claim before", role="admin", who="ann")
        decided(claim, "approve", "admin", "bob")
    else:
        decided(claim, "approve", "admin", "ann")
    assert claim.status == "approved"


class TestDelegation:
    """Somebody stands in, with an end date, and the record says for whom."""

    def test_a_delegate_decides_on_behalf(self) -> None:
        """The role is the delegator's."""
        claim = a_claim_under_review("manager")

        lent = (Delegation("manager", "max", TOMORROW),)
        changes = decided(claim, "approve", "operator", "olga", delegations=lent)

        body = json.loads(changes.events[0].body)
        assert (changes.events[0].actor, body["role"], body["on_behalf_of"]) == ("olga", "manager", "max")

    def test_it_ends(self) -> None:
        """At its end, to the moment."""
        claim = a_claim_under_review("manager")
        over = (Delegation("manager", "max", NOW),)

        demand_refused(claim, "approve", "belongs to the role manager", role="operator", delegations=over)

    def test_ones_own_authority_comes_first(self) -> None:
        """Nothing is said of a delegation that was not needed."""
        claim = a_claim_under_review("manager")

        changes = decided(claim, "approve", "manager", delegations=(Delegation("manager", "max", TOMORROW),))

        assert "on_behalf_of" not in json.loads(changes.events[0].body)

    def test_it_is_no_way_round_self_approval(self) -> None:
        """Neither may the delegate approve what the delegator filed, nor their own."""
        for filer in ("max", "olga"):
            lent = (Delegation("manager", "max", TOMORROW),)
            claim = a_claim_under_review("manager", filed_by=filer)

            demand_refused(claim, "approve", f"{filer} filed", role="operator", who="olga", delegations=lent)

    def test_it_is_no_way_round_four_eyes(self) -> None:
        """Both count as having approved: the delegate and the delegator."""
        for second in ("olga", "max"):
            claim = a_claim_under_review("reviewer", "manager", four_eyes=True)
            decided(claim, "approve", "operator", "olga", delegations=(Delegation("reviewer", "max", TOMORROW),))

            demand_refused(claim, "approve", f"{second} has approved", role="admin", who=second)


@pytest.mark.parametrize("status", sorted(set(STATUSES) - set(CLOSED)))
def test_any_open_claim_may_be_withdrawn(status: str) -> None:
    """By a manager, or by whoever filed it, whatever their role."""
    for who, role in (("eve", "manager"), ("fred", "operator")):
        claim = a_claim(status=status, filed_by="fred", stages=["manager"], stage=1)
        decided(claim, "withdraw", role, who)
        assert (claim.status, claim.closed_at) == ("withdrawn", NOW)

    other = a_claim(status=status, filed_by="fred", stages=["manager"], stage=1)
    demand_refused(other, "withdraw", "manager or admin", role="operator", who="olga")


@pytest.mark.parametrize("status", [*CLOSED, "ineligible"])
def test_a_claim_may_be_taken_up_again(status: str) -> None:
    """It is verified anew, from the beginning, and counts how often that happened."""
    claim = a_claim(status=status, stages=["reviewer", "manager"], stage=2, approved_by=["ann"], reopened=1)

    changes = decided(claim, "reopen", "manager", note="The installer found the fault again.")

    assert (claim.status, claim.closed_at, claim.stages, claim.stage) == ("submitted", None, [], 0)
    assert (claim.approved_by, claim.reopened) == ([], 2)
    assert changes.steps == [Verify([claim.id])]
    assert changes.events[0].kind == "claim.reopened"


@pytest.mark.parametrize("status", STATUSES)
def test_a_note_changes_nothing_but_the_record(status: str) -> None:
    """In any state."""
    claim = a_claim(status=status)
    closed_at = claim.closed_at

    changes = decided(claim, "note", "operator", note="Called the site.")

    assert (claim.status, claim.closed_at, claim.version) == (status, closed_at, 1)
    assert (changes.events[0].kind, changes.steps) == ("claim.noted", [])


@pytest.mark.parametrize("status", STATUSES)
def test_an_open_claim_is_acknowledged(status: str) -> None:
    """Somebody says that they have seen it; a closed one needs that no more."""
    claim = a_claim(status=status)

    if status in CLOSED:
        with pytest.raises(Conflict):
            decided(claim, "acknowledge", "operator")
        return
    changes = decided(claim, "acknowledge", "operator")
    assert (claim.status, changes.events[0].kind) == (status, "claim.acknowledged")


def test_a_claim_that_moved_on_since_it_was_seen_is_a_conflict() -> None:
    """The person learns both versions and looks again."""
    claim = a_claim_under_review(version=5)

    with pytest.raises(Conflict, match="at version 5 by now; you saw version 4"):
        decided(claim, "approve", version=4)

    decided(claim, "approve", version=5)
    assert claim.status == "approved"


@pytest.mark.parametrize(("version", "enough"), [(2, False), (3, True), (4, True), (5, True), (6, False)])
def test_a_claim_that_people_were_only_notified_of_is_decided(version: int, enough: bool) -> None:
    """Nothing happened after the third event that anybody had to see."""
    claim = a_claim_under_review(version=5)

    if enough:
        decided(claim, "approve", version=version, changed_at=3)
    else:
        with pytest.raises(Conflict, match=f"you saw version {version}"):
            decided(claim, "approve", version=version, changed_at=3)


def test_what_the_table_does_not_allow_is_a_conflict() -> None:
    """It says what is allowed; what is no action at all is called that."""
    with pytest.raises(Conflict, match="allowed from here: "):
        decided(a_claim(status="verifying"), "approve")
    with pytest.raises(Conflict, match="Unknown action explode"):
        decided(a_claim(), "explode")


def test_nothing_is_approved_without_the_evidence_that_is_demanded() -> None:
    """It may be rejected, though; the person learns what is lacking."""
    claim = a_claim_under_review()

    with pytest.raises(Conflict, match="not on file: photo, note"):
        decided(claim, "approve", lacking=("photo", "note"))

    decided(claim, "reject", lacking=("photo", "note"))


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_evidence_that_was_swapped_since_it_was_seen_is_a_conflict(action: str) -> None:
    """The person looks again; an approval says on which evidence it was given."""
    claim = a_claim_under_review(evidence_digest="b" * 64)

    with pytest.raises(Conflict):
        decided(claim, action, evidence_digest="a" * 64)

    changes = decided(claim, action, evidence_digest="b" * 64)
    assert json.loads(changes.events[0].body).get("evidence_digest") == ("b" * 64 if action == "approve" else None)


@pytest.fixture
def with_evidence() -> Claim:
    claim = a_claim()
    claim.evidence_digest = digest([an_item(claim)])
    return claim


def test_what_was_seen_is_what_is_there(with_evidence: Claim) -> None:
    """Whoever says nothing of what they saw demands nothing."""
    demand_seen(with_evidence, with_evidence.evidence_digest)
    demand_seen(with_evidence, None)
    demand_seen(a_claim(), "")


@pytest.mark.parametrize("seen", ["", "ab" * 32])
def test_evidence_that_was_swapped_is_a_conflict(with_evidence: Claim, seen: str) -> None:
    """Nobody decides on what they have not seen, and an empty list was something to see too."""
    with pytest.raises(Conflict, match="look again"):
        demand_seen(with_evidence, seen)
