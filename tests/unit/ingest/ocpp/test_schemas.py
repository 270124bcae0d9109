"""Departures from the standards' own schemas are put into words."""

import pytest

from ingest.ocpp import reader, schemas

STATUS = {"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure"}


def test_a_frame_as_it_should_be_has_no_flaw() -> None:
    """In either version."""
    assert schemas.flaws("StatusNotification", STATUS) == ()
    v2 = {"timestamp": "2026-01-01T00:00:00Z", "connectorStatus": "Faulted", "evseId": 1, "connectorId": 1}
    assert schemas.flaws("StatusNotification", v2) == ()


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"errorCode": "Oops"}, 'errorCode: "Oops" is not one of'),
        ({"timestamp": "yesterday"}, 'timestamp: "yesterday" is not a "date-time"'),
        ({"connectorId": "one"}, 'connectorId: "one" is not of type "integer"'),
    ],
)
def test_a_flaw_names_the_field_and_what_is_wrong(change: dict[str, str], flaw: str) -> None:
    """So that the vendor can be informed."""
    [found] = schemas.flaws("StatusNotification", STATUS | change)
    assert found.startswith(flaw)


def test_a_field_that_is_missing_is_a_flaw_and_one_too_many_is_none() -> None:
    """Vendors add their own everywhere."""
    assert schemas.flaws("StatusNotification", STATUS | {"colour": "red"}) == ()
    [flaw] = schemas.flaws("StatusNotification", {"connectorId": 1, "status": "Faulted"})
    assert "errorCode" in flaw


def test_flaws_are_few_and_short_however_bad_the_frame() -> None:
    """What the field sends must not fill the record."""
    wrong = {"connectorId": "x" * 10_000, "status": [], "errorCode": {}, "info": 7, "timestamp": [], "vendorId": 1}
    flaws = schemas.flaws("StatusNotification", wrong)
    assert len(flaws) == 5
    assert max(map(len, flaws)) <= 200


def test_every_action_that_is_read_has_its_schemas() -> None:
    """One that is missing would refuse every frame of its kind."""
    for action in (*reader._HANDLERS, *reader._BY_VERSION):
        assert isinstance(schemas.flaws(action, {}), tuple)
    for action, telltale in schemas._TELLTALES.items():
        assert isinstance(schemas.flaws(action, {telltale: 1}), tuple)
