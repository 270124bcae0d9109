"""Migration 0020: every claim and incident is stated in full on its chain, and what was broken stays found."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Engine

from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.migrations import migrate
from adapters.postgres.store import PostgresStore
from domain.audit import chain
from domain.audit.chain import AuditEvent, instant
from domain.claims.claim import Claim
from domain.claims.events import ClaimRestated
from domain.events import Subject
from domain.identifiers import new_claim_id
from domain.incidents.events import IncidentRestated
from domain.incidents.incident import Incident
from tests.builders import FAULT_TIME, NOW, a_claim, a_claim_under_review, an_incident
from workers.audit.findings import Result
from workers.audit.sequencer import Sequencer
from workers.audit.verify import audit

# Columns that no chain of before could have stated.
ADDED_LATER = {"site", "model", "firmware", "number", "duplicate_of"}


def recorded(subject: Subject, *kinds: str) -> list[AuditEvent]:
    """The chain of a subject whose row says more than its events state, as they did until then."""
    return [chain.append(subject, NOW, "actor", kind, _BODIES[kind](subject)) for kind in kinds]


def _opened(claim: Any) -> dict[str, Any]:
    return {
        "spot_id": claim.spot_id,
        "code": claim.code,
        "severity": claim.severity,
        "connector_id": claim.connector_id,
        "policy": claim.policy_version,
        "faults": [],
        **_counted(claim),
    }


def _counted(claim: Any) -> dict[str, Any]:
    return {
        "faults": [],
        "fault_count": claim.fault_count,
        "first_seen_at": instant(claim.first_seen_at),
        "last_seen_at": instant(claim.last_seen_at),
        "cleared_at": None,
    }


def _incident_opened(incident: Any) -> dict[str, Any]:
    stated = ("code", "kind", "place", "threshold", "told_peak", "claim_count", "peak")
    moments = {name: instant(getattr(incident, name)) for name in ("first_seen_at", "last_seen_at")}
    return {name: getattr(incident, name) for name in stated} | moments | {"claims": []}


_BODIES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "claim.opened": _opened,
    "claim.faults_counted": _counted,
    "incident.opened": _incident_opened,
    "incident.quiet": lambda _: {},
}


def put(older: Engine, table: str, subjects: Sequence[Subject], events: Iterable[AuditEvent]) -> None:
    """Stores rows and events as they are in the older schema, and that the events wait for their positions."""
    rows = [asdict(subject) for subject in subjects]
    for row in rows:
        row |= {name: f"\\x{row[name]}" for name in ("head", "evidence_digest") if name in row}
    chains = [[it.subject_id, it.seq, it.at, it.actor, it.kind, it.body, it.hash] for it in events]
    with older.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)",
            (orjson.dumps(rows).decode(),),
        )
        connection.exec_driver_sql(
            "INSERT INTO audit_events (claim_id, seq, at, actor, kind, body, hash)"
            " SELECT (r->>0)::uuid, (r->>1)::integer, (r->>2)::timestamptz, r->>3, r->>4, r->>5,"
            " decode(r->>6, 'hex') FROM jsonb_array_elements(%s::jsonb) AS r",
            (orjson.dumps(chains).decode(),),
        )
        connection.exec_driver_sql("INSERT INTO audit_pending (claim_ids) SELECT array_agg(id) FROM " + table)


def a_full_claim() -> Claim:
    """No column has the value that it begins with."""
    return a_claim_under_review(
        "reviewer",
        "manager",
        spot_id='E"1\\ ü',
        connector_id=2,
        zone="north",
        affected_user="u",
        reservation_id="r",
        session_id="s",
        filed_by="rita",
        also_filed_by=["max", "the \\ 'other'\n"],
        cleared_at=NOW.replace(microsecond=1),
        closed_at=NOW,
        four_eyes=True,
        stage_hours=36.5,
        approved_by=["olga"],
        escalated_to="manager",
        reopened=1,
        verdict_seq=1,
        time_zone="Asia/Kolkata",
        acknowledge_due_at=NOW + timedelta(hours=4),
        acknowledged_at=NOW,
        pauses=[FAULT_TIME, NOW],
        sla_alerts=["acknowledge.warned"],
        evidence_digest="ab" * 32,
    )


def a_full_incident() -> Incident:
    return an_incident(
        status="closed",
        acknowledged_at=NOW,
        root_cause="A fuse.",
        closed_at=NOW,
        closed_why="merged",
        merged_into=new_claim_id(),
        split_from=new_claim_id(),
    )


def verified(engine: Engine) -> Result:
    sequencer = Sequencer(AuditLog(engine))
    while sequencer.run_once().events:
        pass
    with open_snapshot(engine) as record:
        return audit(record)


def last_event(engine: Engine, subject_id: str) -> dict[str, Any]:
    with engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT seq, actor, kind, body, subject_kind FROM audit_events WHERE subject_id = %s"
            " ORDER BY seq DESC LIMIT 1",
            (subject_id,),
        ).mappings()
        return dict(row.one())


def test_every_claim_and_incident_is_restated_once(older: Engine, empty_database_url: str) -> None:
    """Whatever their rows say and their events did not; more than one portion of them."""
    claim, incident = a_full_claim(), a_full_incident()
    many = [claim, *(a_claim(spot_id=f"E{number}") for number in range(1000))]
    events = [event for one in many for event in recorded(one, "claim.opened", "claim.faults_counted")]
    put(older, "claims", many, events)
    put(older, "incidents", [incident], recorded(incident, "incident.opened", "incident.quiet"))

    migrate(empty_database_url)

    with PostgresStore(older).transaction() as transaction:
        [claim_now], [incident_now] = transaction.claims([claim.id]), transaction.incidents([incident.id])
    restated = {"seq": 3, "actor": "migration:0020"}
    for now, before, stated in (
        (claim_now, claim, ClaimRestated.of(claim)),
        (incident_now, incident, IncidentRestated.of(incident)),
    ):
        kind = {"kind": stated.KIND, "subject_kind": stated.KIND.partition(".")[0]}
        event = last_event(older, before.id)
        known_then = {name: value for name, value in stated.body().items() if name not in ADDED_LATER}
        assert event | {"body": json.loads(event["body"])} == restated | kind | {"body": known_then}
        assert asdict(now) == asdict(before) | {"version": 3, "head": now.head}
    result = verified(older)
    assert (result.findings, result.claims, result.events, result.not_in_log) == ([], 1002, 3006, 0)


def test_what_is_altered_from_then_on_is_found(older: Engine, empty_database_url: str) -> None:
    """Though no event of before ever stated it."""
    changes = {
        "claims": {"filed_by": "NULL", "pauses": "'{}'", "approved_by": "'{}'", "also_filed_by": "'{}'"},
        "incidents": {"split_from": "NULL", "root_cause": "'Nobody knows.'"},
    }
    claims = [a_full_claim() for _ in changes["claims"]]
    incidents = [a_full_incident() for _ in changes["incidents"]]
    put(older, "claims", claims, [event for it in claims for event in recorded(it, "claim.opened")])
    put(older, "incidents", incidents, [event for it in incidents for event in recorded(it, "incident.opened")])
    migrate(empty_database_url)

    expected = {}
    with older.begin() as connection:
        for table, subjects in (("claims", claims), ("incidents", incidents)):
            for (column, value), subject in zip(changes[table].items(), subjects, strict=True):
                connection.exec_driver_sql(f"UPDATE {table} SET {column} = {value} WHERE id = %s", (subject.id,))
                expected[subject.id] = ("ROW_DIFFERS", 2, f"Its events do not lead to its present {column}.")

    found = verified(older).findings
    assert {it.subject_id: (it.what, it.seq, it.sentence) for it in found} == expected


def test_chains_that_were_broken_before_stay_found(older: Engine, empty_database_url: str) -> None:
    """The migration hides nothing: what does not lead to its row is not restated, and what was altered shows."""
    altered, shortened, longer, headless, bare, sound = (a_claim(spot_id=f"E{n}") for n in range(6))
    incident = an_incident()
    two = ("claim.opened", "claim.faults_counted")
    chains = {claim.id: recorded(claim, *two) for claim in (altered, shortened, longer, headless, sound)}
    chains[incident.id] = recorded(incident, "incident.opened", "incident.quiet")
    chains[altered.id][0].actor = "eve"
    del chains[shortened.id][1], chains[incident.id][1]
    longer.version, longer.head = 1, chains[longer.id][0].hash
    headless.head = "00" * 32
    bare.version = 1
    events = [event for events in chains.values() for event in events]
    put(older, "claims", [altered, shortened, longer, headless, bare, sound], events)
    put(older, "incidents", [incident], [])

    migrate(empty_database_url)

    found = {finding.subject_id: (finding.what, finding.seq) for finding in verified(older).findings}
    assert found == {
        altered.id: ("EVENT_ALTERED", 1),
        shortened.id: ("TAIL_REMOVED", 2),
        longer.id: ("EVENT_ADDED", 2),
        headless.id: ("HEAD_DIFFERS", 2),
        bare.id: ("CHAIN_REMOVED", 1),
        incident.id: ("TAIL_REMOVED", 2),
    }
    restated = {it.id for it in (altered, sound) if last_event(older, it.id)["kind"] == "claim.restated"}
    assert restated == {altered.id, sound.id}
    assert last_event(older, longer.id)["kind"] == "claim.faults_counted"
