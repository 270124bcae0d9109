"""From bytes to domain: each type of message, both modes of CloudEvents, and everything that is refused."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.field.batch import QUARANTINE_BODY_LIMIT, Batch
from ingest.cloudevents import decode
from tests.builders import NOW, a_message, a_piece, an_event
from tests.unit.ingest.fuzzing import fuzzed

RECEPTION = decode.Reception(NOW, "test", "controller-7")
USAGE = "spotclaim.usage.recorded.v1"
SPOT = "spotclaim.spot.registered.v1"
ERROR = {"taxonomy": "ocpp1.6", "code": "GroundFailure", "info": "R3"}


def ingested(body: bytes, headers: dict[str, Any] | None = None) -> Batch:
    batch = Batch()
    decode.ingest_message(batch, body, RECEPTION, headers)
    assert len(batch) == 1
    return batch


def refusal(body: bytes, headers: dict[str, Any] | None = None) -> tuple[str, str]:
    [item] = ingested(body, headers).quarantined
    return item.reason, item.sentence


def a_fault_message(**data: Any) -> bytes:
    return a_message({"spot_id": "E1", "error": ERROR} | data)


def a_usage_message(**data: Any) -> bytes:
    return a_message({"spot_id": "E1", "session_id": "s-1"} | data, type=USAGE)


@pytest.mark.parametrize(("kind", "cleared"), [("raised", False), ("cleared", True)])
def test_a_fault_carries_everything_it_said(kind: str, cleared: bool) -> None:
    """Raised or cleared, word for word."""
    said = {
        "connector_id": 2,
        "occurred_at": "2026-03-10T10:30:00Z",
        "zone": "north",
        "affected_user": "u-1",
        "reservation_id": "r-1",
        "session_id": "s-1",
        "description": "<b>hot</b>",
        "severity_hint": "high",
        "evidence": [a_piece("meter_reading", more={"a": [1]})],
    }
    data = {"spot_id": "E1", "error": ERROR} | said

    [fault] = ingested(a_message(data, type=f"spotclaim.fault.{kind}.v1")).faults

    assert fault.cleared is cleared
    assert (fault.taxonomy, fault.raw_code, fault.info) == ("ocpp1.6", "GroundFailure", "R3")
    assert fault.occurred_at == datetime(2026, 3, 10, 10, 30, tzinfo=UTC)
    assert {name: getattr(fault, name) for name in said if name != "occurred_at"} == {
        name: value for name, value in said.items() if name != "occurred_at"
    }
    assert (fault.received_at, fault.filed_by, fault.code, fault.claim_id) == (NOW, "controller-7", "", None)


def test_a_usage_record_is_judged_on_the_way() -> None:
    """Wrong values are kept as they were sent, and marked."""
    [record] = ingested(
        a_usage_message(
            connector_id=1,
            started_at="2026-03-10T09:00:00Z",
            ended_at="2026-03-10T10:00:00Z",
            energy_kwh=-39.62,
            meter_start_kwh=-1,
            meter_stop_kwh=2**63 - 1,
            samples=[{"at": "x", "kwh": 1}],
        )
    ).usage

    assert (record.energy_kwh, record.meter_start_kwh, record.meter_stop_kwh) == (-39.62, -1.0, 2.0**63)
    assert record.findings == ["NEGATIVE_ENERGY", "REGISTER_UNKNOWN"]
    assert record.samples == [{"at": "x", "kwh": 1}]
    assert record.recorded_at == datetime(2026, 3, 10, 11, tzinfo=UTC)


def test_signed_values_are_kept_as_they_came() -> None:
    """With whatever else they carry; a record without any has none."""
    signed = [{"text": "OCMF|{}|{}", "format": "OCMF", "context": "End", "public_key": "MFkw", "more": {"a": 1}}]
    assert ingested(a_usage_message(signed=signed)).usage[0].signed == signed
    assert ingested(a_usage_message()).usage[0].signed is None
    for wrong in (
        [{"format": "OCMF"}],
        [{"text": " "}],
        [{"text": "x" * 32_769}],
        [{"text": "x"}] * 9,
        "OCMF|{}|{}",
    ):
        code, sentence = refusal(a_usage_message(signed=wrong))
        assert code in ("MISSING_FIELD", "INVALID_FIELD")
        assert sentence.startswith("data.signed")


def test_a_spot_is_registered() -> None:
    """With its days as days and its place as two numbers."""
    data = {
        "spot_id": "E1",
        "zone": "north",
        "time_zone": "Europe/Berlin",
        "max_power_kw": 22,
        "commissioned_on": "2020-02-29",
        "warranty_until": "2026-12-31T00:00:00Z",
        "location": {"latitude": 52.5, "longitude": 13.4},
    }

    [spot] = ingested(a_message(data, type=SPOT)).spots

    assert (spot.commissioned_on, spot.warranty_until) == (date(2020, 2, 29), date(2026, 12, 31))
    assert (spot.latitude, spot.longitude, spot.max_power_kw) == (52.5, 13.4, 22.0)
    assert spot.registered_at == datetime(2026, 3, 10, 11, tzinfo=UTC)


def test_numbers_where_identifiers_belong_become_text() -> None:
    """Controllers write transaction ids as numbers."""
    [record] = ingested(a_usage_message(spot_id=17, session_id=42)).usage

    assert (record.spot_id, record.session_id) == ("17", "42")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("METER_MISREED", "'METER_MISREED' is not a code of spotclaim; the nearest is METER_MISREAD."),
        ("reservation_not_confirmt", "the nearest is RESERVATION_NOT_CONFIRMED."),
        ("E42", "'E42' is not a code of spotclaim."),
    ],
)
@pytest.mark.parametrize("taxonomy", ["spotclaim", "Spotclaim"])
def test_a_mistyped_code_of_our_own_is_refused(taxonomy: str, code: str, words: str) -> None:
    """Or a claim would be of another error than the one that was meant."""
    reason, sentence = refusal(a_fault_message(error={"taxonomy": taxonomy, "code": code}))

    assert (reason, sentence.endswith(words)) == ("UNKNOWN_CODE", True)


def test_an_unknown_code_of_another_taxonomy_is_kept() -> None:
    """Vendors have more than anybody knows."""
    [fault] = ingested(a_fault_message(error={"taxonomy": "ocpp1.6", "code": "E42"})).faults

    assert fault.raw_code == "E42"


@pytest.mark.parametrize(("stated", "kept"), [(-1, None), ("0", None), ("", None), (12, "12"), (None, None)])
def test_no_reservation_has_several_spellings(stated: object, kept: str | None) -> None:
    """Two sessions without one do not share it."""
    [fault] = ingested(a_fault_message(reservation_id=stated)).faults
    [usage] = ingested(a_usage_message(reservation_id=stated)).usage

    assert (fault.reservation_id, usage.reservation_id) == (kept, kept)


def test_fields_of_their_own_are_let_pass() -> None:
    """A newer source may say more than we understand."""
    assert ingested(a_fault_message(colour="green")).faults


@pytest.mark.parametrize("separator", [":", "_"])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_binary_mode_carries_the_attributes_in_headers(separator: str, as_bytes: bool) -> None:
    """AMQP binding of CloudEvents: the body is the data alone, and the message is the same as in one piece."""
    event = an_event()
    headers: dict[str, Any] = {
        f"cloudEvents{separator}{name}": value.encode() if as_bytes else value
        for name, value in event.items()
        if name != "data"
    }

    in_headers = ingested(orjson.dumps(event["data"]), headers | {"x-other": 1})

    assert in_headers == ingested(orjson.dumps(event))


def test_binary_mode_may_carry_time_as_a_timestamp() -> None:
    """AMQP has a type of its own for moments; it means UTC."""
    headers = {f"cloudEvents:{name}": value for name, value in an_event().items() if name != "data"}
    headers["cloudEvents:time"] = datetime(2026, 3, 10, 11)

    [fault] = ingested(orjson.dumps(an_event()["data"]), headers).faults

    assert (fault.occurred_at, fault.time_quality) == (NOW - timedelta(hours=1), "stated")


def test_binary_mode_lacks_what_its_headers_lack() -> None:
    """Half an envelope is no envelope."""
    assert refusal(b"{}", {"cloudEvents:id": "1"})[0] == "MISSING_FIELD"


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"{", "NOT_JSON", "Not JSON"),
        (b"[]", "INVALID_FIELD", "The message"),
        (b"{}", "MISSING_FIELD", "specversion"),
        (a_message(specversion="0.3"), "INVALID_FIELD", "specversion"),
        (a_message(id=""), "INVALID_FIELD", "id"),
        (a_message(source="s" * 1025), "INVALID_FIELD", "source"),
        (a_message(data=[]), "INVALID_FIELD", "data"),
        (a_message(type="spotclaim.fault.raised.v2"), "UNKNOWN_TYPE", "spotclaim.fault.raised.v2"),
        (a_message({"error": ERROR}), "MISSING_FIELD", "data.spot_id"),
        (a_message({"spot_id": "E1"}), "MISSING_FIELD", "data.error"),
        (a_fault_message(error={"taxonomy": "x"}), "MISSING_FIELD", "data.error.code"),
        (a_fault_message(spot_id=""), "INVALID_FIELD", "data.spot_id"),
        (a_fault_message(spot_id="E" * 65), "INVALID_FIELD", "data.spot_id"),
        (a_fault_message(connector_id=-1), "INVALID_FIELD", "data.connector_id"),
        (a_fault_message(connector_id=2**31), "INVALID_FIELD", "data.connector_id"),
        (a_fault_message(evidence=[a_piece("note")] * 65), "INVALID_FIELD", "data.evidence"),
        (a_fault_message(evidence=[{"kind": "song"}]), "INVALID_FIELD", "data.evidence.0.kind"),
        (a_fault_message(occurred_at="yesterday"), "INVALID_TIME", "occurred_at"),
        (a_message({"spot_id": "E1"}, type=USAGE), "MISSING_FIELD", "data.session_id"),
        (a_usage_message(energy_kwh="much"), "INVALID_FIELD", "data.energy_kwh"),
        (a_usage_message(energy_kwh="NaN"), "INVALID_FIELD", "data.energy_kwh"),
        (a_usage_message(meter_stop_kwh="Infinity"), "INVALID_FIELD", "data.meter_stop_kwh"),
        (a_usage_message(started_at="10000-01-01T00:00:00Z"), "INVALID_TIME", "started_at"),
        (a_message({"spot_id": "E1", "warranty_until": "soon"}, type=SPOT), "INVALID_TIME", "warranty_until"),
        (a_message({"spot_id": "E1", "location": {"latitude": 1}}, type=SPOT), "MISSING_FIELD", "longitude"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_reason(body: bytes, code: str, words: str) -> None:
    """The code is stable, and the sentence names the field."""
    found, sentence = refusal(body)

    assert found == code
    assert words in sentence


def test_sixty_four_pieces_of_evidence_are_taken() -> None:
    """The limit is met exactly."""
    assert len(ingested(a_fault_message(evidence=[a_piece("note")] * 64)).faults[0].evidence) == 64


def test_a_refused_message_keeps_its_bytes() -> None:
    """All of them up to a limit, and always its whole size and how it came in."""
    short, long = b"\xff\x00 not json", b"x" * (QUARANTINE_BODY_LIMIT + 1)

    [kept], [cut] = ingested(short).quarantined, ingested(long).quarantined

    assert (kept.size, kept.door, kept.source, kept.received_at) == (len(short), "test", "controller-7", NOW)
    assert (orjson.loads(f'"{kept.body}"'), cut.size) == ("/wAgbm90IGpzb24=", QUARANTINE_BODY_LIMIT + 1)
    assert len(cut.body) == -(-QUARANTINE_BODY_LIMIT // 3) * 4


class TestIdentity:
    """Under which key a message will be known."""

    def test_spelling_does_not_matter(self) -> None:
        """The same event with other spaces and another order of keys is the same message."""
        event = an_event()
        shuffled = dict(reversed(event.items())) | {"data": dict(reversed(event["data"].items()))}

        one = decode.identify(orjson.dumps(event))
        other = decode.identify(orjson.dumps(shuffled, option=orjson.OPT_INDENT_2))

        assert one == other
        assert one.source == "controller:7"

    @pytest.mark.parametrize(
        "change", [{"id": "other"}, {"source": "other"}, {"time": "2026-03-10T11:00:01Z"}, {"time": None}]
    )
    def test_each_attribute_matters(self, change: dict[str, Any]) -> None:
        """Another id, source or time is another message."""
        event = an_event(id="e")

        assert decode.identify(orjson.dumps(event)).key != decode.identify(orjson.dumps(event | change)).key

    def test_it_is_the_key_the_message_is_stored_under(self) -> None:
        """Taken in or in quarantine."""
        for body in (a_message(), a_usage_message(), a_message({"spot_id": "E1"}, type=SPOT), b"nonsense"):
            batch = ingested(body)
            [stored] = [*batch.faults, *batch.usage, *batch.spots, *batch.quarantined]

            assert decode.identify(body).key == stored.key

    def test_how_it_came_in_does_not_matter(self) -> None:
        """A message that comes again later by another endpoint is known."""
        body, later = a_message(), Batch()
        decode.ingest_message(
            later, body, replace(RECEPTION, at=NOW + timedelta(days=1), endpoint="api", filed_by=None)
        )

        assert later.faults[0].key == ingested(body).faults[0].key


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
fields_of = st.sampled_from(
    [
        "spot_id",
        "error",
        "session_id",
        "occurred_at",
        "started_at",
        "energy_kwh",
        "evidence",
        "location",
        "samples",
    ]
)
types = st.sampled_from(["spotclaim.fault.raised.v1", "spotclaim.fault.cleared.v1", USAGE, SPOT])
moments = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)).map(datetime.isoformat)


@given(st.binary(max_size=300))
@fuzzed
def test_arbitrary_bytes_are_quarantined(body: bytes) -> None:
    """Nothing a stranger sends raises."""
    [item] = ingested(body).quarantined

    assert item.reason != "NOT_READABLE"


@given(types, st.dictionaries(fields_of, anything | moments, max_size=6), anything | moments)
@fuzzed
def test_arbitrary_data_is_taken_or_refused(kind: str, data: dict[str, Any], time: Any) -> None:
    """Whatever stands in whichever field; a mistake of ours would show as `NOT_READABLE`."""
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": kind, "time": time, "data": data}

    batch = ingested(json.dumps(event).encode())

    assert [item.reason for item in batch.quarantined if item.reason == "NOT_READABLE"] == []
    orjson.dumps(batch)
