"""Duplicates over the real store: what follows, what stays on record, and who marks at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from adapters.postgres.audit.snapshot import open_snapshot
from domain.claims.decide import Wanted
from domain.errors import Conflict, NotAllowed
from domain.evidence.file import Upload
from domain.policy.policy import CodePolicy, NotificationRule
from domain.ports.store import Identity
from tests.builders import FAULT_TIME, a_fault, a_piece, a_png, a_policy
from tests.integration.claims.test_corrections import ANN, MAX, RITA, correcting, deciding, row
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim
from workers.audit.verify import audit

CODES = {
    **a_policy().codes,
    "GROUND_FAILURE": CodePolicy("critical", evidence=("photo", "note")),
    "OVER_CURRENT": CodePolicy("critical"),
}
POLICY = a_policy(codes=CODES, notifications=(NotificationRule("claim.duplicate", ("ops",)),))
FILED: dict[str, Any] = {
    "filed_by": "rita",
    "affected_user": "u-7",
    "occurred_at": FAULT_TIME - timedelta(hours=1),
}


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    return set_up(policy=POLICY)


@pytest.fixture
def pair(spotclaim: Spotclaim) -> tuple[str, str]:
    """What two sources say of one fault: one has photo and note, and the other waits for them."""
    note = a_piece("note")
    spotclaim.take_in(
        faults=[
            a_fault(raw_code="OVER_CURRENT", evidence=[note], **FILED),
            a_fault(raw_code="OVER_CURRENT"),
            a_fault(raw_code="GROUND_FAILURE"),
        ]
    )
    spotclaim.carry_out()
    ids = {claim["code"]: claim["id"] for claim in spotclaim.claims()}
    photo = Upload(a_png(), "m.png", "image/png")
    spotclaim.desk.add(ids["OVER_CURRENT"], "photo", who="tess", role="operator", upload=photo)
    assert row(spotclaim, ids["GROUND_FAILURE"])["status"] == "awaiting_evidence"
    return ids["OVER_CURRENT"], ids["GROUND_FAILURE"]


def test_reports_people_and_evidence_follow(spotclaim: Spotclaim, pair: tuple[str, str]) -> None:
    """With them the other claim is eligible; whoever filed the duplicate does not approve it."""
    duplicate, other = pair

    closed = correcting(spotclaim).mark_duplicate(Wanted(duplicate), other, MAX, "one fault")
    spotclaim.carry_out()

    assert (closed.status, row(spotclaim, duplicate)["closed_at"]) == ("duplicate", spotclaim.clock.now)
    assert str(row(spotclaim, duplicate)["duplicate_of"]) == other
    now = row(spotclaim, other)
    assert (now["status"], now["fault_count"], now["affected_user"]) == ("under_review", 3, "u-7")
    on_file = spotclaim.desk.on_file(other)
    assert ({item.kind: item.added_by for item in on_file.items}, on_file.missing) == (
        {"photo": "tess", "note": "rita"},
        [],
    )
    photo = next(item for item in on_file.items if item.kind == "photo")
    assert spotclaim.desk.file(other, photo.id)[1] == a_png()
    with pytest.raises(NotAllowed, match="rita filed this claim"):
        deciding(spotclaim)(Wanted(other), "approve", RITA)
    assert deciding(spotclaim)(Wanted(other), "approve", ANN).stage == 2
    assert [title for _, title, _ in spotclaim.notifier.sent] == ["OVER_CURRENT on spot DE*ABC*E1: duplicate"]
    spotclaim.demand_sound_chains()


def test_evidence_that_only_seems_to_have_followed_is_found(spotclaim: Spotclaim, pair: tuple[str, str]) -> None:
    """A row that was moved, and one whose author is another than the event says."""
    correcting(spotclaim).mark_duplicate(Wanted(pair[0]), pair[1], MAX, "one fault")
    spotclaim.demand_sound_chains()
    changes = (
        f"claim_id = '{pair[1]}' WHERE claim_id = '{pair[0]}'",
        f"added_by = 'max' WHERE claim_id = '{pair[1]}' AND kind = 'photo'",
        f"added_at = now() WHERE claim_id = '{pair[1]}' AND kind = 'note'",
    )
    with spotclaim.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for change in changes:
            connection.exec_driver_sql(f"UPDATE claim_evidence SET {change}")

    with open_snapshot(spotclaim.engine) as record:
        found = Counter(finding.what for finding in audit(record).findings)
    assert found == {"EVIDENCE_ALTERED": 3, "EVIDENCE_ADDED": 1}


def test_later_faults_go_where_they_always_went(spotclaim: Spotclaim, pair: tuple[str, str]) -> None:
    """One of the duplicate's error opens a claim, one of the other's counts there; no two are open for one."""
    duplicate, other = pair
    correcting(spotclaim).mark_duplicate(Wanted(duplicate), other, MAX, "one fault")

    spotclaim.take_in(faults=[a_fault(raw_code="OVER_CURRENT"), a_fault(raw_code="GROUND_FAILURE")])

    counts = {claim["id"]: claim["fault_count"] for claim in spotclaim.claims()}
    assert (len(counts), counts[duplicate], counts[other]) == (3, 2, 4)
    with pytest.raises(Conflict, match="is open for OVER_CURRENT"):
        deciding(spotclaim)(Wanted(duplicate), "reopen", MAX, "it is another")
    new = next(claim for claim in counts if claim not in pair)
    correcting(spotclaim).mark_duplicate(Wanted(new), other, MAX, "again")
    reopened = deciding(spotclaim)(Wanted(duplicate), "reopen", MAX, "it is another")
    assert (reopened.status, reopened.duplicate_of) == ("submitted", None)
    spotclaim.demand_sound_chains()


def test_of_two_that_are_marked_crosswise_at_once_one_is(spotclaim: Spotclaim, pair: tuple[str, str]) -> None:
    """Whoever comes second learns of it; many others mark the same one."""
    mark, together = correcting(spotclaim).mark_duplicate, Barrier(10, timeout=PATIENCE_SECONDS)
    versions = {claim_id: row(spotclaim, claim_id)["version"] for claim_id in pair}

    def one(number: int) -> str:
        claim_id, other = pair if number % 2 else pair[::-1]
        together.wait()
        try:
            mark(Wanted(claim_id, versions[claim_id]), other, Identity(f"m{number}", "manager"), "one fault")
        except Conflict:
            return "conflict"
        return "marked"

    with ThreadPoolExecutor(10) as pool:
        assert Counter(pool.map(one, range(10))) == {"marked": 1, "conflict": 9}
    assert sorted(claim["closed_at"] is None for claim in spotclaim.claims()) == [False, True]
    spotclaim.demand_sound_chains()
