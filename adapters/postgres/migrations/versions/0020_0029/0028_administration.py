"""Administrative acts are on record: who may act, who acts for whom, silences, destinations, quarantine, policies.

Each row gets a chain of its own, which begins with one event that restates it as it is found. Run `audit verify`
before, and look at what is there: what was altered by then is restated as it is.

The audit tables belong to `spotclaim_audit` (migration 0006). A role that migrates without being a superuser must
be able to act as that role.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from alembic import op
from sqlalchemy import Connection

revision = "0028"
down_revision = "0027"

# All of the events are looked through for the index.
_PATIENCE = "SET LOCAL statement_timeout = '1h'"
_GENESIS = "00" * 32
_AT_ONCE = 1000

_BORROW = """
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        AND (SELECT tableowner FROM pg_tables WHERE tablename = 'audit_events') = 'spotclaim_audit' THEN
        EXECUTE format('GRANT spotclaim_audit TO %I', current_user);
        GRANT CREATE ON SCHEMA public TO spotclaim_audit;
    END IF;
END $$;
"""
_RETURN = """
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        AND (SELECT tableowner FROM pg_tables WHERE tablename = 'audit_events') = 'spotclaim_audit' THEN
        REVOKE CREATE ON SCHEMA public FROM spotclaim_audit;
        EXECUTE format('REVOKE spotclaim_audit FROM %I', current_user);
    END IF;
END $$;
"""
_INDEX = "CREATE INDEX audit_events_administration ON audit_events (at) WHERE subject_kind = 'administration'"

_CHAIN = f"""
ALTER TABLE {{table}} ADD COLUMN {{version}} integer NOT NULL DEFAULT 0,
    ADD COLUMN head bytea NOT NULL DEFAULT '\\x{_GENESIS}'::bytea
"""
_SUBJECT = "ALTER TABLE {table} ADD COLUMN subject_id uuid"
_UNIQUE = "ALTER TABLE {table} ALTER COLUMN subject_id SET NOT NULL, ADD UNIQUE (subject_id)"
_DECIDED = "CREATE INDEX quarantine_decided ON quarantine (key) WHERE version > 0 OR state <> 'open'"
_KEYS = f"""
CREATE TABLE audit_keys (
    id uuid PRIMARY KEY,
    key text NOT NULL,
    previous text,
    since timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    version integer NOT NULL DEFAULT 0,
    head bytea NOT NULL DEFAULT '\\x{_GENESIS}'::bytea
)
"""

# The names that ids are made of, as `domain.administration.things.thing_id` does.
_NAMESPACE = UUID("5b0f9d0e-2f0c-4c3e-9a57-6d1a1c3f2b27")
_NAMED = {"api_tokens": ("token", "name"), "policies": ("policy", "version"), "destinations": ("row", "id::text")}

# Table, kind of event, its columns (spelled where they are no columns), which rows, and the column of the key.
_RESTATED: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
    (
        "delegations",
        "delegation",
        {name: f'"{name}"' for name in ("role", "of", "to", "until", "created_at", "revoked_at")},
        "true",
        "id",
    ),
    (
        "api_tokens",
        "token",
        {name: name for name in ("name", "role", "digest", "created_at", "disabled_at")},
        "true",
        "subject_id",
    ),
    (
        "silences",
        "silence",
        {
            name: name
            for name in (
                *("created_by", "why", "created_at", "starts_at", "ends_at", "ended_by"),
                *("codes", "severities", "claim_types", "zones", "destinations"),
            )
        },
        "true",
        "id",
    ),
    (
        "destinations",
        "destination",
        {name: name for name in ("name", "shown", "added_at", "added_by", "removed_at", "removed_by")}
        | {"url_digest": "sha256(convert_to(url, 'UTF8'))"},
        "true",
        "subject_id",
    ),
    (
        "quarantine",
        "message",
        {
            name: name
            for name in (
                *("state", "reason", "sentence", "size", "door", "source", "message_id", "attributes"),
                *("received_at", "settled_at", "settled_by", "settled_why", "editors"),
            )
        }
        | {"message_key": "message_key::text", "body_digest": "sha256(body)", "edited_digest": "sha256(edited)"},
        "(state <> 'open' OR edited IS NOT NULL OR editors <> '{}')",
        "key",
    ),
    (
        "policies",
        "policy",
        {"name": "version", "digest": "digest", "first_loaded_at": "first_loaded_at"}
        | {"content_digest": "sha256(convert_to(content, 'UTF8'))"},
        "true",
        "subject_id",
    ),
)
_INSERT = """
INSERT INTO audit_events (subject_id, seq, at, actor, kind, body, hash)
SELECT (r->>0)::uuid, 1, (r->>1)::timestamptz, 'migration:0028', r->>2, r->>3, decode(r->>4, 'hex')
FROM jsonb_array_elements(%s::jsonb) AS r
"""
_MOVE = """
UPDATE {table} t SET {version} = 1, head = decode(r->>4, 'hex')
FROM jsonb_array_elements(%s::jsonb) AS r WHERE t.{key} = (r->>0)::uuid
"""


def upgrade() -> None:
    for statements in (_PATIENCE, _BORROW, _INDEX, _RETURN):
        op.execute(statements)
    connection, now = op.get_bind(), _spelled(datetime.now(UTC))
    for table, kind, columns, which, key in _RESTATED:
        version = "chain_version" if table == "policies" else "version"
        if key == "subject_id":
            _name(connection, table)
        op.execute(_CHAIN.format(table=table, version=version))
        _restate(connection, (table, key, version, which), f"administration.{kind}_restated", columns, now)
    op.execute(_DECIDED)
    op.execute(_KEYS)


def _name(connection: Connection, table: str) -> None:
    """Gives each row an id that follows from its name."""
    connection.exec_driver_sql(_SUBJECT.format(table=table))
    kind, name = _NAMED[table]
    for (called,) in connection.exec_driver_sql(f"SELECT {name} FROM {table}").all():
        connection.exec_driver_sql(
            f"UPDATE {table} SET subject_id = %s WHERE {name} = %s",
            (str(uuid5(_NAMESPACE, f"{kind} {called}")), called),
        )
    connection.exec_driver_sql(_UNIQUE.format(table=table))


def _restate(
    connection: Connection, of: tuple[str, str, str, str], kind: str, columns: dict[str, str], now: str
) -> None:
    """Begins the chain of every row of a table, and moves the row on to it."""
    table, key, version, which = of
    after = "00000000-0000-0000-0000-000000000000"
    wanted = ", ".join(columns.values())
    sql = f"SELECT {key}::text, {wanted} FROM {table} WHERE {which} AND {key} > %s::uuid ORDER BY {key} LIMIT %s"
    while rows := connection.exec_driver_sql(sql, (after, _AT_ONCE)).all():
        parameters = json.dumps([_event(row, kind, tuple(columns), now) for row in rows])
        connection.exec_driver_sql(_INSERT, (parameters,))
        connection.exec_driver_sql(_MOVE.format(table=table, version=version, key=key), (parameters,))
        connection.exec_driver_sql(
            "INSERT INTO audit_pending (subject_ids) VALUES (%s::uuid[])", ([row[0] for row in rows],)
        )
        after = rows[-1][0]


def _event(row: Any, kind: str, names: tuple[str, ...], now: str) -> list[Any]:
    subject_id, *values = row
    stated = {name: _spelled(value) for name, value in zip(names, values, strict=True)}
    body = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = f"{subject_id}\n1\n{now}\nmigration:0028\n{kind}\n{body}"
    digest = hashlib.sha256(bytes.fromhex(_GENESIS) + text.encode()).hexdigest()
    return [subject_id, now, kind, body, digest]


def _spelled(value: Any) -> Any:
    """A value as events state it: moments in UTC with microseconds, digests in hexadecimal digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    return bytes(value).hex() if isinstance(value, memoryview | bytes) else value
