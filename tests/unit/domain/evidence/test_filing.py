"""Evidence is filed and withdrawn: what that changes, what follows, and when it is refused."""

import json

import pytest

from domain.audit.chain import first_broken
from domain.claims import lifecycle
from domain.claims.claim import Claim
from domain.errors import Conflict, EvidenceRefused, NotAllowed, NotFound
from domain.evidence.file import File
from domain.evidence.filing import MOST_ITEMS, add, find, same_item, withdraw
from domain.evidence.item import Evidence, compose, digest
from domain.policy.roles import FILE_EVIDENCE, ROLES
from domain.steps import Verify
from tests.builders import NOW, a_claim, an_item

PHOTO = File("meter.png", "image/png", 70, "ab" * 32)


def test_an_item_is_added() -> None:
    """The claim moves to the set's new digest, and its event says which item, of what kind and size."""
    claim = a_claim()
    old = an_item(claim)
    item = an_item(claim, kind="photo", content=compose("photo", file=PHOTO))

    changes = add(claim, [old], item)

    assert claim.evidence_digest == digest([old, item])
    assert (changes.of(Claim), changes.of(Evidence)) == ([claim], [item])
    [event] = changes.events
    assert (event.kind, event.actor, claim.version) == ("claim.evidence_added", "technician", 1)
    assert json.loads(event.body) == {
        "id": item.id,
        "kind": "photo",
        "content": item.hash,
        "sha256": PHOTO.sha256,
        "size": 70,
        "media_type": "image/png",
        "evidence_digest": claim.evidence_digest,
    }


@pytest.mark.parametrize("status", [s for s in lifecycle.STATUSES if s not in lifecycle.CLOSED])
def test_a_claim_that_waits_for_its_verdict_is_checked_again(status: str) -> None:
    """At once; any other goes on as it was."""
    claim = a_claim(status=status)

    steps = add(claim, [], an_item(claim)).steps

    assert steps == ([Verify([claim.id])] if status in ("submitted", "awaiting_evidence") else [])
    assert claim.status == status


@pytest.mark.parametrize("status", lifecycle.CLOSED)
def test_a_closed_claim_takes_nothing(status: str) -> None:
    """Nor does it give anything back."""
    claim = a_claim(status=status)
    item = an_item(claim)

    with pytest.raises(Conflict, match=status):
        add(claim, [], item)
    with pytest.raises(Conflict, match=status):
        withdraw(claim, [item], item.id, who="technician", reason="wrong spot", now=NOW)
    assert claim.version == 0


def test_there_is_a_most() -> None:
    """A claim is no archive."""
    claim = a_claim()
    items = [an_item(claim) for _ in range(MOST_ITEMS)]

    add(claim, items[1:], items[0])
    with pytest.raises(Conflict, match="256"):
        add(claim, items, an_item(claim))


def test_the_same_from_the_same_person_is_one_item() -> None:
    """A program that lost its answer asks twice; two people who say the same are two witnesses."""
    claim = a_claim()
    item = an_item(claim)
    withdrawn = an_item(claim, withdrawn_at=NOW)

    assert same_item([withdrawn, item], an_item(claim)) is item
    assert same_item([item], an_item(claim, added_by="driver")) is None
    assert same_item([item], an_item(claim, kind="session")) is None
    assert same_item([withdrawn], an_item(claim)) is None


def test_an_item_is_withdrawn() -> None:
    """It stays on record and counts no more; the event says who and why, and the chain holds."""
    claim = a_claim(status="awaiting_evidence")
    one, two = an_item(claim), an_item(claim, kind="session")
    events = [*add(claim, [], one).events, *add(claim, [one], two).events]

    changes = withdraw(claim, [one, two], two.id.upper(), who="manager", reason="wrong spot", now=NOW)

    assert (changes.of(Evidence), two.withdrawn_at, two.withdrawn_by) == ([two], NOW, "manager")
    assert claim.evidence_digest == digest([one])
    [event] = changes.events
    assert (event.kind, event.actor) == ("claim.evidence_withdrawn", "manager")
    assert json.loads(event.body) == {
        "id": two.id,
        "kind": "session",
        "reason": "wrong spot",
        "evidence_digest": claim.evidence_digest,
    }
    assert changes.steps == [Verify([claim.id])]
    assert first_broken([*events, event]) is None


def test_what_cannot_be_withdrawn() -> None:
    """Another claim's item, one without a reason, one twice, and what an approval rests on."""
    claim = a_claim()
    item = an_item(claim)

    with pytest.raises(NotFound):
        withdraw(claim, [item], an_item(claim).id, who="x", reason="wrong", now=NOW)
    for reason in ("", " \n", "x" * 4001):
        with pytest.raises(EvidenceRefused):
            withdraw(claim, [item], item.id, who="x", reason=reason, now=NOW)
    approved = a_claim(status="approved")
    with pytest.raises(Conflict, match="approved on this evidence"):
        withdraw(approved, [item], item.id, who="x", reason="wrong", now=NOW)
    withdraw(claim, [item], item.id, who="x", reason="wrong", now=NOW)
    with pytest.raises(Conflict, match="already"):
        withdraw(claim, [item], item.id, who="x", reason="wrong", now=NOW)


def test_who_may_file() -> None:
    """Everybody but auditors."""
    for role in ROLES:
        if role != "auditor":
            FILE_EVIDENCE.demand(role)
    with pytest.raises(NotAllowed):
        FILE_EVIDENCE.demand("auditor")


def test_an_item_is_found_by_its_id() -> None:
    """In whichever case it is written."""
    item = an_item(a_claim())

    assert find([an_item(a_claim()), item], item.id.upper()) is item
    with pytest.raises(NotFound):
        find([], item.id)
