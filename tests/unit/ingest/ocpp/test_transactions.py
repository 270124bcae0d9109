"""Transactions of an OCPP log become usage records, one each, whatever the field does to them."""

from datetime import datetime

import pytest

from ingest.files.importer import ImportTally
from ingest.files.items import RefusedItem
from tests.unit.ingest.ocpp.rows import LARGEST, answer, at, call, data, events, ingested, read, start, stop


class TestTransactions:
    def test_start_answer_and_stop_make_one_record_in_kwh(self) -> None:
        """One transaction is one usage record, with registers and energy in kWh."""
        # Given a whole transaction with meter values in its stop
        register = {"value": "1500", "unit": "Wh"}
        current = {"value": "16", "unit": "A", "measurand": "Current.Import"}
        meter_values = [{"timestamp": at(100), "sampledValue": [register, current]}]
        rows = [
            start(0, timestamp=at(0)),
            answer(1, "start", transactionId=77),
            stop(300, 77, timestamp=at(299), reason="Local", transactionData=meter_values),
        ]
        # When the log is read
        [event] = events(read(*rows), "usage.recorded")
        # Then the record holds all of it
        assert event["id"] == "transaction:77"
        assert event["data"] == {
            "spot_id": "CH-1",
            "session_id": "77",
            "connector_id": 2,
            "started_at": at(0),
            "ended_at": at(299),
            "meter_start_kwh": 1.0,
            "meter_stop_kwh": 3.5,
            "energy_kwh": 2.5,
            "user": "TAG",
            "stop_reason": "Local",
            "samples": [{"at": at(100), "register_kwh": 1.5}],
        }

    def test_times_that_the_payload_lacks_come_from_the_log(self) -> None:
        """Start and end fall back to when the frames were received."""
        [usage] = data(read(start(0), answer(1, "start", transactionId=1), stop(9, 1)), "usage.recorded")
        assert (usage["started_at"], usage["ended_at"]) == (at(0), at(9))

    @pytest.mark.parametrize("unread", [-1, LARGEST])
    def test_a_register_that_was_not_read_gives_no_energy(self, unread: int) -> None:
        """meterStop −1, or the largest integer, is kept as evidence and never subtracted."""
        # Given a transaction whose last register the station could not read
        rows = [start(0), answer(1, "start", transactionId=1), stop(9, 1, meter=unread)]
        # When it is ingested
        batch, _ = ingested(read(*rows))
        # Then the energy is unknown, and the record says why
        assert batch.usage[0].energy_kwh is None
        assert "REGISTER_UNKNOWN" in batch.usage[0].findings
        assert batch.usage[0].meter_stop_kwh == (-1 if unread == -1 else unread / 1000)

    def test_a_register_that_fell_back_is_evidence(self) -> None:
        """A stop below its start gives negative energy, and findings."""
        batch, _ = ingested(
            read(start(0, meter=5000), answer(1, "start", transactionId=1), stop(9, 1, meter=4000))
        )
        assert batch.usage[0].energy_kwh == -1.0
        assert {"NEGATIVE_ENERGY", "REGISTER_FELL_BACK"} <= set(batch.usage[0].findings)

    def test_the_largest_transaction_id_is_as_good_as_any(self) -> None:
        """transactionId 9223372036854775807 names its session in full."""
        rows = [start(0), answer(1, "start", transactionId=LARGEST), stop(9, LARGEST)]
        assert data(read(*rows), "usage.recorded")[0]["session_id"] == str(LARGEST)

    def test_a_transaction_that_never_stops_is_a_record_without_an_end(self) -> None:
        """The log's end leaves it open, dated by its start: a later log's stop will win."""
        # Given a start with its answer, and nothing more
        rows = [start(0), answer(1, "start", transactionId=5), call(900, "h", "Heartbeat")]
        # When it is ingested
        batch, tally = ingested(read(*rows))
        # Then the record has no end, and no frame is counted twice
        [usage] = batch.usage
        assert (usage.ended_at, usage.meter_start_kwh, usage.findings) == (
            None,
            1.0,
            ["ENERGY_MISSING", "END_MISSING"],
        )
        assert usage.recorded_at == datetime.fromisoformat(at(0))
        assert tally == ImportTally(read=3, accepted=2, refused=0, ignored=1)

    def test_a_stop_without_its_start_tells_what_it_knows(self) -> None:
        """The session, its end and its last register, on the whole spot."""
        [usage] = data(read(stop(9, 5, idTag="TAG")), "usage.recorded")
        assert (usage["connector_id"], usage["meter_stop_kwh"], usage["user"]) == (0, 3.5, "TAG")
        assert not {"started_at", "energy_kwh", "meter_start_kwh"} & usage.keys()

    @pytest.mark.parametrize(("meter_stop", "start_kwh"), [(3500, 1.0), (4_003_500, None)])
    def test_a_lost_start_is_known_by_the_reading_of_the_begin(
        self, meter_stop: int, start_kwh: float | None
    ) -> None:
        """Unless the readings are of another register: one that begins at 0, beside that of a lifetime."""
        # Given a stop whose readings say what the register was at begin and end
        readings = [("Transaction.Begin", "1000"), ("Sample.Periodic", "900"), ("Transaction.End", "3500")]
        sampled = [{"value": value, "context": context} for context, value in readings]
        rows = [stop(9, 5, meter=meter_stop, transactionData=[{"timestamp": at(9), "sampledValue": sampled}])]
        # When it is read
        [usage] = data(read(*rows), "usage.recorded")
        # Then the begin stands in for the start that was lost, if the end is where the register stopped
        assert usage.get("meter_start_kwh") == start_kwh
        assert usage.get("energy_kwh") == (None if start_kwh is None else 2.5)

    def test_power_is_kept_beside_the_register(self) -> None:
        """In kW; that of a phase is no whole, and what was not read is left out."""
        # Given readings of power with and without a register
        power = {"measurand": "Power.Active.Import"}
        values = [
            {"timestamp": at(10), "sampledValue": [{"value": "1500"}, power | {"value": "7400", "unit": "W"}]},
            {"timestamp": at(20), "sampledValue": [power | {"value": "7.4", "unit": "kW"}]},
            {
                "timestamp": at(30),
                "sampledValue": [power | {"value": "9", "phase": "L1"}, power | {"value": "-1"}],
            },
        ]
        rows = [start(0), answer(1, "start", transactionId=5), stop(60, 5, transactionData=values)]
        # When it is read
        [usage] = data(read(*rows), "usage.recorded")
        # Then the samples have it
        assert usage["samples"][:-1] == [
            {"at": at(10), "register_kwh": 1.5, "power_kw": 7.4},
            {"at": at(20), "power_kw": 7.4},
        ]

    def test_a_reading_of_the_end_stands_in_for_a_stop_without_register(self) -> None:
        sampled = [{"value": "3500", "context": "Transaction.End"}, {"value": "3400", "context": "Sample.Clock"}]
        values = [{"timestamp": at(9), "sampledValue": sampled}]
        rows = [start(0), answer(1, "start", transactionId=5), stop(9, 5, meter=None, transactionData=values)]
        [usage] = data(read(*rows), "usage.recorded")
        assert (usage["meter_stop_kwh"], usage["energy_kwh"]) == (3.5, 2.5)

    def test_a_begin_sent_again_with_every_sample_is_no_fall(self) -> None:
        """Each sample has the register beside that of the begin."""
        # Given a session whose samples repeat its begin
        together = [
            (second, [{"value": str(wh)}, {"value": "0", "context": "Transaction.Begin"}])
            for second, wh in ((100, 600), (200, 1200), (400, 2400))
        ]
        values = [{"timestamp": at(second), "sampledValue": sampled} for second, sampled in together]
        rows = [start(0, meter=0), answer(1, "start", transactionId=5), stop(600, 5, transactionData=values)]
        # When it is ingested
        batch, _ = ingested(read(*rows))
        # Then nothing fell or leapt
        assert batch.usage[0].findings == []

    def test_a_transaction_id_given_to_another_start_is_another_session(self) -> None:
        """Central systems that restart count from one again; the sessions must not merge."""
        # Given two transactions with one id
        rows = [
            start(0, uid="a"),
            answer(1, "a", transactionId=1),
            stop(60, 1),
            start(600, uid="b", meter=3500),
            answer(601, "b", transactionId=1),
            stop(660, 1, meter=9000),
        ]
        # When the log is read
        usage = data(read(*rows), "usage.recorded")
        # Then each keeps its own registers and name
        assert [each["session_id"] for each in usage] == ["1", f"1@{at(600)}"]
        assert [each["energy_kwh"] for each in usage] == [2.5, 5.5]

    def test_a_transaction_id_given_away_while_running_leaves_a_record_without_an_end(self) -> None:
        """The first transaction was never stopped: that is on record too."""
        rows = [
            start(0, "a"),
            answer(1, "a", transactionId=1),
            start(60, "b", 7),
            answer(61, "b", transactionId=1),
        ]
        usage = data(read(*rows, stop(90, 1)), "usage.recorded")
        assert [(each["session_id"], "ended_at" in each) for each in usage] == [
            ("1", False),
            (f"1@{at(60)}", True),
        ]

    def test_frames_sent_until_answered_are_one_transaction(self) -> None:
        """A start and a stop that come again and again make one record with one identity."""
        # Given a station that repeats itself every ten seconds
        rows = [
            start(0, timestamp=at(0)),
            start(10, timestamp=at(0)),
            answer(11, "start", transactionId=1),
            start(20, timestamp=at(0)),
            answer(21, "start", transactionId=1),
            stop(300, 1, timestamp=at(299)),
            stop(310, 1, timestamp=at(299)),
        ]
        # When it is ingested
        batch, tally = ingested(read(*rows))
        # Then both stops are the same message, and every frame is counted
        assert len({usage.key for usage in batch.usage}) == 1
        assert tally.read == 7

    def test_a_start_that_nobody_answered_is_refused(self) -> None:
        """Without an answer the session has no id, so its frame goes to quarantine."""
        *_, item = read(call(0, "h", "Heartbeat"), start(1))
        assert isinstance(item, RefusedItem)
        assert item.reason.code == "MISSING_FIELD"
        assert b"StartTransaction" in item.raw
