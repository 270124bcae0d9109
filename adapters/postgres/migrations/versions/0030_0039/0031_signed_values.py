"""Signed meter values come with usage records and as evidence; public keys of meters are pinned for spots.

`evidence_that_counts` is that of migration 0026, with one kind more.
"""

from alembic import op

revision = "0031"
down_revision = "0030"

_GENESIS = "00" * 32
_SIGNED = "ALTER TABLE usage_records ADD COLUMN signed jsonb"
_KEYS = f"""
CREATE TABLE meter_keys (
    id uuid PRIMARY KEY,
    spot_id text NOT NULL,
    connector_id integer NOT NULL,
    public_key text NOT NULL,
    reason text NOT NULL,
    pinned_at timestamptz NOT NULL DEFAULT now(),
    pinned_by text NOT NULL,
    removed_at timestamptz,
    removed_by text,
    removed_why text,
    version integer NOT NULL DEFAULT 0,
    head bytea NOT NULL DEFAULT '\\x{_GENESIS}'::bytea
)
"""
_PINNED = "CREATE UNIQUE INDEX meter_keys_pinned ON meter_keys (spot_id, connector_id) WHERE removed_at IS NULL"

_DAY = "[0-9]{4}-[01][0-9]-[0-3][0-9]"
_RFC_3339 = f"^{_DAY}[Tt ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-][0-2][0-9]:[0-5][0-9])$"
_COUNTS = r"""
CREATE OR REPLACE FUNCTION evidence_that_counts(pieces jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT jsonb_path_query_array(pieces, 'strict $[*] ? (
    (@.kind == "meter_reading" && @.register.type() == "number" && @.register >= 0
        && (@.unit == "Wh" || @.unit == "kWh")
        && @.time like_regex RFC_3339)
    || (@.kind == "signed_meter_value" && @.format like_regex "[^ \t\r\n]" && @.text like_regex "[^ \t\r\n]")
    || (@.kind == "reservation_response" && @.status like_regex "[^ \t\r\n]"
        && @.time like_regex RFC_3339)
    || (@.kind == "session" && (@.session_id.type() == "number" || @.session_id like_regex "[^ \t\r\n]"))
    || ((@.kind == "photo" || @.kind == "document")
        && @.url like_regex "^https://[^ \t\r\n/?#@]+([/?#][^ \t\r\n]*)?$"
        && @.sha256 like_regex "^[0-9A-Fa-f]{64}$")
    || (@.kind == "note" && @.text like_regex "[^ \t\r\n]")
)')
$$;
"""


def upgrade() -> None:
    for statement in (_SIGNED, _KEYS, _PINNED, _COUNTS.replace("RFC_3339", f'"{_RFC_3339}"')):
        op.execute(statement)
