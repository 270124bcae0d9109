"""What most would write: one message is one task is one transaction, in SQLAlchemy, row by row.

`usual_dramatiq` and `usual_celery` call this same function. It makes the rows that Spotclaim makes, with less
care: nothing is validated, nothing is looked up in case it is a duplicate, nothing is retried but the race to open
a claim.
SQLAlchemy Core and not the ORM, which would be slower.
"""

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, bindparam, create_engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from adapters.postgres.audit.events import audit_events
from adapters.postgres.claims.claims import claims
from adapters.postgres.field.faults import faults
from adapters.postgres.steps.steps import steps

QUEUE = "usual"

_CODES = {
    "ConnectorLockFailure": ("CONNECTOR_LOCK_FAILURE", "allocation_failure", "high"),
    "PowerMeterFailure": ("METER_UNREADABLE", "usage_discrepancy", "high"),
    "EVSE_OCCUPIED": ("SPOT_OCCUPIED", "allocation_failure", "low"),
}

_engine = create_engine(os.environ.get("SPOTCLAIM_DATABASE_URL", "postgresql+psycopg2://"), pool_size=16)

# Built once: building a statement anew for each message would cost more than sending it.
_FIND = (
    select(claims.c.id, claims.c.version, claims.c.head, claims.c.fault_count)
    .where(claims.c.spot_id == bindparam("wanted_spot"), claims.c.code == bindparam("wanted_code"))
    .where(claims.c.status.not_in(("rejected", "resolved")))
    .with_for_update()
)
_COUNT = update(claims).where(claims.c.id == bindparam("wanted_id"))


def take_in(event: dict[str, Any]) -> None:
    """One fault, one transaction."""
    try:
        with _engine.begin() as connection:
            _take_in(connection, event)
    except IntegrityError:  # somebody else opened the claim between our look and our insert
        with _engine.begin() as connection:
            _take_in(connection, event)


def _take_in(connection: Connection, event: dict[str, Any]) -> None:
    data, now = event["data"], datetime.now(UTC)
    code = _CODES[data["error"]["code"]]
    wanted = {"wanted_spot": data["spot_id"], "wanted_code": code[0]}
    claim = connection.execute(_FIND, wanted).mappings().first()
    body = orjson.dumps({"spot_id": data["spot_id"], "code": code[0], "message": event["id"], "data": data})
    head = sha256((claim["head"] if claim else b"") + body).digest()
    claim_id, seq = (claim["id"], claim["version"] + 1) if claim else (str(uuid4()), 1)
    if claim is None:
        connection.execute(insert(claims), _new_claim(claim_id, data, code, now, head))
        connection.execute(insert(steps), {"kind": "verify", "subject_ids": [claim_id], "due_at": now})
    else:
        counted = {"fault_count": claim["fault_count"] + 1, "last_seen_at": data["occurred_at"]}
        connection.execute(_COUNT, counted | {"wanted_id": claim_id, "version": seq, "head": head})
    connection.execute(insert(faults), _fault(event, data, claim_id, code[0], now))
    connection.execute(
        insert(audit_events),
        {
            "subject_id": claim_id,
            "seq": seq,
            "at": now,
            "actor": event["source"],
            "kind": "claim.faults_counted" if claim else "claim.opened",
            "body": body.decode(),
            "hash": head,
        },
    )


def _new_claim(
    claim_id: str, data: dict[str, Any], code: tuple[str, str, str], now: datetime, head: bytes
) -> dict[str, Any]:
    return {
        "id": claim_id,
        "spot_id": data["spot_id"],
        "code": code[0],
        "claim_type": code[1],
        "severity": code[2],
        "status": "submitted",
        "connector_id": data["connector_id"],
        "zone": data["zone"],
        "affected_user": data["affected_user"],
        "reservation_id": data["reservation_id"],
        "session_id": data["session_id"],
        "opened_at": now,
        "first_seen_at": data["occurred_at"],
        "last_seen_at": data["occurred_at"],
        "resolve_due_at": now + timedelta(hours=72),
        "fault_count": 1,
        "stage": 0,
        "stages": [],
        "policy_version": "2026-11-22",
        "version": 1,
        "head": head,
    }


def _fault(event: dict[str, Any], data: dict[str, Any], claim_id: str, code: str, now: datetime) -> dict[str, Any]:
    return {
        "key": str(UUID(event["id"])),
        "source": event["source"],
        "message_id": event["id"],
        "claim_id": claim_id,
        "spot_id": data["spot_id"],
        "connector_id": data["connector_id"],
        "code": code,
        "taxonomy": data["error"]["taxonomy"],
        "raw_code": data["error"]["code"],
        "info": data["error"]["info"],
        "cleared": False,
        "occurred_at": data["occurred_at"],
        "received_at": now,
        "time_quality": "stated",
        "zone": data["zone"],
        "affected_user": data["affected_user"],
        "reservation_id": data["reservation_id"],
        "session_id": data["session_id"],
        "description": data["description"],
        "evidence": data["evidence"],
    }
