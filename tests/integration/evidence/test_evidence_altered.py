"""Evidence that somebody alters behind the application's back: refused, or found before anything is approved."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from adapters.postgres.field.reconciliation import ReconciliationQueries
from domain.errors import Conflict
from domain.evidence.item import compose, digest
from tests.builders import a_claim, a_claim_under_review, an_item
from tests.integration.evidence.test_evidence import PHOTO, a_recorded, by, present
from tests.integration.parts import Spotclaim


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE claim_evidence SET content = '{}'",
        "UPDATE claim_evidence SET kind = 'document', withdrawn_at = now()",
        "UPDATE claim_evidence SET claim_id = id",
        "DELETE FROM claim_evidence",
        "TRUNCATE claim_evidence",
        "UPDATE evidence_files SET content = 'x'",
        "DELETE FROM evidence_files",
        "TRUNCATE evidence_files",
    ],
)
def test_what_was_filed_stays(spotclaim: Spotclaim, statement: str) -> None:
    """Not even the owner changes it by a slip; and what was withdrawn is not taken back."""
    claim = a_recorded(spotclaim, a_claim())
    by(spotclaim, "technician", claim, "photo", upload=PHOTO)

    with pytest.raises(DBAPIError, match="evidence is"):
        spotclaim.rows(statement)


def test_a_withdrawal_is_not_taken_back(spotclaim: Spotclaim) -> None:
    """Who wants it to count again files it again."""
    claim = a_recorded(spotclaim, a_claim())
    item_id, _ = by(spotclaim, "technician", claim, note="x")
    spotclaim.desk.withdraw(claim.id, item_id, who="technician", role="operator", reason="wrong")

    with pytest.raises(DBAPIError, match="evidence is added and withdrawn"):
        spotclaim.rows("UPDATE claim_evidence SET withdrawn_at = NULL")


BEHIND = "SET LOCAL session_replication_role = replica"
SLIPPED_IN = (
    "INSERT INTO claim_evidence (id, claim_id, kind, added_at, added_by, content)"
    " SELECT gen_random_uuid(), claim_id, 'document', now(), 'technician', content FROM claim_evidence"
)


@pytest.mark.parametrize(
    "tampering",
    [
        SLIPPED_IN,
        f"{BEHIND}; DELETE FROM claim_evidence",
        f"{BEHIND}; UPDATE claim_evidence SET content = replace(content, 'meter', 'other')",
        f"{BEHIND}; UPDATE claim_evidence SET kind = 'document'",
        f"{BEHIND}; UPDATE claim_evidence SET id = gen_random_uuid()",
        "UPDATE claim_evidence SET withdrawn_at = now()",
        "UPDATE claims SET evidence_digest = decode('00', 'hex')",
    ],
)
@pytest.mark.parametrize("change", [{"status": "approved"}, {"stage": 2}], ids=["approval", "stage"])
def test_nothing_is_approved_on_altered_evidence(
    spotclaim: Spotclaim, tampering: str, change: dict[str, Any]
) -> None:
    """Whoever alters rows behind the application's back, also as a superuser, stops every approval."""
    claim = a_recorded(spotclaim, a_claim_under_review("reviewer", "manager"))
    by(spotclaim, "technician", claim, "photo", upload=PHOTO)
    spotclaim.rows(tampering)
    seen = present(spotclaim, claim)

    with pytest.raises(Conflict, match="nobody can approve it"):
        spotclaim.record(replace(seen, **change))

    assert ReconciliationQueries(spotclaim.engine).claims_off_their_evidence() == 1
    spotclaim.record(replace(seen, status="rejected"))


@pytest.mark.parametrize("withdrawn", [False, True])
def test_an_approval_rests_on_what_is_there(spotclaim: Spotclaim, withdrawn: bool) -> None:
    """Evidence as it was filed and withdrawn stops nobody, nor does none at all."""
    claim = a_recorded(spotclaim, a_claim_under_review("reviewer", "manager"))
    bare = a_recorded(spotclaim, a_claim_under_review(spot_id="E2"))
    item_id, _ = by(spotclaim, "technician", claim, "photo", upload=PHOTO)
    if withdrawn:
        spotclaim.desk.withdraw(claim.id, item_id, who="technician", role="operator", reason="wrong")

    spotclaim.record(replace(present(spotclaim, claim), stage=2), replace(bare, status="approved"))
    spotclaim.record(replace(present(spotclaim, claim), status="approved"))

    assert ReconciliationQueries(spotclaim.engine).claims_off_their_evidence() == 0
    assert [row["status"] for row in spotclaim.claims()] == ["approved", "approved"]


def test_an_approval_may_bring_its_own_evidence(spotclaim: Spotclaim) -> None:
    """One transaction writes the item first and the claim after it."""
    claim = a_recorded(spotclaim, a_claim_under_review())
    item = an_item(claim, kind="note", content=compose("note", note="inspected"))

    approved = replace(claim, status="approved", evidence_digest=digest([item]))
    spotclaim.record(approved, item)

    assert present(spotclaim, claim).status == "approved"
