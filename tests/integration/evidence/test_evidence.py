"""Evidence in the database: filed by many at once, withdrawn, failed half way, and the checks that follow."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from domain.claims.claim import Claim
from domain.errors import Conflict, MediaTypeRefused, NotAllowed, NotFound, TransientError
from domain.evidence.file import Upload
from domain.evidence.item import digest
from domain.ports.store import Store, Transaction
from tests.builders import NOW, a_claim, a_fault, a_piece, a_png, a_policy
from tests.integration.parts import Spotclaim

PHOTO = Upload(a_png(), "meter.png", "image/png")


def a_recorded(spotclaim: Spotclaim, claim: Claim) -> Claim:
    """The claim, on record as if it had got there by itself."""
    spotclaim.put_on_record(claim)
    return claim


def present(spotclaim: Spotclaim, claim: Claim) -> Claim:
    with spotclaim.store.transaction() as transaction:
        return transaction.claims([claim.id])[0]


def by(spotclaim: Spotclaim, who: str, claim: Claim, kind: str = "note", **parts: Any) -> tuple[str, bool]:
    """Somebody files an item; its id, and whether it is new."""
    item, new = spotclaim.desk.add(claim.id, kind, who=who, role="operator", **parts)
    return item.id, new


def demand_one_digest(spotclaim: Spotclaim, claim: Claim) -> None:
    """The claim's row, its last event about evidence, the database's function and the domain agree."""
    with spotclaim.store.transaction() as transaction:
        reckoned = digest(transaction.evidence(claim.id))
    recorded = [
        json.loads(event.body)["evidence_digest"]
        for event in spotclaim.events(claim.id)
        if event.kind.startswith("claim.evidence_")
    ]
    by_database = spotclaim.value("SELECT encode(evidence_digest(%s), 'hex')", claim.id)
    assert {present(spotclaim, claim).evidence_digest, by_database, recorded[-1]} == {reckoned}


def test_a_photo_is_filed(spotclaim: Spotclaim) -> None:
    """Its bytes are kept, and the claim's record says what they are."""
    claim = a_recorded(spotclaim, a_claim())

    item_id, new = by(spotclaim, "technician", claim, "photo", upload=PHOTO, note="the display")

    assert new
    file, content = spotclaim.desk.file(claim.id, item_id)
    assert (file.name, file.media_type, file.size, content) == ("meter.png", "image/png", len(a_png()), a_png())
    [_, event] = spotclaim.events(claim.id)
    assert json.loads(event.body)["sha256"] == sha256(a_png()).hexdigest() == file.sha256
    demand_one_digest(spotclaim, claim)
    spotclaim.demand_sound_chains()


def test_many_file_at_once(spotclaim: Spotclaim) -> None:
    """Nobody's item is lost, and the digest names them all."""
    claim = a_recorded(spotclaim, a_claim())

    with ThreadPoolExecutor(8) as pool:
        filed = list(pool.map(lambda n: by(spotclaim, f"technician {n}", claim, note=f"note {n}"), range(40)))

    on_file = spotclaim.desk.on_file(claim.id)
    assert {item.id for item in on_file.items} == {item_id for item_id, _ in filed}
    assert present(spotclaim, claim).version == len(spotclaim.events(claim.id)) == 41
    demand_one_digest(spotclaim, claim)
    spotclaim.demand_sound_chains()


def test_the_same_file_twice_at_once(spotclaim: Spotclaim) -> None:
    """From one person it is one item; from another a second one, of the same bytes, kept once."""
    claim, other = a_recorded(spotclaim, a_claim()), a_recorded(spotclaim, a_claim(spot_id="E2"))

    with ThreadPoolExecutor(8) as pool:
        filed = list(pool.map(lambda _: by(spotclaim, "technician", claim, "photo", upload=PHOTO), range(16)))
    by(spotclaim, "driver", claim, "photo", upload=PHOTO)
    by(spotclaim, "technician", other, "photo", upload=PHOTO)

    assert len({item_id for item_id, _ in filed}) == 1
    assert sorted(new for _, new in filed) == [False] * 15 + [True]
    assert spotclaim.value("SELECT count(*) FROM claim_evidence") == 3
    assert spotclaim.value("SELECT count(*) FROM evidence_files") == 1
    demand_one_digest(spotclaim, claim)


@pytest.mark.parametrize(
    ("note", "data"),
    [
        ("line\nend \\ \" ' % {} ü\U0001f697", {"a": [1, -1e300, True, None], "": {}, "ß\n": "\\u0000"}),
        ("\u202e\x01\x1f", {}),
    ],
)
def test_an_item_comes_back_as_it_was_filed(spotclaim: Spotclaim, note: str, data: dict[str, Any]) -> None:
    """Whatever characters it holds, and with the same digest on both sides."""
    claim = a_recorded(spotclaim, a_claim())
    data |= {"session_id": "s-1"}

    by(spotclaim, "technician", claim, "session", note=note, data=data)
    by(spotclaim, "technician", claim, note="another")

    item = spotclaim.desk.on_file(claim.id).items[0]
    assert (item.parts["note"], item.parts.get("data")) == (note, data)
    demand_one_digest(spotclaim, claim)


def test_an_item_is_withdrawn(spotclaim: Spotclaim) -> None:
    """It is still there to be looked at, with its bytes."""
    claim = a_recorded(spotclaim, a_claim())
    item_id, _ = by(spotclaim, "technician", claim, "photo", upload=PHOTO)

    spotclaim.desk.withdraw(claim.id, item_id, who="manager", role="manager", reason="wrong spot")

    [item] = spotclaim.desk.on_file(claim.id).items
    assert (item.withdrawn_by, item.withdrawn_at) == ("manager", NOW)
    assert spotclaim.desk.file(claim.id, item_id)[1] == a_png()
    assert present(spotclaim, claim).evidence_digest == ""
    demand_one_digest(spotclaim, claim)
    spotclaim.demand_sound_chains()


def test_an_item_is_withdrawn_once(spotclaim: Spotclaim) -> None:
    """However many try at once, and nobody's adding is lost for it."""
    claim = a_recorded(spotclaim, a_claim())
    item_id, _ = by(spotclaim, "technician", claim, note="wrong")

    def withdraw_or_add(n: int) -> str:
        if n % 2:
            return by(spotclaim, "technician", claim, note=f"note {n}")[0]
        try:
            spotclaim.desk.withdraw(claim.id, item_id, who=f"manager {n}", role="manager", reason="wrong")
        except Conflict:
            return "conflict"
        return "withdrawn"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(withdraw_or_add, range(16)))

    assert (answers.count("withdrawn"), answers.count("conflict")) == (1, 7)
    assert len(spotclaim.desk.on_file(claim.id).items) == 9
    demand_one_digest(spotclaim, claim)
    spotclaim.demand_sound_chains()


def test_what_is_refused_leaves_nothing_behind(spotclaim: Spotclaim) -> None:
    """Neither a row nor bytes: a wrong type, a closed or unknown claim, an auditor."""
    claim = a_recorded(spotclaim, a_claim())
    closed = a_recorded(spotclaim, a_claim(spot_id="E2", status="rejected"))
    disguised = Upload(b"<svg onload=alert(1)>", "a.png", "image/png")
    events = spotclaim.events(claim.id) + spotclaim.events(closed.id)

    with pytest.raises(MediaTypeRefused):
        by(spotclaim, "technician", claim, "photo", upload=disguised)
    with pytest.raises(Conflict):
        by(spotclaim, "technician", closed, "photo", upload=PHOTO)
    with pytest.raises(NotFound):
        by(spotclaim, "technician", a_claim(), "photo", upload=PHOTO)
    with pytest.raises(NotAllowed):
        spotclaim.desk.add(claim.id, "photo", who="auditor", role="auditor", upload=PHOTO)

    for table in ("claim_evidence", "evidence_files", "steps"):
        assert spotclaim.value(f"SELECT count(*) FROM {table}") == 0
    assert spotclaim.events(claim.id) + spotclaim.events(closed.id) == events
    assert spotclaim.value("SELECT count(*) FROM audit_events") == len(events)


class FailingStore:
    """The real store, whose transactions after the first do all their work and then fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._transactions = 0

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        self._transactions += 1
        with self._store.transaction() as transaction:
            yield transaction
            if self._transactions > 1:
                raise TransientError("the server went away")


def test_a_failure_leaves_bytes_without_a_row_at_most(spotclaim: Spotclaim) -> None:
    """Never a row without bytes; and the same file can be sent again."""
    claim = a_recorded(spotclaim, a_claim())
    desk = spotclaim.desk_over(FailingStore(spotclaim.store))

    with pytest.raises(TransientError):
        desk.add(claim.id, "photo", who="technician", role="operator", upload=PHOTO)

    assert spotclaim.value("SELECT count(*) FROM evidence_files") == 1
    assert spotclaim.value("SELECT count(*) FROM claim_evidence") == 0
    assert by(spotclaim, "technician", claim, "photo", upload=PHOTO)[1]
    assert spotclaim.value("SELECT count(*) FROM evidence_files") == 1


@pytest.mark.parametrize("status", ["submitted", "awaiting_evidence"])
def test_new_evidence_schedules_a_check(spotclaim: Spotclaim, status: str) -> None:
    """At once, for a claim that waits; so does evidence that is withdrawn."""
    claim = a_recorded(spotclaim, a_claim(status=status))

    item_id, _ = by(spotclaim, "technician", claim, note="seen")
    spotclaim.desk.withdraw(claim.id, item_id, who="technician", role="operator", reason="wrong")

    assert [(step["kind"], step["subject_ids"]) for step in spotclaim.steps()] == [("verify", [claim.id])] * 2
    assert len(spotclaim.queue.lease(10)) == 2


def test_a_fault_that_brings_evidence_schedules_a_check(spotclaim: Spotclaim) -> None:
    """Only of a claim that awaits some; a fault without any changes nothing."""
    spots = ("E1", "E2", "E3")
    waiting, bare, reviewed = (a_claim(spot_id=spot, status="awaiting_evidence") for spot in spots)
    reviewed.status = "under_review"
    spotclaim.put_on_record(waiting, bare, reviewed)

    brought = [a_piece("photo")]
    spotclaim.take_in(
        faults=[
            a_fault(spot_id="E1", evidence=brought),
            a_fault(spot_id="E2"),
            a_fault(spot_id="E3", evidence=brought),
        ]
    )

    assert [(step["kind"], step["subject_ids"]) for step in spotclaim.steps()] == [("verify", [waiting.id])]


def test_the_kinds_on_file_of_many_claims(spotclaim: Spotclaim) -> None:
    """Filed and not withdrawn, or come with a fault, first or later, raised or cleared."""
    reading, photo = a_piece("meter_reading"), a_piece("photo")
    spotclaim.take_in(
        faults=[
            a_fault(spot_id="E1", evidence=[reading, photo, reading]),
            a_fault(spot_id="E2"),
            a_fault(spot_id="E3"),
        ]
    )
    spotclaim.take_in(
        faults=[
            a_fault(spot_id="E2", evidence=[reading]),
            a_fault(spot_id="E2", evidence=[photo], cleared=True),
        ]
    )
    one, two, three = (claim["id"] for claim in spotclaim.claims())
    by(spotclaim, "technician", a_claim(id=one), note="seen")
    withdrawn, _ = by(spotclaim, "technician", a_claim(id=three), "session", data={"session_id": "s-9"})
    spotclaim.desk.withdraw(three, withdrawn, who="technician", role="operator", reason="wrong")
    nobody = a_claim().id

    with spotclaim.store.transaction() as transaction:
        kinds = transaction.evidence_kinds([one, two, three, nobody])
        assert transaction.evidence_kinds([]) == {}

    assert kinds == {
        one: frozenset({"meter_reading", "photo", "note"}),
        two: frozenset({"meter_reading", "photo"}),
        three: frozenset(),
        nobody: frozenset(),
    }


def test_what_came_with_faults_is_in_the_list(set_up: Callable[..., Spotclaim]) -> None:
    """With the fault that brought it; and what the policy demands beyond that is missing."""
    policy = a_policy()
    demanding = replace(policy.codes["METER_MISREAD"], evidence=("meter_reading", "photo"))
    spotclaim = set_up(policy=replace(policy, codes={**policy.codes, "METER_MISREAD": demanding}))
    reading, note = a_piece("meter_reading") | {"": [None]}, a_piece("note")
    fault = a_fault(evidence=[reading, note], filed_by="desk")
    spotclaim.take_in(faults=[fault])
    claim_id = spotclaim.claims()[0]["id"]

    on_file = spotclaim.desk.on_file(claim_id)

    assert [(piece.fault, piece.reported_by, piece.data) for piece in on_file.reported] == [
        (fault.key, "desk", reading),
        (fault.key, "desk", note),
    ]
    assert (on_file.items, on_file.digest) == ([], "")
    assert (on_file.demanded, on_file.missing) == (("meter_reading", "photo"), ["photo"])
