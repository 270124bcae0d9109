"""Columns are suggestion to fields by how they are named."""

import pytest

from ingest.tables.column_names import suggestion
from ingest.tables.mapping import FIELDS


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("Charge Point ID", "spot_id"),
        ("EVSE", "spot_id"),
        ("Sesion-ID", "session_id"),
        ("Start Time", "started_at"),
        ("Energy (kWh)", "energy_kwh"),
        ("enegry_kwh", "energy_kwh"),
    ],
)
def test_a_column_like_a_field(column: str, field: str) -> None:
    """In the words of exports, and misspelt."""
    assert suggestion([column, "zzz"], FIELDS["sessions"]).endswith(f"Perhaps {column} as {field}.")


def test_columns_like_nothing() -> None:
    """Nothing is proposed, and a long header is cut."""
    text = suggestion([f"§{number}" for number in range(100)], FIELDS["spots"])
    assert "Perhaps" not in text
    assert "§39, …" in text
    assert "§40" not in text
