"""Decodes and validates messages, once, from bytes to domain types."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

from domain.eligibility import record_findings
from domain.errors import EvidenceRefused, MalformedMessage
from domain.evidence.content import demand_content
from domain.field.batch import QUARANTINE_BODY_LIMIT, Batch, Quarantined
from domain.field.fault import IMPLAUSIBLE, STATED, Fault, settle_time
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.identifiers import message_key
from domain.policy.error_codes import CLAIM_TYPES, OWN_TAXONOMY, reports_nothing
from ingest.cloudevents import strict_json
from ingest.cloudevents.moments import date_of, moment_of, optional_moment
from ingest.cloudevents.types import (
    FAULT_CLEARED,
    FAULT_RAISED,
    SPOT_REGISTERED,
    USAGE_RECORDED,
    CloudEvent,
    EvidenceData,
    FaultData,
    SpotData,
    UsageData,
)
from ingest.cloudevents.unknown_fields import unknown_fields

log = structlog.get_logger("wire")

_validate_event = TypeAdapter(CloudEvent).validator.validate_python
_validate_fault = TypeAdapter(FaultData).validator.validate_python
_validate_usage = TypeAdapter(UsageData).validator.validate_python
_validate_spot = TypeAdapter(SpotData).validator.validate_python


@dataclass(frozen=True, slots=True)
class Reception:
    """How a message was received: when, by which endpoint, and who vouches for it.

    `filed_by` is a broker user or an API token's user.
    """

    at: datetime
    endpoint: str
    filed_by: str | None = None


def ingest_message(
    batch: Batch, body: bytes, reception: Reception, headers: Mapping[str, Any] | None = None
) -> None:
    """Adds a message to the batch, decoded or quarantined with the reason.

    Never raises. `headers` are AMQP headers; where they carry CloudEvents attributes, the body is the data alone
    (binary mode).
    """
    attributes = _binary_mode(headers) if headers else None
    try:
        ingest_event(batch, _event(body, attributes), reception)
    except MalformedMessage as reason:
        batch.quarantined.append(quarantined(body, reason, reception, attributes))
    except Exception as bug:
        # A bug must not stop the neighbours of the message that triggers it.
        log.exception("message not readable")
        sentence = f"Reading the message failed: {type(bug).__name__}."
        batch.quarantined.append(
            quarantined(body, MalformedMessage("NOT_READABLE", sentence), reception, attributes)
        )


def ingest_event(batch: Batch, event: Any, reception: Reception) -> Fault | UsageRecord | Spot:
    """Adds one parsed event to the batch and returns it decoded. Raises `MalformedMessage`."""
    envelope: CloudEvent = _checked(_validate_event, event, "")
    try:
        add = _READERS[envelope["type"]]
    except KeyError:
        known = ", ".join(_READERS)
        sentence = f"Type {envelope['type'][:128]!r} is not one of {known}."
        raise MalformedMessage("UNKNOWN_TYPE", sentence, "/type") from None
    return add(batch, envelope, reception)


def quarantined(
    body: bytes, reason: MalformedMessage, reception: Reception, attributes: Mapping[str, Any] | None = None
) -> Quarantined:
    """Creates the quarantine record of a message that could not be decoded.

    `attributes` are those that the body does not hold.
    """
    beside = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS, default=str) if attributes else b""
    return Quarantined(
        key=blake2b(body + beside, digest_size=16).hexdigest(),
        reason=reason.code,
        sentence=reason.sentence,
        body=b64encode(body[:QUARANTINE_BODY_LIMIT]).decode(),
        size=len(body),
        received_at=reception.at,
        door=reception.endpoint,
        source=reception.filed_by,
        attributes=orjson.loads(beside) if beside else None,
    )


def completed(item: Any, attributes: Mapping[str, Any] | None, made_id: str) -> Any:
    """Completes an event from its bare data and what else is known of it. A whole event is returned as it is."""
    if attributes is None or not isinstance(item, dict) or "specversion" in item:
        return item
    return {"specversion": "1.0", "id": made_id, **attributes, "data": item}


def _event(body: bytes, attributes: Mapping[str, Any] | None) -> Any:
    return {**attributes, "data": strict_json.loads(body)} if attributes else strict_json.loads(body)


def _binary_mode(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the CloudEvents attributes in AMQP headers: `cloudEvents:id` or `cloudEvents_id`."""
    return {
        name[12:]: _attribute(value)
        for name, value in headers.items()
        if name.startswith(("cloudEvents:", "cloudEvents_"))
    }


def _attribute(value: Any) -> Any:
    """Converts an AMQP value: a timestamp without an offset, or text as bytes."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _checked(validate: Callable[[Any], Any], value: Any, where: str) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = [where, *map(str, first["loc"])] if where else [*map(str, first["loc"])]
        code = "MISSING_FIELD" if first["type"] == "missing" else "INVALID_FIELD"
        sentence = f"{'.'.join(path) or 'The message'}: {first['msg']}."
        raise MalformedMessage(code, sentence, "".join(f"/{part}" for part in path)) from None


# Fields that each reader converts; every other field of the data is copied by name.
_CONVERTED_OF_FAULT = ("error", "occurred_at")
_CONVERTED_OF_USAGE = ("started_at", "ended_at")
_CONVERTED_OF_SPOT = ("commissioned_on", "warranty_until", "location")
_NO_RESERVATION = ("-1", "0", "")


def _read_fault(batch: Batch, event: CloudEvent, reception: Reception) -> Fault:
    data: FaultData = _checked(_validate_fault, event["data"], "data")
    stated = data.get("occurred_at") or event.get("time")
    named = "occurred_at" if data.get("occurred_at") else "time"
    moment, offset_known = (None, True) if stated is None else moment_of(stated, named)
    occurred_at, quality = settle_time(moment, reception.at)
    if not offset_known:
        occurred_at, quality = reception.at, IMPLAUSIBLE
    error = data["error"]
    if event["type"] == FAULT_RAISED and reports_nothing(error["taxonomy"], error["code"]):
        sentence = f"{error['code']} of {error['taxonomy']} reports no fault; say which one is over, as cleared."
        raise MalformedMessage("NO_FAULT", sentence, "/data/error/code")
    _demand_own_code(error["taxonomy"], error["code"])
    _demand_evidence(data.get("evidence", ()))
    fault = Fault(
        key=_key(event),
        source=event["source"],
        message_id=event["id"],
        taxonomy=error["taxonomy"],
        raw_code=error["code"],
        info=error.get("info"),
        occurred_at=occurred_at,
        received_at=reception.at,
        time_quality=quality,
        stated_time=None if quality == STATED else stated,
        cleared=event["type"] == FAULT_CLEARED,
        filed_by=reception.filed_by,
        unknown=unknown_fields(event["data"], FaultData),
        **_without(data, _CONVERTED_OF_FAULT),
    )
    batch.faults.append(fault)
    return fault


def _demand_own_code(taxonomy: str, code: str) -> None:
    """Refuses a code that Spotclaim's own taxonomy does not have. Others are taken as `OTHER` and kept."""
    if taxonomy.lower() != OWN_TAXONOMY or code.upper() in CLAIM_TYPES:
        return
    near = get_close_matches(code.upper(), CLAIM_TYPES, n=1)
    meant = f"; the nearest is {near[0]}" if near else ""
    sentence = f"{code[:64]!r} is not a code of {OWN_TAXONOMY}{meant}."
    raise MalformedMessage("UNKNOWN_CODE", sentence, "/data/error/code")


def _demand_evidence(pieces: Iterable[EvidenceData]) -> None:
    """Refuses a message with a piece of evidence that is none: nobody could approve anything by it."""
    for place, piece in enumerate(pieces):
        try:
            demand_content(piece["kind"], piece)
        except EvidenceRefused as refused:
            sentence = f"data.evidence.{place}: {refused.sentence}"
            raise MalformedMessage(refused.code, sentence, f"/data/evidence/{place}{refused.pointer}") from None


def _read_usage(batch: Batch, event: CloudEvent, reception: Reception) -> UsageRecord:
    data: UsageData = _checked(_validate_usage, event["data"], "data")
    record = UsageRecord(
        key=_key(event),
        source=event["source"],
        message_id=event["id"],
        recorded_at=_event_time(event, reception),
        received_at=reception.at,
        started_at=optional_moment(data.get("started_at"), "started_at"),
        ended_at=optional_moment(data.get("ended_at"), "ended_at"),
        unknown=unknown_fields(event["data"], UsageData),
        **_without(data, _CONVERTED_OF_USAGE),
    )
    record.findings = record_findings.findings(record)
    batch.usage.append(record)
    return record


def _read_spot(batch: Batch, event: CloudEvent, reception: Reception) -> Spot:
    data: SpotData = _checked(_validate_spot, event["data"], "data")
    location = data.get("location")
    spot = Spot(
        key=_key(event),
        source=event["source"],
        message_id=event["id"],
        registered_at=_event_time(event, reception),
        received_at=reception.at,
        commissioned_on=date_of(data.get("commissioned_on"), "commissioned_on"),
        warranty_until=date_of(data.get("warranty_until"), "warranty_until"),
        latitude=location["latitude"] if location else None,
        longitude=location["longitude"] if location else None,
        unknown=unknown_fields(event["data"], SpotData),
        **_without(data, _CONVERTED_OF_SPOT),
    )
    batch.spots.append(spot)
    return spot


def _without(data: Any, names: tuple[str, ...]) -> Any:
    """Removes these fields from the data, and reads no connector as the whole spot.

    Stations write -1 and 0 for no reservation.
    """
    for name in names:
        data.pop(name, None)
    if data.get("connector_id", 0) is None:
        data["connector_id"] = 0
    if data.get("reservation_id") in _NO_RESERVATION:
        data["reservation_id"] = None
    return data


_READERS: dict[str, Callable[[Batch, CloudEvent, Reception], Fault | UsageRecord | Spot]] = {
    FAULT_RAISED: _read_fault,
    FAULT_CLEARED: _read_fault,
    USAGE_RECORDED: _read_usage,
    SPOT_REGISTERED: _read_spot,
}


@dataclass(frozen=True, slots=True)
class MessageIdentity:
    """The key of a message, and its source if it states one."""

    key: str
    source: str | None


def identify(body: bytes) -> MessageIdentity:
    """Returns the identity of a message from its bytes. Never raises."""
    batch = Batch()
    ingest_message(batch, body, Reception(datetime.now(UTC), "identity"))
    taken: list[Fault | UsageRecord | Spot | Quarantined] = [*batch.faults, *batch.usage, *batch.spots]
    message = (taken or batch.quarantined)[0]
    return MessageIdentity(message.key, message.source)


def _key(event: CloudEvent) -> str:
    payload = orjson.dumps(event["data"], option=orjson.OPT_SORT_KEYS)
    return message_key(event["source"], event["id"], event.get("time"), payload)


def _event_time(event: CloudEvent, reception: Reception) -> datetime:
    moment = optional_moment(event.get("time"), "time")
    return settle_time(moment, reception.at)[0]
