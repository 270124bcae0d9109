"""No input makes the reader raise or stops its neighbour."""

import contextlib
import json
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SetupError
from ingest.ocpp import reader
from tests.unit.ingest.fuzzing import fuzzed
from tests.unit.ingest.ocpp.rows import at, ingested, log, status

FIELDS: Final = (
    "connectorId", "status", "errorCode", "info", "vendorErrorCode", "vendorId", "timestamp", "evseId",
    "connectorStatus", "transactionId", "meterStart", "meterStop", "transactionData", "meterValue",
    "reservationId", "id", "idTag", "idToken", "expiryDate", "expiryDateTime", "eventData", "eventType", "evse",
    "transactionInfo", "chargingStation", "chargePointVendor", "reason", "reservationUpdateStatus", "generatedAt",
)  # fmt: skip
WORDS: Final = (
    "Faulted", "NoError", "OtherError", "Available", "Accepted", "Rejected", "Started", "Ended", "true", "false",
    "CX001", "Problem", "Alerting", "name", "value", "2025-10-01T08:00:00Z", "0001-01-01T00:00:00Z", "unit", "NaN",
    "2025-10-01T08:00+02", "-1", "kWh", "Energy.Active.Import.Register", "https://chargex.inl.gov", "F001,F003",
    "com.evgo.mrec",
)  # fmt: skip

words = st.sampled_from(WORDS + FIELDS)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | words | st.text(max_size=20)
keys = words | st.text(max_size=5)


def one_level(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return scalars | st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)


# No handler looks deeper, and what goes deeper takes most of the time.
values = one_level(one_level(scalars))
parts = st.fixed_dictionaries({"name": words}, optional={"evse": values, "instance": values})
events = st.fixed_dictionaries(
    {},
    optional={
        "component": values | parts,
        "variable": values | parts,
        "sampledValue": st.lists(st.dictionaries(words, values, max_size=3), max_size=3),
        **dict.fromkeys(("actualValue", "cleared", "trigger", "techCode", "timestamp"), values),
    },
)
payloads = st.dictionaries(st.sampled_from(FIELDS), values | st.lists(events, max_size=2), max_size=6)
actions = st.sampled_from([*reader._HANDLERS, *reader._BY_VERSION, "Heartbeat"])
ids = st.sampled_from(["1", "2", "3"])
frames = (
    st.tuples(st.just(2), ids, actions, payloads)
    | st.tuples(st.just(3), ids, payloads | st.fixed_dictionaries({"transactionId": values, "status": values}))
    | st.tuples(st.just(4), ids, scalars, scalars, values)
)

GOOD = status(3599, "Faulted", "GroundFailure", uid="good", timestamp=at(3599))


@given(st.lists(st.tuples(st.integers(0, 3600), frames), max_size=8))
@fuzzed
def test_every_frame_is_accounted_for_once(timed: list[tuple[int, Any]]) -> None:
    """Given any frames, then each is accepted, known, ignored or refused, and a good one after them is read."""
    rows = [[at(second), "CH-1", json.dumps(frame)] for second, frame in timed]

    batch, tally = ingested(reader.read_log(log([*rows, GOOD])))

    assert tally.read == tally.accepted + tally.known + tally.refused + tally.ignored == len(rows) + 1
    assert any(fault.message_id == f"good@{at(3599)}" for fault in batch.faults)
    assert not any(item.reason == "NOT_READABLE" for item in batch.quarantined)


@given(st.lists(st.text(max_size=60) | values.map(json.dumps) | frames.map(json.dumps), max_size=6))
@fuzzed
def test_any_lines_give_items_or_a_word_on_the_setup(lines: list[str]) -> None:
    """Given lines of anything, as bare frames of one station, then nothing else ever comes out."""
    with contextlib.suppress(SetupError):
        ingested(reader.read_log([f"{line}\n" for line in lines], "CH-1"))


@given(st.text(max_size=100))
@fuzzed
def test_any_text_in_a_row_leaves_its_neighbour_alone(message: str) -> None:
    """Given any text as a message, then the frame after it is read."""
    batch, _ = ingested(reader.read_log(log([[at(0), "CH-1", message], GOOD])))

    assert [fault.raw_code for fault in batch.faults] == ["GroundFailure"]
