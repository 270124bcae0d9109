"""A table that is imported again changes nothing in the real store, and the tally says why."""

import io
from collections.abc import Iterator

import pytest

from adapters.postgres.field.known_messages import KnownMessages
from domain.errors import TransientError
from domain.field.batch import Batch
from ingest.files.importer import Importer, ImportTally
from ingest.files.items import Item
from ingest.tables.mapping import Record
from ingest.tables.reader import Table
from tests.integration.parts import Spotclaim

SESSIONS = ["spot_id,session_id,started_at,ended_at,energy_kwh,zone\n"] + [
    f"S{number % 3},{number},2025-03-{number % 28 + 1:02}T10:00:00Z,,{number}.5,Harbour\n" for number in range(50)
]
FAULTS = [
    "spot_id,code,occurred_at,taxonomy,cleared\n",
    "S1,METER_MISREAD,2025-03-05T10:00:00Z,,\n",
    "S1,GroundFailure,2025-03-05T11:00:00Z,ocpp1.6,\n",
    "S1,GroundFailure,2025-03-05T12:00:00Z,ocpp1.6,yes\n",
    ",GroundFailure,2025-03-05T12:00:00Z,ocpp1.6,\n",
]


def imported(spotclaim: Spotclaim, record: Record, lines: list[str], batch_size: int = 7) -> ImportTally:
    return importer(spotclaim, batch_size).run(items(record, lines))


def importer(spotclaim: Spotclaim, batch_size: int = 7) -> Importer:
    known = KnownMessages(spotclaim.engine)
    return Importer(spotclaim.intake, known, spotclaim.clock, lambda _: None, batch_size)


def items(record: Record, lines: list[str]) -> Iterator[Item]:
    return Table(io.BufferedReader(io.BytesIO("".join(lines).encode())), record).items()


def everything(spotclaim: Spotclaim) -> list[object]:
    """All that an import may have changed."""
    tables = ("usage_records", "spots", "faults", "claims", "quarantine", "audit_events")
    return [spotclaim.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_sessions_twice(spotclaim: Spotclaim, batch_size: int) -> None:
    """Whatever the batches: every row is known the second time, and nothing is written."""
    # Given a table that was imported
    first = imported(spotclaim, "sessions", SESSIONS, batch_size)
    before = everything(spotclaim)
    # When it is imported again
    again = imported(spotclaim, "sessions", SESSIONS, batch_size)
    # Then nothing changed
    assert first == ImportTally(read=50, accepted=50)
    assert again == ImportTally(read=50, known=50)
    assert everything(spotclaim) == before


def test_faults_twice(spotclaim: Spotclaim) -> None:
    """Claims are opened once, and a refused row is in quarantine once, with its text and its number."""
    first = imported(spotclaim, "faults", FAULTS)
    before = everything(spotclaim)
    again = imported(spotclaim, "faults", FAULTS)

    assert first == ImportTally(read=4, accepted=3, refused=1)
    assert again == ImportTally(read=4, known=3, refused=1)
    assert everything(spotclaim) == before
    assert {claim["code"] for claim in spotclaim.claims()} == {"METER_MISREAD", "GROUND_FAILURE"}
    [kept] = spotclaim.rows("SELECT sentence, body, times FROM quarantine")
    assert kept["sentence"] == "Row 5: Column spot_id (spot_id) is empty."
    assert (bytes(kept["body"]), kept["times"]) == (FAULTS[-1].encode(), 1)


def test_an_import_that_broke_off_is_resumed_by_repeating_it(spotclaim: Spotclaim) -> None:
    """What was durable is skipped, the rest goes in, and the two tallies add up."""
    # Given an import of which the third batch failed
    handed_over: list[Batch] = []

    def fail_at_the_third(batch: Batch) -> None:
        if len(handed_over) == 2:
            raise TransientError("away")
        spotclaim.intake(batch)
        handed_over.append(batch)

    known = KnownMessages(spotclaim.engine)
    broken = Importer(fail_at_the_third, known, spotclaim.clock, lambda _: None, 10)
    with pytest.raises(TransientError):
        broken.run(items("sessions", SESSIONS))
    # When it is repeated
    resumed = imported(spotclaim, "sessions", SESSIONS)
    # Then the rows that were called accepted are known, and the others accepted
    assert broken.tally.accepted > 0
    assert resumed == ImportTally(read=50, known=broken.tally.accepted, accepted=50 - broken.tally.accepted)
    assert spotclaim.value("SELECT count(*) FROM usage_records") == 50


def test_a_value_that_could_not_be_read_is_kept_with_its_record(spotclaim: Spotclaim) -> None:
    """As the table had it, and as a finding."""
    lines = ["spot_id,session_id,started_at,energy_kwh\n", "S1,1,2025-03-05T10:00:00Z,broken\n"]
    assert imported(spotclaim, "sessions", lines) == ImportTally(read=1, accepted=1)

    [kept] = spotclaim.rows("SELECT energy_kwh, findings, samples FROM usage_records")
    assert kept["energy_kwh"] is None
    assert kept["findings"] == ["ENERGY_MISSING", "END_MISSING", "VALUE_UNREADABLE"]
    assert kept["samples"] == [{"unreadable": "energy_kwh", "text": "broken"}]
