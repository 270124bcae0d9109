"""Rows of spots become registrations."""

from ingest.files.items import Translated
from tests.unit.ingest.tables.reader.reading import refusal, table


def test_columns_by_our_own_names() -> None:
    """Any of the fields, in any order; only spot_id has to be there."""
    # Given a spot with its warranty and place
    lines = [
        "warranty_until,spot_id,latitude,longitude,max_power_kw,notes\n",
        "2027-03-31,S1,56.46,-2.97,22,new\n",
    ]
    # When it is read
    [item] = table("spots", lines).items()
    # Then it is registered without a time: the moment of import counts
    assert item == Translated(
        [
            {
                "specversion": "1.0",
                "source": "table:spots",
                "id": "S1",
                "type": "spotclaim.spot.registered.v1",
                "data": {
                    "spot_id": "S1",
                    "warranty_until": "2027-03-31",
                    "max_power_kw": 22.0,
                    "location": {"latitude": 56.46, "longitude": -2.97},
                },
            }
        ]
    )


def test_a_row_without_its_spot() -> None:
    """There is nothing to register."""
    [item] = table("spots", ["spot_id,site\n", ",Lochee\n"]).items()
    assert refusal(item)[0] == "MISSING_FIELD"


def test_a_detail_that_cannot_be_read() -> None:
    """A registration has no place to keep it, so the row waits in quarantine."""
    [item] = table("spots", ["spot_id,max_power_kw\n", "S1,strong\n"]).items()
    assert refusal(item) == (
        "INVALID_FIELD",
        "Column max_power_kw (max_power_kw): 'strong' is no number with the decimal sign '.'.",
    )


def test_blank_lines_are_no_rows() -> None:
    """Files end with them."""
    assert len(list(table("spots", ["spot_id,site\n", "\n", "S1,\n", "\n"]).items())) == 1
