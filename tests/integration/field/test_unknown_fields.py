"""Fields that are not known: on record with their message, and in the answer to whoever sent them."""

from tests.integration.door import Api
from tests.integration.parts import Spotclaim

SLIP = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}, "occured_at": "yesterday"}
USAGE = {"spot_id": "E1", "session_id": "s-1", "tariff": {"id": 7}}
SPOT = {
    "specversion": "1.0",
    "id": "r-1",
    "source": "registry",
    "type": "spotclaim.spot.registered.v1",
    "data": {"spot_id": "E1", "lattitude": 53.5},
}
WARNING = "occured_at is not known, and was kept; the nearest that is known is occurred_at."


def test_the_answer_names_a_slip(api: Api) -> None:
    """The message is accepted all the same."""
    [item] = api.post("faults", SLIP).json()["items"]

    assert (item["status"], item["warnings"]) == ("accepted", [WARNING])


def test_the_answer_has_no_warnings_where_all_is_known(api: Api) -> None:
    [item] = api.post("faults", {name: SLIP[name] for name in ("spot_id", "error")}).json()["items"]

    assert item.keys() == {"index", "status", "id"}


def test_they_are_on_record(api: Api, spotclaim: Spotclaim) -> None:
    """Beside the message, in each table."""
    for path, body in (("faults", SLIP), ("usage-records", USAGE), ("usage-records", SPOT)):
        assert api.post(path, body).status_code == 202

    tables = ("faults", "usage_records", "spots")
    assert {table: spotclaim.value(f"SELECT unknown FROM {table}") for table in tables} == {
        "faults": {"occured_at": "yesterday"},
        "usage_records": {"tariff": {"id": 7}},
        "spots": {"lattitude": 53.5},
    }
