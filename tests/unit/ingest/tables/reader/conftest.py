from pathlib import Path
from typing import Any

import pytest

from ingest.files.items import Item
from tests.unit.ingest.tables.reader.reading import table


@pytest.fixture
def mapped(tmp_path: Path) -> Any:
    """Reads one session row by a mapping given as YAML lines."""
    columns = "columns: {spot: spot_id, session: session_id, start: started_at, kwh: energy_kwh}"

    def read(header: str, row: str, *more: str) -> Item:
        file = tmp_path / "own.yaml"
        own = [] if any(line.startswith("columns:") for line in more) else [columns]
        file.write_text("\n".join(["name: own", "record: sessions", *own, *more]))
        [item] = table("sessions", [f"{header}\n", f"{row}\n"], str(file)).items()
        return item

    return read
