"""Every row of an OCPP log is understood, or refused with its reason, in whichever form it comes."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from domain.errors import SetupError
from ingest.files.items import RefusedItem, Translated
from ingest.ocpp import reader
from tests.unit.ingest.ocpp.rows import NOW, answer, at, call, ingested, keys, log, read, start, status, stop


class TestLogs:
    @pytest.mark.parametrize(
        ("row", "code"),
        [
            ([at(0), "CH-1", "[2, not json"], "NOT_JSON"),
            ([at(0), "CH-1", '{"a": 1}'], "NOT_OCPP"),
            ([at(0), "CH-1", '[2, "u", "Heartbeat"]'], "NOT_OCPP"),
            ([at(0), "CH-1", '[2, "u", "StatusNotification", []]'], "NOT_OCPP"),
            ([at(0), "CH-1", '[9, "u", {}]'], "NOT_OCPP"),
            ([at(0), "CH-1", '[3, "u", {"a": "\\u0000"}]'], "NUL_CHARACTER"),
            ([at(0), "CH-1", ""], "MISSING_FIELD"),
            ([at(0), "", '[3, "u", {}]'], "MISSING_FIELD"),
            (["CH-1", '[3, "u", {}]'], "WRONG_COLUMNS"),
        ],
    )
    def test_a_row_that_cannot_be_understood_is_refused_with_its_bytes(self, row: list[str], code: str) -> None:
        """It goes to quarantine as it was, and the frames after it go on."""
        # Given a bad row before a good one
        lines = log([row, call(1, "h", "Heartbeat")])
        # When the log is read
        refused, good = reader.read_log(lines)
        # Then the bad one is refused with its own text
        assert isinstance(refused, RefusedItem)
        assert (refused.reason.code, refused.raw) == (code, lines[1].encode())
        assert isinstance(good, Translated)

    @pytest.mark.parametrize(
        "rubbish", ["yesterday", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "99999999999999999"]
    )
    def test_a_log_time_that_is_none_takes_that_of_the_frame_before(self, rubbish: str) -> None:
        """A log is written in order, so the frame came no earlier; and it is not refused for its log's clock."""
        # Given a good row, and one whose time is rubbish
        _, station, message = status(5, "Faulted", "GroundFailure")
        batch, tally = ingested(read(call(4, "h", "Heartbeat"), [rubbish, station, message]))
        # Then the fault occurred when the frame before it came
        [fault] = batch.faults
        assert (fault.occurred_at, fault.time_quality) == (datetime.fromisoformat(at(4)), "received")
        assert tally.refused == 0

    def test_a_frame_without_a_log_time_is_received_now(self) -> None:
        """The import's own clock is all there is."""
        _, station, message = status(0, "Faulted", "GroundFailure")
        batch, _ = ingested(read(["", station, message]))
        assert (batch.faults[0].occurred_at, batch.faults[0].message_id) == (NOW, "n")

    def test_json_lines_say_the_same_as_csv(self) -> None:
        """Both forms of a log give the same messages."""
        # Given one log in two forms
        rows = [status(0, "Faulted", "GroundFailure"), start(1), answer(2, "start", transactionId=1), stop(9, 1)]
        names = ("timestamp", "id", "msg")
        frames = [dict(zip(names, [row[0], row[1], json.loads(row[2])], strict=True)) for row in rows]
        # When both are ingested
        from_csv, _ = ingested(read(*rows))
        from_json, _ = ingested(reader.read_log(json.dumps(frame) + "\n" for frame in frames))
        # Then the messages are the same
        assert keys(from_csv) == keys(from_json)

    def test_json_lines_that_are_no_frames_are_refused(self) -> None:
        """Broken lines and lines that are no object, each with its reason."""
        lines = ['{"id": "A", "msg": [3, "u", {}]}\n', "\n", '{"id": \n', "7\n"]
        codes = [item.reason.code for item in reader.read_log(lines) if isinstance(item, RefusedItem)]
        assert codes == ["NOT_JSON", "NOT_OCPP"]

    def test_a_log_without_its_columns_is_a_matter_of_setup(self) -> None:
        """The error names what is missing."""
        with pytest.raises(SetupError, match=r"missing: msg, timestamp"):
            list(reader.read_log(["when,id,what\n"]))

    def test_importing_a_log_twice_gives_the_same_messages(self) -> None:
        """Identities depend on the log alone."""
        # Given a log with faults, a transaction and a boot
        rows = [
            call(0, "b", "BootNotification", chargePointVendor="ACME"),
            status(1, "Faulted", "GroundFailure"),
            status(2, "Available", "NoError"),
            start(3),
            answer(4, "start", transactionId=1),
            stop(9, 1),
        ]
        # When it is imported today and tomorrow
        first, second = ingested(read(*rows))[0], ingested(read(*rows))[0]
        # Then no key differs
        assert keys(first) == keys(second)
        assert len(set(keys(first))) == 4

    def test_a_log_is_read_as_it_comes(self) -> None:
        """Items come while the log is still being written, not at its end."""

        def endless() -> Iterator[str]:
            yield from log([call(0, "h", "Heartbeat")])
            raise AssertionError("read ahead of need")

        assert isinstance(next(reader.read_log(endless())), Translated)


FRAMES = [status(0, "Faulted", "GroundFailure"), start(1), answer(2, "start", transactionId=1), stop(9, 1)]


class TestForms:
    @pytest.mark.parametrize(
        "names",
        [
            ("timestamp", "chargePointId", "message"),
            ("createdAt", "charge_box_id", "ocpp_message"),
            ("time", "Station ID", "raw"),
            ("@timestamp", "identity", "payload"),
        ],
    )
    def test_back_ends_name_the_three_things_as_they_like(self, names: tuple[str, ...]) -> None:
        """In CSV and JSON alike, with an id of the row's own beside them."""
        expected, _ = ingested(read(*FRAMES))
        header = ["id", *names]
        table = [[n, *row] for n, row in enumerate(FRAMES)]
        as_objects = [json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in table]
        as_csv = io.StringIO()
        csv.writer(as_csv).writerows([header, *table])
        for lines in (as_objects, as_csv.getvalue().splitlines(keepends=True)):
            batch, tally = ingested(reader.read_log(lines))
            assert (keys(batch), tally.refused) == (keys(expected), 0)

    def test_a_message_may_be_json_or_text_that_holds_it(self) -> None:
        """Databases give either."""
        _, station, message = FRAMES[0]
        lines = [json.dumps({"id": station, "msg": form}) for form in (message, json.loads(message))]
        first, second = (ingested(reader.read_log([line]))[0] for line in lines)
        assert keys(first) == keys(second)

    @pytest.mark.parametrize("kinds", [(2, 3), ("CALL", "CALLRESULT"), ("Call", "CallResult")])
    def test_a_message_may_be_kept_in_its_parts(self, kinds: tuple[Any, ...]) -> None:
        """With the payload alone as the message, in JSON and in CSV."""
        names = ["timestamp", "stationId", "messageType", "uniqueId", "action", "payload"]
        table = []
        for when, station, message in FRAMES:
            kind, uid, *rest = json.loads(message)
            action, payload = rest if kind == 2 else ("", rest[0])
            table.append([when, station, kinds[kind - 2], uid, action, json.dumps(payload)])
        as_csv = io.StringIO()
        csv.writer(as_csv).writerows([names, *table])
        objects = [dict(zip(names, row, strict=True)) | {"payload": json.loads(row[5])} for row in table]
        as_objects = [json.dumps(each) for each in objects]
        expected, _ = ingested(read(*FRAMES))
        for lines in (as_csv.getvalue().splitlines(keepends=True), as_objects):
            batch, tally = ingested(reader.read_log(lines))
            assert (keys(batch), tally.refused) == (keys(expected), 0)

    def test_parts_that_make_no_message_are_refused_alone(self) -> None:
        """A payload that is no JSON, and a kind that there is not."""
        lines = ["timestamp,id,type,uniqueId,action,payload\n"]
        lines += [
            f"{at(0)},CH-1,{kind},u,X,{payload}\n" for kind, payload in (("2", "{"), ("9", "{}"), ("2", "{}"))
        ]
        _, tally = ingested(reader.read_log(lines))
        assert (tally.read, tally.refused) == (3, 2)

    def test_the_kinds_of_message_that_version_2_1_added_are_understood(self) -> None:
        """One that wants no answer, and an error about a result."""
        rows = [[at(0), "CH-1", json.dumps(message)] for message in ([6, "u", "X", {}], [5, "u", "E", "", {}])]
        _, tally = ingested(read(*rows))
        assert (tally.read, tally.refused) == (2, 0)

    def test_an_export_may_be_one_array(self) -> None:
        """On one line or over many; a bad item leaves its neighbours alone."""
        names = ("timestamp", "id", "msg")
        objects = [dict(zip(names, [row[0], row[1], json.loads(row[2])], strict=True)) for row in FRAMES]
        whole = json.dumps([objects[0], 7, *objects[1:]], indent=1)
        for lines in (whole.splitlines(keepends=True), [json.dumps([objects[0], 7, *objects[1:]])]):
            batch, tally = ingested(reader.read_log(lines))
            assert [item.reason for item in batch.quarantined] == ["NOT_OCPP"]
            assert (len(batch.faults), len(batch.usage), tally.read) == (1, 1, 5)

    def test_bare_frames_are_those_of_the_station_that_is_named(self) -> None:
        """One on each line; without a log's time the station's own must do."""
        lines = [f"{row[2]}\n" for row in (status(5, "Faulted", "GroundFailure", timestamp=at(5)), *FRAMES[1:])]
        batch, tally = ingested(reader.read_log(lines, "CH-9"))
        assert {each.spot_id for each in (*batch.faults, *batch.usage, *batch.spots)} == {"CH-9"}
        assert (len(batch.faults), len(batch.usage), tally.refused) == (1, 1, 0)

    def test_bare_frames_of_nobody_are_a_matter_of_setup(self) -> None:
        """The error says what to name."""
        with pytest.raises(SetupError, match=r"name the station"):
            list(reader.read_log([f"{row[2]}\n" for row in FRAMES]))

    def test_a_station_in_the_log_outweighs_the_one_that_is_named(self) -> None:
        """It is for the frames that do not say."""
        batch, _ = ingested(reader.read_log(log(FRAMES), "CH-9"))
        assert {spot.spot_id for spot in batch.spots} == {"CH-1"}

    @pytest.mark.parametrize("number", [1759305605, 1759305605000, "1759305605"])
    def test_a_time_may_be_a_number(self, number: int | str) -> None:
        """Seconds since 1970, or milliseconds."""
        line = json.dumps({"timestamp": number, "id": "CH-1", "msg": json.loads(FRAMES[0][2])})
        batch, _ = ingested(reader.read_log([line]))
        assert batch.faults[0].received_at == datetime.fromisoformat(at(5))
