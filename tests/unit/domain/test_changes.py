"""The unit of work: what is put into it, in which part it is written, and in what order."""

import json
from dataclasses import replace

import pytest

from domain.audit.chain import first_broken
from domain.audit.event import COUNTED, NEW, OPENED, WHOLE
from domain.changes import ATTEMPTED, Changes, DoneStep
from domain.claims.claim import Claim
from domain.claims.decision_events import ClaimEscalated, ClaimNoted
from domain.claims.events import ClaimOpened, FaultsCounted
from domain.incidents.incident import Incident, Link
from domain.notifications.delivery import Collected, Delivery
from domain.steps import Announce, Step, Verify
from tests.builders import FAULT_TIME, NOW, a_claim, a_claim_under_review, a_delivery, an_incident
from tests.unit.domain.written import written

WIDEST_FIRST = [NEW, WHOLE, OPENED, COUNTED, ATTEMPTED]


def test_nothing_is_written_of_nothing() -> None:
    """A step that finds nothing to do leaves no trace."""
    changes = Changes()
    changes.put()
    changes.done([])

    assert written(changes) == []


def test_each_type_has_its_records_in_the_order_they_were_put() -> None:
    """Whole, unless a part is named."""
    one, other, incident = a_claim(), a_claim(), an_incident()

    changes = Changes(other, incident)
    changes.put(one)

    assert (changes.of(Claim), changes.of(Incident), changes.of(Delivery)) == ([other, one], [incident], [])
    assert list(changes.puts(Claim)) == [(other, WHOLE), (one, WHOLE)]
    assert written(changes) == [other, one, incident]


def test_a_record_with_an_id_is_written_once() -> None:
    """Where it was put first, as it was put last."""
    one, other = a_claim(), a_claim()
    again = replace(one, status="approved")

    changes = Changes(one, other, one, again)

    assert [record is wanted for record, wanted in zip(changes.of(Claim), (again, other), strict=True)] == [
        True
    ] * 2


def test_ids_of_different_types_do_not_meet() -> None:
    """Each type has its own."""
    claim = a_claim()
    delivery = a_delivery(id=claim.id)

    changes = Changes(claim, delivery)

    assert (changes.of(Claim), changes.of(Delivery)) == ([claim], [delivery])


@pytest.mark.parametrize("second", WIDEST_FIRST)
@pytest.mark.parametrize("first", WIDEST_FIRST)
def test_a_record_is_written_in_the_widest_part(first: str, second: str) -> None:
    """Whatever was put first: what is new is new, and what is written whole is written with its counts."""
    claim, changes = a_claim(), Changes()
    changes.put(claim, part=first)
    changes.put(claim, part=second)
    widest = NEW if {first, second} == {OPENED, WHOLE} else min(first, second, key=WIDEST_FIRST.index)

    assert list(changes.puts(Claim)) == [(claim, widest)]
    assert {part: changes.of(Claim, part) for part in WIDEST_FIRST} == {
        part: [claim] if part == widest else [] for part in WIDEST_FIRST
    }


def test_several_parts_are_asked_for_together() -> None:
    """In the order of the records."""
    new, whole, counted = a_claim(), a_claim(), a_claim()
    changes = Changes()
    for claim, part in ((counted, COUNTED), (new, NEW), (whole, WHOLE)):
        changes.put(claim, part=part)

    assert changes.of(Claim, NEW, COUNTED) == [counted, new]


def test_records_without_an_id_are_all_written() -> None:
    """Links, collected notices and steps: none stands for another, be they ever so alike."""
    link, notice, step = Link("c", "i"), Collected("d", {"about": "c"}), Verify(["c"])

    changes = Changes(link, notice, step, link, notice, step)

    assert changes.of(Link) == [link, link]
    assert changes.of(Collected) == [notice, notice]
    assert changes.steps == [step, step]


def test_steps_of_all_kinds_stand_together() -> None:
    """In the order in which they follow."""
    steps = [Verify(["c"]), Announce(["c"], state_key="approved:0"), Verify(["d"])]

    changes = Changes(*steps)

    assert changes.steps == changes.of(Step) == steps


def test_steps_that_are_done_are_named() -> None:
    """Their rows go."""
    changes = Changes()

    changes.done([Verify(["c"], id=7), Verify(["d"], id=8)])

    assert (changes.of(DoneStep), changes.steps) == ([DoneStep(7), DoneStep(8)], [])


class TestEvents:
    """An event and the row of its subject are one change."""

    def test_an_event_is_applied_and_put_with_its_subject(self) -> None:
        """It is the next of the chain, with its body."""
        claim = a_claim_under_review(version=4, head="ab" * 32)
        changes = Changes()

        changes.record(claim, ClaimEscalated(to="manager"), NOW, "rule:escalation")

        [event] = changes.events
        assert (claim.escalated_to, claim.version, claim.head) == ("manager", 5, event.hash)
        assert (event.subject_id, event.subject_kind, event.seq, event.actor) == (
            claim.id,
            "claim",
            5,
            "rule:escalation",
        )
        assert (event.kind, json.loads(event.body)) == ("claim.escalated", {"to": "manager"})
        assert list(changes.puts(Claim)) == [(claim, WHOLE)]
        assert written(changes) == [claim, event]

    def test_events_follow_from_each_other(self) -> None:
        """The row is written once, as it is after the last of them."""
        claim, changes = a_claim(), Changes()

        for note in ("one", "two"):
            changes.record(claim, ClaimNoted(note=note), NOW, "olga")

        assert first_broken(changes.events) is None
        assert [json.loads(event.body)["note"] for event in changes.events] == ["one", "two"]
        assert changes.of(Claim) == [claim]

    def test_a_subject_begins_with_its_opening(self) -> None:
        """Which is not applied to it again; its row is new, whatever else happens at once."""
        counts = {"fault_count": 1, "first_seen_at": FAULT_TIME, "last_seen_at": FAULT_TIME, "cleared_at": None}
        opened = ClaimOpened(
            spot_id="E1",
            code="OTHER",
            claim_type="equipment",
            severity="low",
            status="submitted",
            connector_id=0,
            policy="v1",
            faults=["a"],
            **counts,
        )
        claim, changes = opened.begin("c-1", NOW), Changes()

        changes.append(claim, opened, NOW, "controller:7")
        changes.record(claim, FaultsCounted(faults=["b"], **(counts | {"fault_count": 2})), NOW, "controller:7")

        assert [(event.seq, event.kind) for event in changes.events] == [
            (1, "claim.opened"),
            (2, "claim.faults_counted"),
        ]
        assert (claim.fault_count, claim.version) == (2, 2)
        assert list(changes.puts(Claim)) == [(claim, OPENED)]

    def test_an_event_writes_the_part_that_it_changes(self) -> None:
        """Counting a fault writes no more than the counts."""
        claim, changes = a_claim(), Changes()
        counted = FaultsCounted(
            faults=["b"], fault_count=2, first_seen_at=FAULT_TIME, last_seen_at=NOW, cleared_at=None
        )

        changes.record(claim, counted, NOW, "controller:7")

        assert list(changes.puts(Claim)) == [(claim, COUNTED)]


class TestTogether:
    """Two changes become one."""

    def test_what_is_taken_in_comes_after_what_was_there(self) -> None:
        """Records, events and steps alike."""
        one, other, incident = a_claim(), a_claim(), an_incident()
        changes, more = Changes(one, Verify([one.id])), Changes(incident, Verify([other.id]))
        changes.record(one, ClaimNoted(note="one"), NOW, "olga")
        more.record(other, ClaimNoted(note="two"), NOW, "olga")

        changes.add(more)

        assert (changes.of(Claim), changes.of(Incident)) == ([one, other], [incident])
        assert [event.subject_id for event in changes.events] == [one.id, other.id]
        assert changes.steps == [Verify([one.id]), Verify([other.id])]
        assert (more.of(Claim), more.steps) == ([other], [Verify([other.id])])

    @pytest.mark.parametrize(("first", "second"), [(NEW, COUNTED), (COUNTED, NEW)])
    def test_each_record_is_still_written_once_and_widest(self, first: str, second: str) -> None:
        """Whichever of them has it wider."""
        claim, changes, more = a_claim(), Changes(), Changes()
        changes.put(claim, part=first)
        more.put(claim, part=second)

        changes.add(more)

        assert list(changes.puts(Claim)) == [(claim, NEW)]


def test_a_record_without_an_id_is_not_taken_for_one_with_an_id() -> None:
    """Steps have ids only once they are stored."""
    steps = [Verify(["a"]), Verify(["b"]), Verify(["c"], id=1)]

    assert list(Changes(*steps).steps) == steps
