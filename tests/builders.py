"""Small builders: a sound example of each thing, of which a test changes only what it is about."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import yaml

from adapters.policy.presets import Preset, preset_text
from adapters.policy.reader import restore_policy
from domain.audit.chain import AuditEvent
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.decision_events import ClaimNoted
from domain.claims.events import ClaimRestated
from domain.claims.lifecycle import CLOSED
from domain.claims.number import NewIdentity, identities
from domain.eligibility import record_findings as meter
from domain.eligibility.evaluation import EvaluationInput
from domain.evidence.item import Evidence, compose
from domain.field.batch import Batch, Quarantined
from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.identifiers import new_claim_id
from domain.incidents.incident import Incident
from domain.notifications.delivery import Delivery
from domain.policy.policy import Policy

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FAULT_TIME = NOW - timedelta(hours=1)
FAULT_RAISED = "spotclaim.fault.raised.v1"

_numbers = count(1)


def a_key(*parts: object) -> str:
    """32 hexadecimal digits: the same for the same parts, new each time without any."""
    text = repr(parts or next(_numbers))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def ids() -> Iterator[str]:
    """Claim ids that tests can foresee."""
    return (f"00000000-0000-7000-8000-{number:012d}" for number in count(1))


def new_identities() -> NewIdentity:
    """Gives claims ids and numbers that tests can foresee."""
    return identities(ids(), count(1), NOW).__next__


def a_fault(**changes: Any) -> Fault:
    fields: dict[str, Any] = {
        "key": a_key(),
        "source": "controller:7",
        "message_id": f"m-{next(_numbers)}",
        "spot_id": "DE*ABC*E1",
        "taxonomy": "spotclaim",
        "raw_code": "METER_MISREAD",
        "occurred_at": FAULT_TIME,
        "received_at": NOW,
    }
    return Fault(**(fields | changes))


def a_clear(**changes: Any) -> Fault:
    return a_fault(**({"cleared": True} | changes))


def a_claim(**changes: Any) -> Claim:
    """A claim without audit events, submitted an hour after its fault; closed now if its status says so."""
    fields: dict[str, Any] = {
        "id": new_claim_id(),
        "spot_id": "DE*ABC*E1",
        "code": "METER_MISREAD",
        "claim_type": "usage_discrepancy",
        "severity": "high",
        "status": "submitted",
        "opened_at": NOW,
        "first_seen_at": FAULT_TIME,
        "last_seen_at": FAULT_TIME,
        "resolve_due_at": NOW + timedelta(hours=72),
        "policy_version": "test",
        "fault_count": 1,
    }
    if changes.get("status") in CLOSED:
        fields["closed_at"] = NOW
    return Claim(**(fields | changes))


def a_claim_under_review(*stages: str, **changes: Any) -> Claim:
    return a_claim(**({"status": "under_review", "stages": list(stages or ["reviewer"]), "stage": 1} | changes))


def a_usage_record(**changes: Any) -> UsageRecord:
    """A sound session of an hour that ended when the fault occurred; findings follow from its figures."""
    fields: dict[str, Any] = {
        "key": a_key(),
        "source": "controller:7",
        "message_id": f"u-{next(_numbers)}",
        "spot_id": "DE*ABC*E1",
        "session_id": f"s-{next(_numbers)}",
        "recorded_at": NOW,
        "received_at": NOW,
        "started_at": FAULT_TIME - timedelta(hours=1),
        "ended_at": FAULT_TIME,
        "energy_kwh": 11.0,
        "meter_start_kwh": 100.0,
        "meter_stop_kwh": 111.0,
    }
    record = UsageRecord(**(fields | changes))
    if "findings" not in changes:
        record.findings = meter.findings(record)
    return record


def a_spot(**changes: Any) -> Spot:
    fields: dict[str, Any] = {
        "key": a_key(),
        "source": "operator",
        "message_id": f"p-{next(_numbers)}",
        "spot_id": "DE*ABC*E1",
        "registered_at": NOW - timedelta(days=100),
        "received_at": NOW,
    }
    return Spot(**(fields | changes))


def an_input(claim: Claim, *usage: UsageRecord, spot: Spot | None = None) -> EvaluationInput:
    return EvaluationInput(claim, spot, usage)


def a_delivery(**changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": new_claim_id(),
        "destination": "ops",
        "event": "claim.under_review",
        "title": "METER_MISREAD on spot DE*ABC*E1",
        "body": "DE*ABC*E1 (high): reported once",
        "created_at": NOW,
    }
    return Delivery(**(fields | changes))


def an_incident(**changes: Any) -> Incident:
    """An open incident of a zone, without audit events."""
    fields: dict[str, Any] = {
        "id": new_claim_id(),
        "code": "METER_MISREAD",
        "kind": "zone",
        "place": "north",
        "threshold": 3,
        "opened_at": NOW,
        "first_seen_at": FAULT_TIME,
        "last_seen_at": FAULT_TIME,
        "touched_at": NOW,
        "claim_count": 5,
        "peak": 4,
        "told_peak": 4,
    }
    return Incident(**(fields | changes))


def an_item(claim: Claim, **changes: Any) -> Evidence:
    """A note of the technician's for this claim, just filed."""
    fields: dict[str, Any] = {
        "id": new_claim_id(),
        "claim_id": claim.id,
        "kind": "note",
        "added_at": NOW,
        "added_by": "technician",
        "content": compose("note", note="The display shows 18234.5 kWh."),
    }
    return Evidence(**(fields | changes))


PIECES: dict[str, dict[str, Any]] = {
    "meter_reading": {"register": 18234.5, "unit": "kWh", "time": "2026-03-10T11:00:00+01:00"},
    "signed_meter_value": {"format": "OCMF", "text": 'OCMF|{"RD":[]}|{"SD":"3044"}'},
    "reservation_response": {"status": "Rejected", "time": "2026-03-10T10:00:00Z"},
    "session": {"session_id": "s-1"},
    "photo": {"url": "https://example.org/display.jpg", "sha256": "ab" * 32},
    "document": {"url": "https://example.org/report.pdf", "sha256": "cd" * 32},
    "note": {"text": "The display is dark."},
}


def a_piece(kind: str, **changes: Any) -> dict[str, Any]:
    """A sound piece of evidence of this kind, as a fault brings it."""
    return {"kind": kind} | PIECES[kind] | changes


def a_png(text: bytes = b"") -> bytes:
    """A picture of one pixel; another one for another text."""
    pixel = zlib.compress(b"\0\xff\xff\xff")
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"tEXt", text),
        (b"IDAT", pixel),
        (b"IEND", b""),
    )
    written = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def a_quarantined(body: bytes = b"not json", **changes: Any) -> Quarantined:
    fields: dict[str, Any] = {
        "key": blake2b(body, digest_size=16).hexdigest(),
        "reason": "NOT_JSON",
        "sentence": "Not JSON at character 0.",
        "body": b64encode(body).decode(),
        "size": len(body),
        "received_at": NOW,
        "door": "test",
    }
    return Quarantined(**(fields | changes))


def a_policy(**changes: Any) -> Policy:
    """The lenient policy, with these fields changed: most tests are not about its gates."""
    return replace(_lenient_policy(), **changes)


@cache
def _lenient_policy() -> Policy:
    """Read once: that takes longer than most tests."""
    return restore_policy(orjson.dumps(yaml.safe_load(preset_text(Preset.LENIENT)), default=str).decode())


def a_policy_file(
    folder: Path, *, incidents: bool = True, quiet_minutes: float | None = None, **pace: float
) -> Path:
    """The lenient policy as a file, but for its pace: sent at once, as it comes, unless `pace` says otherwise.

    Without `incidents` nobody is notified of them, and so everybody of all claims. One without news is over after
    twice the `quiet_minutes`.
    """
    document = yaml.safe_load(preset_text(Preset.LENIENT))
    document |= {"version": "test", "pace": {"digest_seconds": 0, "per_minute": 10_000} | pace}
    if not incidents:
        kept = [rule for rule in document["notifications"] if not rule["event"].startswith("incident.")]
        document["notifications"] = kept
    if quiet_minutes is not None:
        # A version has one content.
        document["version"] = f"quiet for {quiet_minutes} minutes"
        document["incidents"]["quiet_minutes"] = quiet_minutes
    file = folder / "policy.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def a_batch(**parts: Any) -> Batch:
    return Batch(**{name: list(items) for name, items in parts.items()})


def an_event(data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A CloudEvent: a fault unless `type` and `data` say otherwise."""
    fault = {"spot_id": "DE*ABC*E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
    fields = {
        "specversion": "1.0",
        "id": f"e-{next(_numbers)}",
        "source": "controller:7",
        "type": FAULT_RAISED,
        "time": "2026-03-10T11:00:00Z",
        "data": fault if data is None else data,
    }
    return fields | changes


def a_message(data: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """An event as it travels."""
    return orjson.dumps(an_event(data, **changes))


def a_chain(claim: Claim, length: int = 5) -> list[AuditEvent]:
    """So many audit events of a claim: it is stated, and then notes, each another one."""
    changes = Changes()
    changes.append(claim, ClaimRestated.of(claim), NOW, "actor 0")
    for number in range(1, length):
        changes.record(claim, ClaimNoted(note=f"{number}"), NOW + timedelta(minutes=number), f"actor {number}")
    return list(changes.events)
