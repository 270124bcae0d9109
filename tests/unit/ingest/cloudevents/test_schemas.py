"""The schemas and intake agree: what is valid by them is ingested, and what is not is refused."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, timedelta, timezone
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic_asyncapi.v3 import AsyncAPI

from domain.evidence.content import NOT_BLANK
from domain.field.batch import Batch
from domain.policy.error_codes import OWN_TAXONOMY
from ingest.cloudevents import decode, schemas
from ingest.rabbitmq import topology
from tests.builders import NOW, an_event
from tests.unit.ingest.fuzzing import fuzzed

TEXTS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
OFFSETS = [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=12))]
FORMATS = {
    "date-time": st.datetimes(timezones=st.sampled_from(OFFSETS)).map(lambda moment: moment.isoformat()),
    "date": st.dates().map(lambda day: day.isoformat()),
    "uri": st.sampled_from(["https://example.org", "https://example.org/1.png?at=2#3"]),
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(TEXTS, max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(TEXTS, max_size=5), inner, max_size=3),
    max_leaves=5,
)
FULL = {kind: jsonschema_rs.Draft202012Validator(schemas.json_schema(kind)) for kind in schemas.KINDS}
KINDS = pytest.mark.parametrize("kind", schemas.KINDS)


def instances(schema: dict[str, Any], parts: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Instances of a schema that says no more than ours do."""
    if "$ref" in schema:
        return instances(parts[schema["$ref"].rpartition("/")[2]], parts)
    if "anyOf" in schema:
        return st.one_of([instances(one, parts) for one in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    return _BY_TYPE[schema["type"]](schema, parts)


def _text(schema: dict[str, Any], _: Any) -> st.SearchStrategy[Any]:
    if "format" in schema:
        return FORMATS[schema["format"]]
    if "pattern" in schema and schema["pattern"] != NOT_BLANK:
        return st.from_regex(schema["pattern"].rstrip("$") + r"\Z")
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 500)
    texts = st.text(TEXTS, min_size=shortest, max_size=min(longest, 500)) | st.just("x" * longest)
    return texts.filter(re.compile(NOT_BLANK).search) if "pattern" in schema else texts


def _object(schema: dict[str, Any], parts: Any) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(st.text(TEXTS, max_size=5), ANYTHING, max_size=3)
    fields = {name: instances(one, parts) for name, one in schema["properties"].items()}
    needed = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional=fields)


_BY_TYPE: dict[str, Callable[[Any, Any], st.SearchStrategy[Any]]] = {
    "null": lambda *_: st.none(),
    "boolean": lambda *_: st.booleans(),
    "string": _text,
    "integer": lambda schema, _: st.integers(schema["minimum"], schema["maximum"]),
    "number": lambda schema, _: (
        st.floats(schema.get("minimum"), allow_nan=False, allow_infinity=False)
        | st.integers(schema.get("minimum", -(2**62)), 2**62)
    ),
    "array": lambda schema, parts: st.lists(instances(schema["items"], parts), max_size=3),
    "object": _object,
}


def valid(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    schema = schemas.json_schema(kind)
    return instances(schema, schema["$defs"])


VALID = {kind: valid(kind) for kind in schemas.KINDS}


def ingested(event: Any) -> Batch:
    batch = Batch()
    decode.ingest_message(batch, orjson.dumps(event), decode.Reception(NOW, "test"))
    return batch


@KINDS
@fuzzed
@given(data=st.data())
def test_what_is_valid_is_taken_in(kind: str, data: st.DataObject) -> None:
    """Every event that the schema allows, but for NoError, which raises nothing, and own codes that are none."""
    event = data.draw(VALID[kind])
    assume("noerror" not in str(event).lower())
    assume(str(event["data"].get("error", {}).get("taxonomy")).lower() != OWN_TAXONOMY)
    FULL[kind].validate(event)

    assert [(item.reason, item.sentence) for item in ingested(event).quarantined] == []


# What may stand in no place of ours, of whatever type the field is.
NEVER = ([], [[]], {"": {}}, True)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every part of an event that its schema describes."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, one in inner for deeper in places(one, (*path, name)))]


def changed(event: Any, path: tuple[Any, ...], value: Any) -> Any:
    whole = [deepcopy(event)]
    holder: Any = whole
    for step in (0, *path[:-1])[: len(path)]:
        holder = holder[step]
    holder[path[-1] if path else 0] = value
    return whole[0]


@pytest.mark.parametrize("text", ["\ufeff", "\x1c", "\x85", " \ufeff\u2003", "x\ufeff"])
def test_the_schema_and_intake_agree_on_what_is_blank(text: str) -> None:
    """Though Python, Rust and ECMAScript do not."""
    event = an_event()
    event["data"] |= {"spot_id": text, "evidence": [{"kind": "note", "text": text}]}

    assert FULL["fault"].is_valid(event) == (not ingested(event).quarantined) == ("x" in text)


@pytest.mark.parametrize("number", [-(2**63), -(2**63) + 1, 2**63 - 1, 2**63])
def test_the_schema_allows_the_integers_that_intake_reads(number: int) -> None:
    """Not the lowest of 64 bits, whose amount does not fit."""
    event = an_event()
    event["data"]["evidence"] = [{"kind": "session", "session_id": number}]

    assert FULL["fault"].is_valid(event) == (not ingested(event).quarantined) == (abs(number) < 2**63)


@KINDS
@fuzzed
@given(data=st.data())
def test_what_is_of_a_wrong_type_is_refused(kind: str, data: st.DataObject) -> None:
    """Wherever it stands, the schema and intake both refuse it."""
    event = data.draw(VALID[kind])
    broken = changed(event, data.draw(st.sampled_from(places(event))), data.draw(st.sampled_from(NEVER)))
    assume(not FULL[kind].is_valid(broken))

    [item] = ingested(broken).quarantined
    assert item.reason in ("INVALID_FIELD", "MISSING_FIELD", "UNKNOWN_TYPE")


@KINDS
@fuzzed
@given(data=st.data())
def test_what_lacks_a_field_is_refused(kind: str, data: st.DataObject) -> None:
    """Those that the schema requires, at any depth."""
    event = data.draw(VALID[kind])
    *way, name = data.draw(st.sampled_from([path for path in places(event) if path and isinstance(path[-1], str)]))
    holder = broken = deepcopy(event)
    for step in way:
        holder = holder[step]
    del holder[name]
    assume(not FULL[kind].is_valid(broken))

    assert [item.reason for item in ingested(broken).quarantined] == ["MISSING_FIELD"]


@pytest.mark.parametrize(
    ("kind", "field", "value", "reason"),
    [
        ("fault", "spot_id", "", "INVALID_FIELD"),
        ("fault", "spot_id", " \t", "INVALID_FIELD"),
        ("fault", "spot_id", "x" * 65, "INVALID_FIELD"),
        ("fault", "connector_id", -1, "INVALID_FIELD"),
        ("fault", "connector_id", 2**31, "INVALID_FIELD"),
        ("fault", "connector_id", 1.5, "INVALID_FIELD"),
        ("fault", "zone", "x" * 257, "INVALID_FIELD"),
        ("fault", "evidence", [{"kind": "rumour"}], "INVALID_FIELD"),
        ("fault", "evidence", [{"kind": "note", "text": "x"}] * 65, "INVALID_FIELD"),
        ("fault", "error", {"taxonomy": "", "code": "x"}, "INVALID_FIELD"),
        ("fault", "error", {"taxonomy": "x", "code": "x" * 257}, "INVALID_FIELD"),
        ("usage", "session_id", "", "INVALID_FIELD"),
        ("usage", "energy_kwh", "much", "INVALID_FIELD"),
        ("usage", "samples", {}, "INVALID_FIELD"),
        ("spot", "location", {"latitude": 1.0}, "MISSING_FIELD"),
    ],
)
def test_what_is_out_of_bounds_is_refused(kind: str, field: str, value: Any, reason: str) -> None:
    """Each bound of the schema is one of intake."""
    [event] = schemas.json_schema(kind)["examples"]
    broken = changed(event, ("data", field), value)

    assert not FULL[kind].is_valid(broken)
    assert [item.reason for item in ingested(broken).quarantined] == [
        "INVALID_FIELD" if field != "location" else "MISSING_FIELD"
    ]


@KINDS
def test_the_examples_are_examples(kind: str) -> None:
    """Valid, and ingested without a mark."""
    [event] = schemas.json_schema(kind)["examples"]
    FULL[kind].validate(event)

    batch = ingested(event)
    assert (len(batch), batch.quarantined) == (1, [])


@KINDS
def test_the_schemas_are_schemas(kind: str) -> None:
    """Of the dialect that they name, complete in themselves."""
    jsonschema_rs.meta.validate(schemas.json_schema(kind))
    assert schemas.json_schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_asyncapi_document_is_one() -> None:
    """By a model of AsyncAPI 3.0, which knows no routing keys as channels, so that these are left out."""
    document = schemas.asyncapi()
    for channel in document["channels"].values():
        assert channel.pop("bindings")["amqp"]["exchange"]["name"] == topology.EXCHANGE

    AsyncAPI.model_validate(document)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    """And every type that RabbitMQ routes has its channel and its message."""
    document = schemas.asyncapi()
    for reference in _references(document):
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]

    addresses = {
        name: channel["address"] for channel in document["channels"].values() for name in channel["messages"]
    }
    assert addresses == topology.ROUTING_KEYS


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for one in part for found in _references(one)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for one in part.values() for found in _references(one)]
