"""What follows from a duplicate to the other claim, and of what a claim may be a duplicate."""

from datetime import timedelta
from typing import Any

import pytest

from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.correct import Asked
from domain.claims.decide import Person
from domain.claims.duplicate import mark_duplicate
from domain.errors import Conflict, NotAllowed, NoteRefused
from domain.evidence.filing import MOST_ITEMS, carry_over
from domain.evidence.following import following
from domain.evidence.item import Evidence, Reported, compose, digest
from domain.steps import Announce, CheckClocks, Verify
from tests.builders import FAULT_TIME, NOW, PIECES, a_claim, a_claim_under_review, a_piece, a_policy, an_item, ids

HOUR = timedelta(hours=1)
POLICY = a_policy(version="test")


def marked(claim: Claim, other: Claim, role: str = "manager", **more: Any) -> Changes:
    asked = Asked(Person("max", role), more.pop("note", "one fault"), **more)
    return mark_duplicate(claim, other, asked, spot=None, policy=POLICY, now=NOW)


def the_other(**changes: Any) -> Claim:
    fields = {"code": "ENERGY_IMPLAUSIBLE", "time_zone": "UTC", "approved_by": ["rita"], "stage": 2}
    return a_claim_under_review("reviewer", "manager", **(fields | changes))


def test_the_reports_count_with_the_other_claim() -> None:
    """Both events name the other claim; the duplicate keeps its own figures, and its ending is announced."""
    claim = a_claim(fault_count=3, first_seen_at=FAULT_TIME - HOUR, last_seen_at=NOW, cleared_at=NOW)
    other = the_other(fault_count=2)

    changes = marked(claim, other)

    assert (claim.status, claim.closed_at, claim.duplicate_of, claim.fault_count) == (
        "duplicate",
        NOW,
        other.id,
        3,
    )
    assert (other.fault_count, other.first_seen_at, other.last_seen_at) == (5, FAULT_TIME - HOUR, NOW)
    assert (other.cleared_at, other.status, other.stage, other.approved_by) == (NOW, "under_review", 2, ["rita"])
    by_subject = {event.subject_id: event for event in changes.events}
    assert f'"of":"{other.id}"' in by_subject[claim.id].body
    assert f'"duplicate":"{claim.id}"' in by_subject[other.id].body
    assert list(changes.steps) == [Announce([claim.id], state_key=claim.state_key), Verify([other.id])]


def test_who_was_concerned_follows_where_the_other_does_not_say() -> None:
    """A session and a reservation are those of one spot."""
    said = {"affected_user": "u-1", "session_id": "s-1", "reservation_id": "r-1"}
    other, known, elsewhere = (
        the_other(),
        the_other(affected_user="u-2", session_id="s-2"),
        the_other(spot_id="E2"),
    )
    for to in (other, known, elsewhere):
        marked(a_claim(**said), to)

    assert (other.affected_user, other.session_id, other.reservation_id) == ("u-1", "s-1", "r-1")
    assert (known.affected_user, known.session_id, known.reservation_id) == ("u-2", "s-2", "r-1")
    assert (elsewhere.affected_user, elsewhere.session_id, elsewhere.reservation_id) == ("u-1", None, None)


def test_whoever_filed_the_duplicate_filed_the_other_too() -> None:
    """What they approved of it before counts no more, whatever the stages are."""
    other = the_other(filed_by="fred", also_filed_by=["rosa"])
    marked(a_claim(filed_by="olga", also_filed_by=["fred", "rosa", "paul"]), other)
    assert (other.also_filed_by, other.stage) == (["rosa", "olga", "paul"], 2)

    changes = marked(a_claim(filed_by="rita"), other)

    assert (other.status, other.stage, other.approved_by, other.pauses) == ("submitted", 0, [], [NOW, NOW])
    assert [step for step in changes.steps if isinstance(step, CheckClocks)]


@pytest.mark.parametrize(
    ("error", "words", "claim", "more"),
    [
        (Conflict, "rejected; only open claims", a_claim(status="rejected"), {}),
        (Conflict, "you saw version 3", a_claim(), {"version": 3}),
        (NoteRefused, "note is missing; to mark as a duplicate a claim", a_claim(), {"note": ""}),
        (NotAllowed, "manager or admin; yours is reviewer", a_claim(), {"role": "reviewer"}),
    ],
)
def test_what_is_refused(error: type[Exception], words: str, claim: Claim, more: dict[str, Any]) -> None:
    """And nothing is changed by it."""
    other = the_other()
    before = repr((claim, other))
    with pytest.raises(error, match=words):
        marked(claim, other, **more)
    assert repr((claim, other)) == before


def test_a_claim_is_a_duplicate_of_another_open_one() -> None:
    """Not of itself, of a closed one, or of a duplicate: so none is, by any way, a duplicate of itself."""
    claim, third = a_claim(), the_other(status="duplicate", duplicate_of="c-9", closed_at=NOW)

    with pytest.raises(Conflict, match="no duplicate of itself"):
        marked(claim, claim)
    with pytest.raises(Conflict, match="is withdrawn; a claim is a duplicate of an open one"):
        marked(claim, the_other(status="withdrawn", closed_at=NOW))
    with pytest.raises(Conflict, match="itself a duplicate of claim c-9; name that one"):
        marked(claim, third)
    assert (claim.status, claim.version) == ("submitted", 0)


class TestEvidence:
    """What follows, and how it stands in the other claim."""

    def followed(self, items: list[Evidence], reported: list[Reported], known: int = 0) -> tuple[Claim, Changes]:
        other = the_other()
        there = [an_item(other, content=compose("note", note=f"{n}")) for n in range(known)]
        made = following(other.id, items, reported, ids().__next__)
        return other, carry_over(other, there, made, "c-1", "max", NOW)

    def test_items_keep_who_filed_them_and_when(self) -> None:
        """The event says from where they came, and who marked the duplicate."""
        item = an_item(a_claim(), added_at=NOW - HOUR, added_by="tess")

        other, changes = self.followed([item], [])

        [copy] = changes.of(Evidence)
        assert (copy.claim_id, copy.content, copy.added_at, copy.added_by) == (
            other.id,
            item.content,
            NOW - HOUR,
            "tess",
        )
        assert copy.id != item.id
        assert other.evidence_digest == digest([copy])
        [event] = changes.events
        assert (event.actor, '"duplicate":"c-1","' in event.body) == ("max", True)

    def test_what_came_with_faults_follows_too(self) -> None:
        """As items of their kinds; what lacks its content stays behind, and so does what was withdrawn."""
        reported = [Reported("f", FAULT_TIME, "controller:7", a_piece(kind)) for kind in PIECES]
        empty = Reported("f", FAULT_TIME, "controller:7", {"kind": "photo"})
        withdrawn = an_item(a_claim(), withdrawn_at=NOW, withdrawn_by="tess")

        _, changes = self.followed([withdrawn], [*reported, empty])

        made = changes.of(Evidence)
        assert [item.kind for item in made] == list(PIECES)
        assert {item.added_by for item in made} == {"controller:7"}
        assert [item.parts.get("note") for item in made if item.kind == "note"] == ["The display is dark."]

    def test_the_same_is_not_filed_twice_and_nothing_is_lost_to_a_limit(self) -> None:
        """A storm repeats its evidence with every message."""
        piece = Reported("f", FAULT_TIME, "controller:7", a_piece("session"))

        _, changes = self.followed([], [piece, piece], known=MOST_ITEMS)

        assert len(changes.of(Evidence)) == 1
