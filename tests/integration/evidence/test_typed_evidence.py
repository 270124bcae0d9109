"""The database takes no evidence that lacks what its kind needs, and counts none that is there already."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from adapters.postgres.engine import connect
from adapters.postgres.migrations import migrate
from domain.errors import EvidenceRefused
from domain.policy.policy import EVIDENCE_KINDS
from tests.builders import a_claim, a_fault, a_piece, a_policy
from tests.integration.parts import Spotclaim
from tests.unit.domain.evidence.pieces import REFUSED, SOUND

ITEM = """
INSERT INTO claim_evidence (id, claim_id, kind, added_at, added_by, content)
VALUES (gen_random_uuid(), %s, %s, now(), 'behind', %s)
"""
FAULT = """
INSERT INTO faults (key, source, message_id, claim_id, spot_id, connector_id, code, taxonomy, raw_code, cleared,
    occurred_at, received_at, time_quality, evidence)
VALUES (gen_random_uuid(), 'behind', 'm', %s, 'E1', 0, 'OTHER', 'spotclaim', 'OTHER', false, now(), now(),
    'stated', %s::jsonb)
"""


def behind(engine: Engine, statement: str, *parameters: Any) -> None:
    """Somebody writes into the database, past everything else."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement, parameters)


def data_of(piece: dict[str, Any]) -> dict[str, Any]:
    """The content of an item that holds the same as a piece that came with a fault."""
    data = {name: value for name, value in piece.items() if name != "kind"}
    return {"note": data.pop("text")} if piece["kind"] == "note" else {"data": data}


@pytest.mark.parametrize("pieces", [[], SOUND, *([piece] for piece in SOUND)])
def test_the_database_takes_what_the_domain_takes(spotclaim: Spotclaim, pieces: list[dict[str, Any]]) -> None:
    """With faults and as items."""
    behind(spotclaim.engine, FAULT, a_claim().id, json.dumps(pieces))
    for piece in pieces:
        behind(spotclaim.engine, ITEM, a_claim().id, piece["kind"], json.dumps(data_of(piece)))


@pytest.mark.parametrize("piece", [*REFUSED, *({"kind": kind} for kind in EVIDENCE_KINDS), {"kind": "rumour"}])
def test_the_database_refuses_what_the_domain_refuses(spotclaim: Spotclaim, piece: dict[str, Any]) -> None:
    """Also beside what is sound; and nobody makes it so afterwards."""
    claim_id = a_claim().id
    content = data_of(piece) if "text" in piece or piece["kind"] != "note" else {}
    for statement, *parameters in (
        (FAULT, claim_id, json.dumps([a_piece("note"), piece])),
        (ITEM, claim_id, piece["kind"], json.dumps(content)),
    ):
        with pytest.raises(DBAPIError, match="evidence lacks what its kind needs"):
            behind(spotclaim.engine, statement, *parameters)
    behind(spotclaim.engine, FAULT, claim_id, "[]")
    with pytest.raises(DBAPIError, match="evidence lacks what its kind needs"):
        behind(spotclaim.engine, "UPDATE faults SET evidence = %s::jsonb", json.dumps([piece]))


@pytest.mark.parametrize("evidence", ['[["note"]]', '["note"]', "[null]", '{"kind": "note", "text": "x"}'])
def test_evidence_of_a_fault_is_a_list_of_objects(spotclaim: Spotclaim, evidence: str) -> None:
    with pytest.raises(DBAPIError):
        behind(spotclaim.engine, FAULT, a_claim().id, evidence)


def test_a_file_makes_a_photo(spotclaim: Spotclaim) -> None:
    """And nothing else; a note makes only a note."""
    file = {"file": {"name": "a.png", "media_type": "image/png", "size": 1, "sha256": "ab" * 32}}
    behind(spotclaim.engine, ITEM, a_claim().id, "photo", json.dumps(file))
    for kind in ("meter_reading", "session"):
        with pytest.raises(DBAPIError):
            behind(spotclaim.engine, ITEM, a_claim().id, kind, json.dumps(file | {"note": "seen"}))


def test_what_is_on_file_from_before_stays_and_counts_for_nothing(empty_database_url: str) -> None:
    """It is listed, can be withdrawn, and satisfies no demand."""
    migrate(empty_database_url, to="0022")
    engine = connect(empty_database_url)
    claim = a_claim()
    old = [{"kind": "photo"}, {"kind": "meter_reading", "x": "lol"}, a_piece("session")]
    behind(engine, FAULT, claim.id, json.dumps(old))
    for kind in ("meter_reading", "reservation_response"):
        behind(engine, ITEM, claim.id, kind, json.dumps({"note": "as it was"}))

    migrate(empty_database_url)

    spotclaim = Spotclaim(engine)
    spotclaim.put_on_record(claim)
    with spotclaim.store.transaction() as transaction:
        assert [piece.data for piece in transaction.reported_evidence(claim.id)] == old
        item, *_ = items = transaction.evidence(claim.id)
        assert transaction.evidence_kinds([claim.id]) == {claim.id: {"session"}}
    assert [each.parts["note"] for each in items] == ["as it was"] * 2
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE faults SET claim_id = claim_id")
    spotclaim.desk.withdraw(claim.id, item.id, who="technician", role="operator", reason="empty")
    engine.dispose()


def test_an_old_message_that_was_under_way_goes_to_quarantine(spotclaim: Spotclaim) -> None:
    """It was decoded before the rule; its neighbours are not held up."""
    spotclaim.take_in(faults=[a_fault(spot_id="E1", evidence=[{"kind": "photo"}]), a_fault(spot_id="E2")])

    assert [claim["spot_id"] for claim in spotclaim.claims()] == ["E2"]
    assert spotclaim.value("SELECT count(*) FROM quarantine") == 1


def test_nothing_in_it_is_no_evidence(set_up: Callable[..., Spotclaim]) -> None:
    """So it is refused, and what is demanded stays missing until it is there."""
    policy = a_policy()
    code = replace(policy.codes["METER_MISREAD"], evidence=("meter_reading",))
    spotclaim = set_up(policy=replace(policy, codes={**policy.codes, "METER_MISREAD": code}))
    spotclaim.take_in(faults=[a_fault()])
    claim_id = spotclaim.claims()[0]["id"]

    for parts in ({}, {"data": {"x": "lol"}}, {"note": "18234.5 kWh"}):
        with pytest.raises(EvidenceRefused) as refused:
            spotclaim.desk.add(claim_id, "meter_reading", who="technician", role="operator", **parts)
        assert refused.value.pointer == "/data/register"
    assert spotclaim.desk.on_file(claim_id).missing == ["meter_reading"]

    reading = data_of(a_piece("meter_reading"))["data"]
    spotclaim.desk.add(claim_id, "meter_reading", who="technician", role="operator", data=reading)
    assert spotclaim.desk.on_file(claim_id).missing == []
