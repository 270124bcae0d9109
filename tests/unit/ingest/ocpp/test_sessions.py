"""Transactions of OCPP 2.0.1 and 2.1 become usage records, one each."""

from typing import Any

import pytest

from ingest.files.importer import ImportTally
from tests.unit.ingest.ocpp.rows import at, call, data, events, ingested, read


def sample(value: Any, unit: Any = "Wh", multiplier: Any = None, **more: Any) -> dict[str, Any]:
    unit_of_measure = {"unit": unit} | ({} if multiplier is None else {"multiplier": multiplier})
    return {"value": value, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": unit_of_measure} | more


def tell(second: int, kind: str, *samples: Any, transaction: str = "T-1", **more: Any) -> list[Any]:
    meter_values = [{"timestamp": at(second), "sampledValue": [each]} for each in samples]
    measured = {"meterValue": meter_values} if samples else {}
    fields = {
        "eventType": kind,
        "timestamp": at(second),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": second,
        "transactionInfo": {"transactionId": transaction} | more.pop("info", {}),
    }
    return call(second, f"{kind}{second}", "TransactionEvent", **fields, **measured, **more)


def call_with(kind: str, second: int, *together: Any) -> list[Any]:
    """An event whose readings are of one moment."""
    fields = {"eventType": kind, "timestamp": at(second), "transactionInfo": {"transactionId": "T-1"}}
    sampled = [{"timestamp": at(second), "sampledValue": list(together)}]
    return call(second, kind, "TransactionEvent", **fields, meterValue=sampled)


STARTED = tell(0, "Started", sample(1000), evse={"id": 3, "connectorId": 1}, reservationId=7)
ENDED = tell(600, "Ended", sample(3500), info={"stoppedReason": "EVDisconnected"})


class TestTransactionEvent:
    def test_started_updated_and_ended_make_one_record_in_kwh(self) -> None:
        """Who, where and what for may come in any of them."""
        # Given a whole transaction, its token sent late, its registers in three spellings
        update = tell(60, "Updated", sample(1.5, "kWh"), idToken={"idToken": "TAG", "type": "ISO14443"})
        ended = tell(600, "Ended", sample(35, "Wh", 2), info={"stoppedReason": "EVDisconnected"})
        # When it is read
        [usage] = data(read(STARTED, update, ended), "usage.recorded")
        # Then the record has it all
        assert usage == {
            "spot_id": "CH-1",
            "session_id": "T-1",
            "connector_id": 3,
            "started_at": at(0),
            "ended_at": at(600),
            "meter_start_kwh": 1.0,
            "meter_stop_kwh": 3.5,
            "energy_kwh": 2.5,
            "user": "TAG",
            "reservation_id": "7",
            "stop_reason": "EVDisconnected",
            "samples": [
                {"at": at(0), "register_kwh": 1.0},
                {"at": at(60), "register_kwh": 1.5},
                {"at": at(600), "register_kwh": 3.5},
            ],
        }

    def test_every_frame_of_a_transaction_is_counted_once(self) -> None:
        """The first is settled by the last."""
        _, tally = ingested(read(STARTED, tell(60, "Updated"), ENDED))
        assert tally == ImportTally(read=3, accepted=2, refused=0, ignored=1)

    def test_one_that_never_ends_is_a_record_without_an_end(self) -> None:
        """Dated by its start, so that a later log's end wins."""
        batch, tally = ingested(read(STARTED, tell(60, "Updated", sample(1500))))
        assert (batch.usage[0].ended_at, batch.usage[0].findings) == (None, ["ENERGY_MISSING", "END_MISSING"])
        assert tally.read == 2

    def test_an_end_without_its_start_tells_what_it_knows(self) -> None:
        """Its last register, and neither a start nor an energy."""
        [usage] = data(read(ENDED), "usage.recorded")
        assert (usage["meter_stop_kwh"], usage["ended_at"]) == (3.5, at(600))
        assert not {"started_at", "energy_kwh", "meter_start_kwh"} & usage.keys()

    def test_all_readings_may_come_with_the_end(self) -> None:
        """A station can be configured to send them so."""
        readings = [sample(1000, context="Transaction.Begin"), sample(3500, context="Transaction.End")]
        [usage] = data(read(tell(0, "Started"), tell(600, "Ended", *readings)), "usage.recorded")
        assert (usage["meter_start_kwh"], usage["meter_stop_kwh"], usage["energy_kwh"]) == (1.0, 3.5, 2.5)

    def test_a_lone_reading_at_the_end_is_the_stop_and_no_start(self) -> None:
        """Nobody knows from where the register moved."""
        [usage] = data(read(tell(0, "Started"), ENDED), "usage.recorded")
        assert usage["meter_stop_kwh"] == 3.5
        assert not {"energy_kwh", "meter_start_kwh"} & usage.keys()

    def test_a_periodic_sample_is_neither_start_nor_stop(self) -> None:
        """Where the reading of the begin was lost, nobody knows from where the register moved."""
        # Given a start and an end without readings, and two samples on the way
        samples = [
            tell(60, "Updated", sample(1500, context="Sample.Periodic")),
            tell(90, "Updated", sample(2000)),
        ]
        # When it is read
        [usage] = data(read(tell(0, "Started"), *samples, tell(600, "Ended")), "usage.recorded")
        # Then no register is taken for that of either end
        assert not {"meter_start_kwh", "meter_stop_kwh", "energy_kwh"} & usage.keys()
        assert usage["samples"][0] == {"at": at(60), "register_kwh": 1.5, "context": "Sample.Periodic"}

    @pytest.mark.parametrize(
        "context", ["Sample.Periodic", "Sample.Clock", "Interruption.Begin", "Trigger", "Other"]
    )
    def test_what_the_station_calls_a_sample_is_one_in_any_frame(self, context: str) -> None:
        """Only a reading without a context is judged by its frame."""
        rows = tell(0, "Started", sample(1000, context=context)), tell(9, "Ended", sample(3500, context=context))
        [usage] = data(read(*rows), "usage.recorded")
        assert not {"meter_start_kwh", "meter_stop_kwh", "energy_kwh"} & usage.keys()

    def test_readings_of_begin_and_end_count_in_whatever_frame_they_come(self) -> None:
        """Beside samples, and also where the frame `Started` was lost."""
        begin = tell(60, "Updated", sample(1500), sample(1000, context="Transaction.Begin"))
        end = tell(600, "Ended", sample(3500, context="Transaction.End"), sample(3400, context="Sample.Clock"))
        [usage] = data(read(begin, end), "usage.recorded")
        assert (usage["meter_start_kwh"], usage["meter_stop_kwh"], usage["energy_kwh"]) == (1.0, 3.5, 2.5)

    def test_of_two_registers_the_same_one_is_read_at_start_and_stop(self) -> None:
        """That of a lifetime beside that of the session, in one sample."""
        rows = [
            call_with(kind, second, sample(lifetime), sample(session))
            for kind, second, lifetime, session in (("Started", 0, 1000, 0), ("Ended", 600, 3500, 2500))
        ]
        [usage] = data(read(*rows), "usage.recorded")
        assert (usage["meter_start_kwh"], usage["meter_stop_kwh"], usage["energy_kwh"]) == (1.0, 3.5, 2.5)

    def test_an_end_sent_twice_is_one_message(self) -> None:
        """Under another unique id too; and what comes after the end changes nothing."""
        late = tell(700, "Updated", sample(9999))
        again = [at(900), *call(600, "other", "x")[1:]]
        again[2] = ENDED[2].replace("Ended600", "other")
        batch, tally = ingested(read(STARTED, ENDED, late, again))
        assert len(batch.usage) == 2
        assert len({record.key for record in batch.usage}) == 1
        assert tally.read == 4

    @pytest.mark.parametrize("other", [{"phase": "L1"}, {"measurand": "Voltage"}, {"location": "EV"}])
    def test_only_the_whole_register_at_the_outlet_counts(self, other: dict[str, str]) -> None:
        """Phases are parts of it; the vehicle's own meter counts other energy."""
        ended = tell(600, "Ended", sample(3500), sample(77, **other))
        [usage] = data(read(STARTED, ended), "usage.recorded")
        assert usage["meter_stop_kwh"] == 3.5

    def test_two_stations_may_use_one_transaction_id(self) -> None:
        """Their sessions are of two spots."""
        rows = [[row[0], station, row[2]] for station in ("A", "B") for row in (STARTED, ENDED)]
        assert [usage["source"] for usage in events(read(*rows), "usage.recorded")] == ["ocpp:A", "ocpp:B"]

    def test_a_multiplier_that_cannot_be_is_left_out(self) -> None:
        """It would make a number that no database holds."""
        batch, tally = ingested(read(STARTED, tell(600, "Ended", sample(3500, "Wh", 10**9))))
        assert (batch.usage[0].meter_stop_kwh, tally.refused) == (3.5, 0)
