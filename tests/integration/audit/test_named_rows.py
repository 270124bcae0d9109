"""Whatever a superuser alters of the rows that events name, `audit verify` finds and names."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.postgres.audit.snapshot import open_snapshot
from domain.audit import chain as chains
from domain.evidence.file import Upload
from tests.builders import FAULT_TIME, NOW, a_clear, a_fault, a_png, a_usage_record
from tests.integration.parts import Spotclaim
from workers.audit.findings import Result
from workers.audit.verify import audit

HOUR = timedelta(hours=1)
PHOTO = Upload(a_png(), "meter.png", "image/png")
BEHIND = "SET LOCAL session_replication_role = replica"
OTHER_CLAIM = "(SELECT id FROM claims WHERE spot_id = 'E2')"
OF_E1 = "claim_id = (SELECT id FROM claims WHERE spot_id = 'E1')"

TAMPERINGS = {
    "a fault is deleted": (f"DELETE FROM faults WHERE {OF_E1}", "FAULT_REMOVED"),
    "a fault is moved": (f"UPDATE faults SET claim_id = {OTHER_CLAIM} WHERE {OF_E1}", "FAULT_ALTERED"),
    "a fault is taken away": (f"UPDATE faults SET claim_id = NULL WHERE {OF_E1} AND NOT cleared", "FAULT_ALTERED"),
    "a fault's spot": (f"UPDATE faults SET spot_id = 'E3' WHERE {OF_E1}", "FAULT_ALTERED"),
    "a fault's code": (f"UPDATE faults SET code = 'OTHER' WHERE {OF_E1}", "FAULT_ALTERED"),
    **{
        f"a fault's {column}": (
            f"UPDATE faults SET {column} = {value} WHERE {OF_E1} AND NOT cleared",
            "FAULT_ALTERED",
        )
        for column, value in {
            "source": "'eve'",
            "occurred_at": "occurred_at + interval '1 microsecond'",
            "description": "''",
            "affected_user": "'eve'",
            "session_id": "'s'",
            "reservation_id": "'r'",
            "raw_code": "'Other'",
            "severity_hint": "'low'",
            "evidence": """'[{"kind": "note", "text": "x"}]'""",
            "filed_by": "'eve'",
            "unknown": "'{}'",
        }.items()
    },
    "an item is deleted": ("DELETE FROM claim_evidence WHERE kind = 'note'", "EVIDENCE_REMOVED"),
    "an item is moved": (f"UPDATE claim_evidence SET claim_id = {OTHER_CLAIM}", "EVIDENCE_ALTERED"),
    "an item's kind": ("UPDATE claim_evidence SET kind = 'document' WHERE kind = 'photo'", "EVIDENCE_ALTERED"),
    "an item's text": ("UPDATE claim_evidence SET content = content || ' '", "EVIDENCE_ALTERED"),
    "an item's author": ("UPDATE claim_evidence SET added_by = 'eve'", "EVIDENCE_ALTERED"),
    "an item's time": (
        "UPDATE claim_evidence SET added_at = added_at + interval '1 microsecond'",
        "EVIDENCE_ALTERED",
    ),
    "a withdrawal": (
        "UPDATE claim_evidence SET withdrawn_at = NULL, withdrawn_by = NULL WHERE withdrawn_at IS NOT NULL",
        "EVIDENCE_ALTERED",
    ),
    "who withdrew it": ("UPDATE claim_evidence SET withdrawn_by = 'eve'", "EVIDENCE_ALTERED"),
    "an item is slipped in": (
        "INSERT INTO claim_evidence (id, claim_id, kind, added_at, added_by, content)"
        " SELECT gen_random_uuid(), claim_id, kind, added_at, added_by, content FROM claim_evidence LIMIT 1",
        "EVIDENCE_ADDED",
    ),
    "a usage record is deleted": ("DELETE FROM usage_records", "USAGE_REMOVED"),
    **{
        f"a usage record's {column}": (f"UPDATE usage_records SET {column} = {value}", "USAGE_ALTERED")
        for column, value in {
            "spot_id": "'E2'",
            "session_id": "'other'",
            "connector_id": "2",
            "started_at": "started_at - interval '1 minute'",
            "ended_at": "NULL",
            "energy_kwh": "11",
            "meter_start_kwh": "0",
            "meter_stop_kwh": "0",
            "periods_kwh": "1",
            "reservation_id": "'r'",
            '"user"': "'eve'",
            "signed": "replace(signed::text, '3044', '3045')::jsonb",
            "samples": "'[{}]'",
            "stop_reason": "'Local'",
            "findings": "'{}'",
            "recorded_at": "recorded_at + interval '1 microsecond'",
            "under_way": "NOT under_way",
            "takes_back": "NOT takes_back",
        }.items()
    },
    "a file's bytes": ("UPDATE evidence_files SET content = 'x'", "FILE_DIFFERS"),
    "a file is deleted": ("DELETE FROM evidence_files", "FILE_DIFFERS"),
}


@pytest.fixture
def filed(spotclaim: Spotclaim) -> Spotclaim:
    """Two claims over several faults; one with a verdict, a photo, two notes and a stray clear."""
    spotclaim.take_in(faults=[a_clear(spot_id="E1", occurred_at=NOW)])
    spotclaim.take_in(faults=[a_fault(spot_id="E1"), a_fault(spot_id="E2")])
    spotclaim.take_in(faults=[a_fault(spot_id="E1"), a_clear(spot_id="E1", occurred_at=NOW)])
    running = {"started_at": FAULT_TIME - HOUR, "ended_at": FAULT_TIME + HOUR}
    signed = [{"text": 'OCMF|{"RD":[]}|{"SD":"3044"}'}, {"text": "Zähler 7", "format": "ALFEN"}]
    figures = {"energy_kwh": -3.0, "findings": ["NEGATIVE_ENERGY"], "signed": signed}
    spotclaim.take_in(usage=[a_usage_record(spot_id="E1", **running, **figures)])
    spotclaim.carry_out()
    claim_id = spotclaim.value("SELECT id::text AS id FROM claims WHERE spot_id = 'E1'")
    spotclaim.desk.add(claim_id, "photo", who="technician", role="operator", upload=PHOTO)
    spotclaim.desk.add(claim_id, "note", who="technician", role="operator", note="seen")
    wrong, _ = spotclaim.desk.add(claim_id, "note", who="technician", role="operator", note="wrong")
    spotclaim.desk.withdraw(claim_id, wrong.id, who="technician", role="operator", reason="wrong")
    return spotclaim


def verified(engine: Engine, *, claims_in_part: int = 1000, files_inside: bool = True) -> Result:
    with open_snapshot(engine, claims_in_part, files_inside=files_inside) as record:
        return audit(record)


def test_untouched_rows_are_sound(filed: Spotclaim, engine: Engine) -> None:
    """A clear that came before its fault belongs to no claim by its row, and is no tampering."""
    result = verified(engine)

    assert result.findings == []
    assert result.rows == 5 + 1 + 3


@pytest.mark.parametrize("way", TAMPERINGS)
def test_what_is_altered_is_named(filed: Spotclaim, engine: Engine, way: str) -> None:
    """By a superuser, who goes round triggers; the claim is named, and in parts as in one."""
    statement, what = TAMPERINGS[way]
    claim_id = filed.value("SELECT id::text AS id FROM claims WHERE spot_id = 'E1'")
    filed.rows(f"{BEHIND}; {statement}")

    result = verified(engine)

    named = {(what, claim_id)}
    if way == "an item is moved":
        named |= {("EVIDENCE_ADDED", filed.value("SELECT id::text AS id FROM claims WHERE spot_id = 'E2'"))}
    assert {(finding.what, finding.subject_id) for finding in result.findings} == named
    assert set(verified(engine, claims_in_part=1).findings) == set(result.findings)


def rewrite(filed: Spotclaim, kind: str, change: Callable[[dict[str, Any]], object]) -> tuple[str, int]:
    """Rewrites the body of the first event of a kind, with right hashes; returns its claim and number."""
    claim_id = filed.value("SELECT id::text AS id FROM claims WHERE spot_id = 'E1'")
    chain = filed.rows("SELECT * FROM audit_events WHERE subject_id = %s ORDER BY seq", claim_id)
    first = next(event for event in chain if event["kind"] == kind)
    body = json.loads(first["body"])
    change(body)
    first["body"], head = json.dumps(body), chains.GENESIS
    for event in chain:
        at, seq = chains.instant(event["at"]), event["seq"]
        head = chains.link(head, claim_id, seq, at, event["actor"], event["kind"], event["body"])
        write = "UPDATE audit_events SET body = %s, hash = decode(%s, 'hex') WHERE subject_id = %s AND seq = %s"
        filed.rows(f"{BEHIND}; {write}", event["body"], head, claim_id, seq)
    filed.rows("UPDATE claims SET head = decode(%s, 'hex') WHERE id = %s", head, claim_id)
    return claim_id, int(first["seq"])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("claim.verified", lambda body: [answer.pop("facts") for answer in body["answers"]]),
        ("claim.verified", lambda body: body.update(answers=["nothing"])),
        ("claim.verified", lambda body: body["answers"][-1]["facts"].update(key="no id")),
        ("claim.opened", lambda body: body.update(faults=["'"])),
        ("claim.opened", lambda body: body.update(faults=7)),
        ("claim.opened", lambda body: body.pop("faults")),
        ("claim.evidence_added", lambda body: body.update(id="no id")),
    ],
)
def test_a_body_that_lacks_what_its_kind_states_is_named(
    filed: Spotclaim, engine: Engine, kind: str, change: Callable[[dict[str, Any]], object]
) -> None:
    """Also where it was rewritten with right hashes, so that only what it says is wrong."""
    claim_id, seq = rewrite(filed, kind, change)

    found = [(finding.what, finding.subject_id, finding.seq) for finding in verified(engine).findings]

    assert ("EVENT_UNREADABLE", claim_id, seq) in found


def test_files_outside_are_not_missed(filed: Spotclaim, engine: Engine) -> None:
    """Where another store keeps them, the database has none."""
    filed.rows(f"{BEHIND}; DELETE FROM evidence_files")

    assert verified(engine, files_inside=False).clean
