"""What stations in the field really send: each flaw is taken as evidence, marked, and stops nobody."""

from base64 import b64decode
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.policy.error_codes import classify
from ingest.files.items import RefusedItem
from ingest.ocpp import reader
from tests.unit.ingest.ocpp.rows import (
    LARGEST,
    answer,
    at,
    call,
    data,
    ingested,
    keys,
    log,
    read,
    start,
    status,
    stop,
)


def moment(second: int) -> datetime:
    return datetime.fromisoformat(at(second))


def a_transaction(stop_row: list[Any], **began: Any) -> list[list[Any]]:
    return [start(0, **began), answer(1, "start", transactionId=5), stop_row]


class TestCodes:
    @pytest.mark.parametrize("code", ["EVSE_lock_jam#4", "x" * 300, 42, "No Error"])
    def test_an_error_code_outside_the_enum_is_other_and_kept_and_marked(self, code: Any) -> None:
        """However long, and of whatever type."""
        batch, tally = ingested(read(status(0, "Faulted", code)))
        [fault] = batch.faults
        assert fault.raw_code == str(code)[:256]
        assert classify(fault.taxonomy, fault.raw_code) == "OTHER"
        assert (fault.description or "").startswith("Outside the standard: errorCode: ")
        assert tally.refused == 0

    def test_faulted_with_no_error_after_the_real_code_keeps_it(self) -> None:
        """One episode: raised once, cleared once, whatever bare status came between."""
        rows = [
            status(0, "Faulted", "GroundFailure"),
            status(1, "Faulted", "NoError"),
            status(2, "Available", "NoError"),
        ]
        items = read(*rows)
        assert [len(data(items, f"fault.{kind}")) for kind in ("raised", "cleared")] == [1, 1]

    @pytest.mark.parametrize("connector", ["one", None, -1, 2**40, []])
    def test_a_connector_that_is_none_is_the_whole_spot(self, connector: Any) -> None:
        """The fault is real, wherever it is."""
        batch, tally = ingested(read(status(0, "Faulted", "GroundFailure", connector=connector)))
        assert (batch.faults[0].connector_id, tally.refused) == (0, 0)

    def test_connector_zero_is_the_whole_spot(self) -> None:
        """As the standard says."""
        batch, _ = ingested(read(status(0, "Faulted", "GroundFailure", connector=0)))
        assert batch.faults[0].connector_id == 0

    def test_a_boot_notification_with_fields_of_its_own_is_taken(self) -> None:
        """Firmware writes serial numbers of modems and more."""
        boot = {"chargePointVendor": "ACME", "chargePointModel": "M1", "firmwareVersion": 7, "modem": {"rssi": -7}}
        [spot] = data(read(call(0, "b", "BootNotification", **boot)), "spot.registered")
        assert spot == {"spot_id": "CH-1", "vendor": "ACME", "model": "M1", "firmware": "7"}


class TestTimes:
    @pytest.mark.parametrize(
        ("timestamp", "quality", "occurred"),
        [
            (None, "received", moment(9)),
            ("", "received", moment(9)),
            ("yesterday", "received", moment(9)),
            (1759305600, "received", moment(9)),
            ("0001-01-01T00:00:00Z", "implausible", moment(9)),
            ("1970-01-01T00:00:00Z", "implausible", moment(9)),
            ("2025-10-01T10:00:05+02", "stated", moment(5)),
            ("2025-10-01T08:00:05.123456789Z", "stated", moment(5) + timedelta(microseconds=123456)),
            ("2025-10-01T10:00:09Z", "stated", moment(9) + timedelta(hours=2)),
            ("2025-09-29T08:00:09Z", "stated", moment(9) - timedelta(days=2)),
        ],
    )
    def test_a_time_is_taken_as_it_can_be(self, timestamp: Any, quality: str, occurred: datetime) -> None:
        """None, rubbish, years that cannot be, bare offsets, local time called UTC, and two days late."""
        row = status(9, "Faulted", "GroundFailure", timestamp=timestamp)
        batch, tally = ingested(read(row))
        [fault] = batch.faults
        assert (fault.time_quality, fault.occurred_at) == (quality, occurred)
        assert (fault.received_at, tally.refused) == (moment(9), 0)

    @pytest.mark.parametrize("timestamp", ["yesterday", "2025-10-01T10:00:05+02"])
    def test_a_time_outside_the_standard_is_marked(self, timestamp: str) -> None:
        """In the words of its schema."""
        batch, _ = ingested(read(status(9, "Faulted", "GroundFailure", timestamp=timestamp)))
        assert "timestamp" in (batch.faults[0].description or "")

    def test_local_time_marked_utc_is_a_finding_of_the_record(self) -> None:
        """The session ends two hours after it was reported."""
        rows = a_transaction(stop(600, 5, timestamp="2025-10-01T10:10:00Z"), timestamp="2025-10-01T10:00:00Z")
        batch, _ = ingested(read(*rows))
        assert "LOCAL_TIME_AS_UTC" in batch.usage[0].findings

    @pytest.mark.parametrize("year", ["0001", "1970"])
    def test_a_transaction_of_an_impossible_year_is_kept_as_evidence(self, year: str) -> None:
        """With the finding that says so."""
        rows = a_transaction(stop(9, 5, timestamp=f"{year}-01-01T00:00:00Z"))
        batch, tally = ingested(read(*rows))
        assert ("TIME_IMPLAUSIBLE" in batch.usage[0].findings, tally.refused) == (True, 0)


class TestMeters:
    @pytest.mark.parametrize("unread", [-1, "-1", LARGEST])
    def test_a_register_that_was_not_read_is_no_register(self, unread: Any) -> None:
        """Whichever way a station says so."""
        batch, _ = ingested(read(*a_transaction(stop(9, 5, meter=unread))))
        assert ("REGISTER_UNKNOWN" in batch.usage[0].findings, batch.usage[0].energy_kwh) == (True, None)

    @pytest.mark.parametrize("rubbish", ["n/a", "NaN", "1e999", [], {"Wh": 1}])
    def test_a_register_that_is_no_number_is_marked_and_the_record_kept(self, rubbish: Any) -> None:
        """What was sent stays beside the record."""
        batch, tally = ingested(read(*a_transaction(stop(9, 5, meter=rubbish))))
        [record] = batch.usage
        assert (record.meter_stop_kwh, record.energy_kwh, tally.refused) == (None, None, 0)
        assert "VALUE_UNREADABLE" in record.findings
        assert {"unreadable": "meterStop", "text": str(rubbish)} in record.samples

    def test_the_largest_transaction_id_names_its_session(self) -> None:
        """9223372036854775807, as a station that never got one sends it."""
        batch, _ = ingested(read(stop(9, LARGEST)))
        assert batch.usage[0].session_id == str(LARGEST)

    @pytest.mark.parametrize(("value", "unit"), [("3.5", "Wh"), ("3500", "kWh")])
    def test_kwh_labelled_wh_is_a_unit_slip(self, value: str, unit: str) -> None:
        """A sample of the register lies a thousandfold beside where the session stopped; and the reverse."""
        sampled = {"value": value, "unit": unit, "measurand": "Energy.Active.Import.Register"}
        metered = call(
            8, "m", "MeterValues", connectorId=2, transactionId=5, meterValue=[{"sampledValue": [sampled]}]
        )
        *begun, stopped = a_transaction(stop(9, 5, meter=3500))
        batch, _ = ingested(read(*begun, metered, stopped))
        assert "UNIT_SLIP" in batch.usage[0].findings

    def test_meter_values_are_the_samples_of_their_transaction(self) -> None:
        """Those of another, or of none, are not."""

        def metered(second: int, value: str, **of: Any) -> list[Any]:
            values = [{"timestamp": at(second), "sampledValue": [{"value": value}]}]
            return call(second, f"m{second}", "MeterValues", connectorId=2, meterValue=values, **of)

        *begun, stopped = a_transaction(stop(300, 5))
        others = [metered(60, "1", transactionId=6), metered(61, "2")]
        rows = [
            *begun,
            metered(50, "1100", transactionId=5),
            *others,
            metered(70, "1200", transactionId=5),
            stopped,
        ]
        [usage] = data(read(*rows), "usage.recorded")
        samples = [sample for sample in usage["samples"] if "at" in sample]
        assert samples == [{"at": at(50), "register_kwh": 1.1}, {"at": at(70), "register_kwh": 1.2}]

    def test_of_too_many_samples_some_go_but_never_the_ends(self) -> None:
        """A day's session keeps a hundred samples."""
        values = [{"timestamp": at(n), "sampledValue": [{"value": str(1000 + n)}]} for n in range(500)]
        rows = a_transaction(stop(900, 5, transactionData=values))
        [usage] = data(read(*rows), "usage.recorded")
        samples = [sample for sample in usage["samples"] if "at" in sample]
        assert 50 <= len(samples) <= 100
        assert (samples[0]["at"], samples[-1]["at"]) == (at(0), at(499))


class TestRepetitions:
    def test_the_same_frame_every_ten_seconds_is_one_message(self) -> None:
        """A station that gets no answer repeats itself for as long as it takes."""
        rows = [status(second, "Faulted", "GroundFailure") for second in range(0, 300, 10)]
        batch, tally = ingested(read(*rows))
        assert (len(batch.faults), tally.read, tally.ignored) == (1, 30, 29)

    def test_a_frame_that_waited_for_two_days_is_the_one_it_was(self) -> None:
        """It bears the station's own time, so one more delivery changes nothing, in this log or the next."""
        stated = {"timestamp": at(5)}
        row = status(9, "Faulted", "GroundFailure", **stated)
        late = ["2025-10-03T08:00:09.000Z", *row[1:]]
        together, _ = ingested(read(row, late))
        alone, _ = ingested(read(late))
        assert len(together.faults) == 1
        assert keys(alone)[0] == keys(together)[0]

    @pytest.mark.parametrize("second", [1, 3600])
    def test_a_unique_id_used_for_another_payload_is_another_message(self, second: int) -> None:
        """Even at once."""
        rows = [status(0, "Faulted", "GroundFailure"), status(second, "Faulted", "WeakSignal")]
        batch, _ = ingested(read(*rows))
        assert len({fault.key for fault in batch.faults}) == 2


class TestNeighbours:
    @pytest.mark.parametrize(
        ("message", "code"),
        [
            ('[2,"u","StatusNotification",{"connectorId":NaN}]', "NOT_JSON"),
            ('[2,"u","StopTransaction",{"meterStop":1e999}]', "NUMBER_TOO_LARGE"),
            ('[2,"u","StopTransaction",{"transactionId":92233720368547758070}]', "NUMBER_TOO_LARGE"),
            ('[2,"u","StopTransaction",{"transactionId":1,"transactionId":2}]', "DUPLICATE_KEY"),
            ('[2,"u","X",' + '{"a":' * 40 + "1" + "}" * 40 + "]", "TOO_DEEP"),
        ],
    )
    def test_what_no_database_holds_is_refused_alone(self, message: str, code: str) -> None:
        """Not a number, a number too large, a key given twice, a nest too deep."""
        refused, good = reader.read_log(log([[at(0), "CH-1", message], status(1, "Faulted", "GroundFailure")]))
        assert isinstance(refused, RefusedItem)
        assert refused.reason.code == code
        assert data([good], "fault.raised")

    def test_a_stop_that_names_no_transaction_is_refused(self) -> None:
        """A record without its session is nobody's."""
        batch, tally = ingested(read(call(0, "u", "StopTransaction", meterStop=1), call(1, "h", "Heartbeat")))
        assert (tally.refused, batch.quarantined[0].reason) == (1, "INVALID_FIELD")
        assert b"spotclaim.usage.recorded.v1" in b64decode(batch.quarantined[0].body)

    def test_security_events_are_ignored_and_counted(self) -> None:
        """They are another desk's."""
        ignored = Counter[str]()
        payload = {"type": "FirmwareUpdated", "timestamp": at(1)}
        rows = [call(n, f"s{n}", "SecurityEventNotification", **payload) for n in range(3)]
        list(reader.read_log(log([call(0, "h", "Heartbeat"), *rows]), None, ignored))
        assert ignored["SecurityEventNotification"] == 3
