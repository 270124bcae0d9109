"""Signed meter values of OCPP: texts that are kept as they came, and never registers."""

import json
from base64 import b64encode
from typing import Any

import pytest

from domain.field.signed_value import LONGEST_TEXT, MOST_VALUES
from ingest.ocpp.station import dump, load
from tests.unit.ingest.ocpp.rows import answer, at, call, data, ingested, read, start, stop

OCMF = 'OCMF|{"RD":[]}|{"SD":"3044"}'
SIGNED = {"format": "SignedData", "measurand": "Energy.Active.Import.Register"}


def signed_16(value: Any, context: str | None = "Transaction.End", **more: Any) -> dict[str, Any]:
    """A sampled value of OCPP 1.6."""
    return SIGNED | {"value": value} | ({"context": context} if context else {}) | more


def meter_values(*sampled: dict[str, Any], second: int = 100) -> list[dict[str, Any]]:
    return [{"timestamp": at(second), "sampledValue": list(sampled)}]


def usage(*sampled: dict[str, Any], at_stop: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """The record of a transaction with these values within it, and those at its stop."""
    rows = [start(0), answer(1, "start", transactionId=7)]
    if sampled:
        rows.append(
            call(50, "m", "MeterValues", connectorId=2, transactionId=7, meterValue=meter_values(*sampled))
        )
    rows.append(stop(300, 7, transactionData=meter_values(*at_stop)))
    [record] = data(read(*rows), "usage.recorded")
    # What the rows lack by the standard is no matter here.
    return record | {"samples": [one for one in record["samples"] if "outside_standard" not in one]}


def test_signed_data_is_kept_as_it_came_and_is_no_reading() -> None:
    """Of MeterValues and of a StopTransaction; readings beside it stay readings."""
    record = usage(
        signed_16("4F434D467C", "Transaction.Begin"),
        {"value": "1000", "unit": "Wh"},
        at_stop=(signed_16(OCMF), {"value": "3500"}),
    )

    assert record["signed"] == [
        {"text": "4F434D467C", "context": "Transaction.Begin"},
        {"text": OCMF, "context": "Transaction.End"},
    ]
    assert [sample["register_kwh"] for sample in record["samples"]] == [1.0, 3.5]


def test_a_number_that_is_signed_data_is_no_register() -> None:
    """Hexadecimal digits may look like one."""
    record = usage(signed_16("12345678"))

    assert record["signed"] == [{"text": "12345678", "context": "Transaction.End"}]
    assert record["samples"] == []


def test_signed_data_may_be_json_that_says_more() -> None:
    """As the Open Charge Alliance puts the type of 2.0.1 into a value of 1.6."""
    packed = b64encode(OCMF.encode()).decode()
    inside = {"signedMeterData": packed, "encodingMethod": "OCMF", "signingMethod": "ECDSA", "publicKey": "MFkw"}

    assert usage(signed_16(json.dumps(inside)))["signed"] == [
        {
            "text": packed,
            "format": "OCMF",
            "public_key": "MFkw",
            "signing_method": "ECDSA",
            "context": "Transaction.End",
        }
    ]
    assert usage(signed_16('{"broken'))["signed"][0]["text"] == '{"broken'


def test_the_signed_value_of_version_2_stands_beside_its_reading() -> None:
    """Both are kept, each as what it is."""
    packed = b64encode(OCMF.encode()).decode()
    signed = {"signedMeterData": packed, "encodingMethod": "OCMF", "signingMethod": "", "publicKey": "MFkw"}

    def event(second: int, kind: str, wh: float) -> list[Any]:
        sampled = {"value": wh, "context": f"Transaction.{'Begin' if kind == 'Started' else 'End'}"}
        values = [{"timestamp": at(second), "sampledValue": [sampled | {"signedMeterValue": signed}]}]
        return call(
            second, f"e{second}", "TransactionEvent", eventType=kind, timestamp=at(second), seqNo=second,
            triggerReason="Authorized", transactionInfo={"transactionId": "t"}, evse={"id": 1}, meterValue=values,
        )  # fmt: skip

    [record] = data(read(event(0, "Started", 1000), event(60, "Ended", 3000)), "usage.recorded")

    assert [(one["context"], one["format"], one["text"]) for one in record["signed"]] == [
        ("Transaction.Begin", "OCMF", packed),
        ("Transaction.End", "OCMF", packed),
    ]
    assert (record["energy_kwh"], record["meter_start_kwh"]) == (2.0, 1.0)


def test_of_too_many_the_first_and_the_last_are_kept() -> None:
    """The record says that others were left out, and is as sound as before. One that is repeated is one."""
    record = usage(*(signed_16(f"text {number}", "Sample.Periodic") for number in range(20)), signed_16("text 19"))

    assert len(record["signed"]) == MOST_VALUES
    assert [record["signed"][place]["text"] for place in (0, 1, -1)] == ["text 0", "text 1", "text 19"]
    assert record["samples"] == [{"left_out": "signed values between the first and the last"}]
    batch, _ = ingested(read(start(0), answer(1, "start", transactionId=7), stop(300, 7)))
    assert batch.usage[0].findings == []


@pytest.mark.parametrize("value", ["x" * (LONGEST_TEXT + 1), "", 5, None, ["OCMF"], {"a": 1}])
def test_what_cannot_be_kept_is_a_finding(value: Any) -> None:
    """The transaction is read all the same."""
    rows = [
        start(0),
        answer(1, "start", transactionId=7),
        stop(9, 7, transactionData=meter_values(signed_16(value))),
    ]
    batch, _ = ingested(read(*rows))

    [record] = batch.usage
    assert (record.signed, record.energy_kwh, record.findings) == (None, 2.5, ["VALUE_UNREADABLE"])


def test_a_station_remembers_signed_values() -> None:
    """Between two frames that come at different times."""
    from ingest.ocpp.station import ChargingTransaction, Station

    signed = [{"text": OCMF, "context": "Transaction.Begin"}]
    station = Station(transactions={"7": ChargingTransaction("7", signed=signed)})

    assert load(dump(station)) == station
