"""Whatever stands below a header."""

import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingest.files.importer import Importer
from ingest.tables.mapping import Record
from ingest.tables.reader import Table
from tests.unit.ingest.fuzzing import fuzzed
from tests.unit.ingest.tables.reader.reading import DUNDEE, FAULTS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.binary(max_size=400), st.sampled_from([DUNDEE, FAULTS.strip(), "spot_id,max_power_kw,warranty_until"]))
@fuzzed
def test_no_bytes_stop_an_import(content: bytes, header: str) -> None:
    """Below a sound header anything may stand: it is translated or refused, and the wire has the last word."""
    record: Record = "faults" if header.startswith("fault") else "sessions" if header == DUNDEE else "spots"
    stream = io.BufferedReader(io.BytesIO(header.encode() + b"\n" + content))
    taken = Importer(lambda _: None, lambda _: set(), lambda: NOW, lambda _: None).run(
        Table(stream, record).items()
    )
    assert taken.read == taken.accepted + taken.known + taken.refused + taken.ignored
    assert taken.read >= bool(content.strip(b"\r\n"))
