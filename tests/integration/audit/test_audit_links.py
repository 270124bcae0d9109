"""Which claim belongs to which incident is on the incidents' record: who alters it by hand is found."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.audit.archive_reader import open_archive
from adapters.audit.archive_writer import write_archive
from adapters.postgres.audit.snapshot import open_snapshot
from domain.audit.chain import instant
from domain.changes import Changes
from domain.identifiers import new_claim_id
from domain.incidents import handling as incident_handling
from domain.incidents.incident import Incident
from domain.ports.store import Transaction
from tests.builders import NOW, a_fault
from tests.integration.parts import Clock, Spotclaim
from workers.audit.findings import AuditFinding
from workers.audit.verify import audit


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    """Incidents of three spots in two zones."""
    made = set_up(clock=Clock())
    outbreak(made, "north")
    outbreak(made, "south")
    return made


def outbreak(spotclaim: Spotclaim, zone: str, *numbers: int) -> None:
    now = spotclaim.clock.now
    spotclaim.take_in(
        faults=[
            a_fault(
                spot_id=f"{zone}-{number}", zone=zone, raw_code="POWER_FAILURE", occurred_at=now, received_at=now
            )
            for number in numbers or (1, 2, 3)
        ]
    )
    spotclaim.carry_out()


def incident_in(spotclaim: Spotclaim, zone: str) -> str:
    sql = "SELECT id::text FROM incidents WHERE place = %s ORDER BY incidents.id DESC LIMIT 1"
    return str(spotclaim.value(sql, zone))


def claim_on(spotclaim: Spotclaim, spot: str) -> str:
    return str(spotclaim.value("SELECT id::text FROM claims WHERE spot_id = %s", spot))


def handle(spotclaim: Spotclaim, work: Callable[[Transaction, dict[str, Incident]], Changes]) -> None:
    with spotclaim.store.transaction() as transaction:
        ids = [row["id"] for row in spotclaim.rows("SELECT id::text FROM incidents WHERE closed_at IS NULL")]
        transaction.record(work(transaction, {it.place: it for it in transaction.incidents(ids)}))


def found(spotclaim: Spotclaim, **parts: int) -> list[AuditFinding]:
    with open_snapshot(spotclaim.engine, **parts) as record:
        return audit(record).findings


def alter(spotclaim: Spotclaim, sql: str, *parameters: Any) -> None:
    assert spotclaim.rows(f"{sql} RETURNING claim_id", *parameters)


def test_a_link_that_was_removed_is_found(spotclaim: Spotclaim) -> None:
    """And named with the incident that the claim was taken by."""
    north, claim = incident_in(spotclaim, "north"), claim_on(spotclaim, "north-2")
    assert found(spotclaim) == []

    alter(spotclaim, "DELETE FROM incident_claims WHERE claim_id = %s", claim)

    [finding] = found(spotclaim)
    assert (finding.what, finding.subject_id, finding.claim_id) == ("LINK_DIFFERS", north, claim)
    assert "belongs to none now" in finding.sentence


def test_a_link_that_was_moved_is_found(spotclaim: Spotclaim) -> None:
    """With the incident that it was moved away from."""
    north, south = incident_in(spotclaim, "north"), incident_in(spotclaim, "south")
    claim = claim_on(spotclaim, "north-1")

    alter(spotclaim, "UPDATE incident_claims SET incident_id = %s WHERE claim_id = %s", south, claim)

    [finding] = found(spotclaim)
    assert (finding.subject_id, finding.claim_id) == (north, claim)
    assert f"belongs to incident {south} now" in finding.sentence


def test_a_link_that_was_added_is_found(spotclaim: Spotclaim) -> None:
    """Whether or not there is such an incident."""
    outbreak(spotclaim, "west", 1)
    claim = claim_on(spotclaim, "west-1")
    for incident in (incident_in(spotclaim, "north"), new_claim_id()):
        alter(spotclaim, "INSERT INTO incident_claims VALUES (%s, %s)", claim, incident)
        [finding] = found(spotclaim)
        alter(spotclaim, "DELETE FROM incident_claims WHERE claim_id = %s", claim)

        assert (finding.subject_id, finding.claim_id) == (incident, claim)


def test_a_claim_belongs_to_the_last_that_took_it(spotclaim: Spotclaim) -> None:
    """One that is over loses it to the next without a word; whoever gives it back by hand is found."""
    old = incident_in(spotclaim, "north")
    spotclaim.clock.now += timedelta(hours=73)
    spotclaim.run_now("incident")
    outbreak(spotclaim, "north")
    new, claim = incident_in(spotclaim, "north"), claim_on(spotclaim, "north-1")
    assert old != new
    assert spotclaim.value("SELECT incident_id::text FROM incident_claims WHERE claim_id = %s", claim) == new
    assert found(spotclaim) == []

    alter(spotclaim, "UPDATE incident_claims SET incident_id = %s WHERE claim_id = %s", old, claim)

    assert [(finding.subject_id, finding.claim_id) for finding in found(spotclaim)] == [(new, claim)]


def test_what_people_move_is_sound_and_what_they_did_cannot_be_undone_by_hand(spotclaim: Spotclaim) -> None:
    """Taken out of one and merged into another."""
    south, claim = incident_in(spotclaim, "south"), claim_on(spotclaim, "south-3")
    policy = spotclaim.policy.incidents

    def apart(transaction: Transaction, incidents: dict[str, Incident]) -> Changes:
        own = transaction.claims_of_incident(south)
        at = incidents["south"], own, [claim], "olga", "another", policy
        return incident_handling.split(*at, NOW, new_claim_id())

    def together(transaction: Transaction, incidents: dict[str, Incident]) -> Changes:
        [one] = transaction.incidents([south])
        own = transaction.claims_of_incident(south)
        return incident_handling.merge(one, incidents["north"], own, "olga", "", NOW)

    handle(spotclaim, apart)
    handle(spotclaim, together)
    assert found(spotclaim) == []

    alter(spotclaim, "UPDATE incident_claims SET incident_id = %s WHERE incident_id <> %s", south, south)

    assert len(found(spotclaim)) == 6
    assert {finding.subject_id == south for finding in found(spotclaim)} == {False}


def test_an_incident_whose_own_record_is_broken_is_named_for_that(spotclaim: Spotclaim) -> None:
    """And not for each of its claims besides."""
    north = incident_in(spotclaim, "north")

    spotclaim.rows(
        "SET LOCAL session_replication_role = replica;"
        " UPDATE audit_events SET actor = 'eve' WHERE subject_id = %s AND seq = 1",
        north,
    )

    assert [(finding.what, finding.subject_id) for finding in found(spotclaim)] == [("EVENT_ALTERED", north)]


def test_parts_processes_and_archives_find_the_same(spotclaim: Spotclaim, tmp_path: Path) -> None:
    """A claim may be in another part of the record than its incident."""
    alter(spotclaim, "DELETE FROM incident_claims WHERE claim_id = %s", claim_on(spotclaim, "north-1"))
    with open_snapshot(spotclaim.engine, claims_in_part=2) as record:
        together = audit(record, processes=2)
    with open_snapshot(spotclaim.engine) as record:
        write_archive(record, tmp_path / "altered.tar", instant(NOW), None)
    with open_archive(tmp_path / "altered.tar", 4) as archive:
        archived = audit(archive, processes=2)

    assert found(spotclaim) == together.findings == archived.findings
    assert [finding.what for finding in together.findings] == ["LINK_DIFFERS"]


def test_an_archive_of_before_says_nothing_of_links(spotclaim: Spotclaim, tmp_path: Path) -> None:
    """It is as sound as it was."""
    with open_snapshot(spotclaim.engine) as record:
        portions = [([dict(claim) for claim in claims], list(events)) for claims, events in record.portions()]
        for claims, _ in portions:
            for claim in claims:
                claim.pop("incident_id", None)
        record.portions = lambda: iter(portions)  # type: ignore[method-assign,assignment,return-value]
        write_archive(record, tmp_path / "before.tar", instant(NOW), None)
    with open_archive(tmp_path / "before.tar") as archive:
        assert audit(archive).findings == []
