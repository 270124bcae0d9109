"""What stations report in an OCPP log becomes faults, clears and registered spots."""

from datetime import datetime

from ingest.files.items import Ignored
from tests.unit.ingest.ocpp.rows import at, call, data, events, ingested, read, status


class TestFaults:
    def test_an_error_code_is_a_fault_and_the_next_status_without_one_clears_it(self) -> None:
        """A StatusNotification with an error raises it; NoError on the connector clears what was raised there."""
        # Given a connector that reports a lock failure, and recovers
        rows = [
            status(0, "Faulted", "ConnectorLockFailure", info="Latch stuck", vendorErrorCode="E7"),
            status(60, "Available", "NoError"),
        ]
        # When the log is read
        items = read(*rows)
        # Then the fault is raised in the station's words, and cleared
        [raised] = data(items, "fault.raised")
        assert raised["error"] == {
            "taxonomy": "ocpp1.6",
            "code": "ConnectorLockFailure",
            "info": "Latch stuck; vendorErrorCode E7",
        }
        assert (raised["spot_id"], raised["connector_id"]) == ("CH-1", 1)
        [cleared] = events(items, "fault.cleared")
        assert cleared["id"] == f"n@{at(60)}:cleared:1:ConnectorLockFailure"
        assert cleared["data"]["error"]["code"] == "ConnectorLockFailure"

    def test_a_frame_without_a_time_bears_that_of_its_reception(self) -> None:
        """Where the payload states no time, the log's own stands in and is marked as received."""
        # Given one notification without a timestamp and one with
        rows = [status(5, "Faulted", "GroundFailure"), status(9, "Faulted", "WeakSignal", timestamp=at(7))]
        # When they are ingested
        batch, _ = ingested(read(*rows))
        # Then the first occurred when it was received, and the second when it says
        assert [(fault.occurred_at, fault.time_quality) for fault in batch.faults] == [
            (datetime.fromisoformat(at(5)), "received"),
            (datetime.fromisoformat(at(7)), "stated"),
        ]
        assert batch.faults[1].received_at == datetime.fromisoformat(at(9))

    def test_a_unique_id_used_again_later_is_another_message(self) -> None:
        """Stations repeat a uniqueId for days; the moment tells the messages apart."""
        # Given the same frame, twice, at different moments
        rows = [status(0, "Faulted", "GroundFailure"), status(600, "Faulted", "GroundFailure")]
        # When they are ingested
        batch, _ = ingested(read(*rows))
        # Then there are two faults
        assert len({fault.key for fault in batch.faults}) == 2

    def test_faulted_without_a_code_keeps_the_code_before_it(self) -> None:
        """Faulted with NoError after the real code neither clears it nor raises another."""
        # Given a code, then the bare status, then recovery
        rows = [
            status(0, "Faulted", "HighTemperature"),
            status(1, "Faulted", "NoError"),
            status(2, "Available", "NoError"),
        ]
        # When the log is read
        items = read(*rows)
        # Then there is one fault, and one clear at the recovery
        assert len(data(items, "fault.raised")) == 1
        assert [event["id"].split(":cleared")[0] for event in events(items, "fault.cleared")] == [f"n@{at(2)}"]

    def test_faulted_that_never_named_a_code_is_another_error(self) -> None:
        """Faulted with NoError and nothing before is a fault of its own, once, with the words kept."""
        # Given a station that only ever says Faulted
        rows = [status(0, "Faulted", "NoError", info="Door open"), status(9, "Faulted", "NoError")]
        # When the log is read
        [fault] = data(read(*rows), "fault.raised")
        # Then it is raised once as the standard's catch-all
        assert fault["error"]["code"] == "OtherError"
        assert fault["error"]["info"] == "status Faulted with errorCode NoError; Door open"

    def test_a_code_outside_the_standard_is_kept_as_sent(self) -> None:
        """An unknown errorCode reaches the domain with its raw spelling."""
        batch, _ = ingested(read(status(0, "Faulted", "EVSE_lock_jam#4")))
        assert batch.faults[0].raw_code == "EVSE_lock_jam#4"

    def test_connector_zero_clears_the_whole_station_and_no_other(self) -> None:
        """NoError on connector 0 clears every code of every connector of that station."""
        # Given errors on two connectors, and one on another station
        rows = [
            status(0, "Faulted", "GroundFailure", connector=1),
            status(1, "Faulted", "WeakSignal", connector=1),
            status(2, "Faulted", "GroundFailure", connector=2),
            call(3, "x", "StatusNotification", station="CH-2", connectorId=1, errorCode="GroundFailure"),
            status(4, "Available", "NoError", connector=0),
        ]
        # When the log is read
        cleared = data(read(*rows), "fault.cleared")
        # Then all three of the station are cleared where they were raised
        places = [(each["spot_id"], each["connector_id"], each["error"]["code"]) for each in cleared]
        assert places == [
            ("CH-1", 1, "GroundFailure"),
            ("CH-1", 1, "WeakSignal"),
            ("CH-1", 2, "GroundFailure"),
        ]

    def test_recovery_of_what_the_log_never_raised_is_ignored(self) -> None:
        """NoError with nothing raised says nothing new."""
        first, second = read(status(0, "Available", "NoError"), status(1, "Available", "NoError"))
        assert [event["type"] for event in first.events] == ["spotclaim.spot.registered.v1"]  # type: ignore[union-attr]
        assert isinstance(second, Ignored)


class TestStations:
    def test_each_station_is_registered_with_its_first_frame(self) -> None:
        """Its claims must find a spot, even where the log holds no BootNotification."""
        # Given two stations
        rows = [call(n, "h", "Heartbeat", station=station) for n, station in enumerate(["A", "B", "A", "B"])]
        # When the log is read
        spots = events(read(*rows), "spot.registered")
        # Then each is registered once, saying no more than that it is there
        assert [spot["data"] for spot in spots] == [{"spot_id": "A"}, {"spot_id": "B"}]

    def test_a_boot_notification_tells_vendor_model_and_firmware(self) -> None:
        """A station that boots again with nothing new is not registered again."""
        boot = {"chargePointVendor": "ACME", "chargePointModel": "M1", "firmwareVersion": "1.0"}
        rows = [call(n, "b", "BootNotification", **boot) for n in (0, 60)]
        rows.append(call(90, "b", "BootNotification", **(boot | {"firmwareVersion": "1.1"})))
        spots = data(read(*rows), "spot.registered")
        assert [spot["firmware"] for spot in spots] == ["1.0", "1.1"]
        assert spots[0] == {"spot_id": "CH-1", "vendor": "ACME", "model": "M1", "firmware": "1.0"}
