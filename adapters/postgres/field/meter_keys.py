"""Stores the public keys of meters that were pinned for spots. Rows stay when keys are replaced or removed."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Engine, Index, Integer, Table, Text, text

from adapters.postgres.audit.acts import Acts, Audited, chain_columns
from adapters.postgres.eligibility.reverification import verify_again
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, MOMENT, metadata
from adapters.postgres.statements import Execute
from domain.administration.operating_acts import MeterKeyPinned, MeterKeyRemoved
from domain.administration.things import MeterKey
from domain.errors import NotFound
from domain.identifiers import new_claim_id

# Connector 0 is the whole spot. The key is its DER in hexadecimal digits.
meter_keys: Final = Table(
    "meter_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("spot_id", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("pinned_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("pinned_by", Text, nullable=False),
    Column("removed_at", MOMENT),
    Column("removed_by", Text),
    Column("removed_why", Text),
    *chain_columns(),
    Index(
        "meter_keys_pinned", "spot_id", "connector_id", unique=True, postgresql_where=text("removed_at IS NULL")
    ),
)

AUDITED: Final = Audited(meter_keys, MeterKey)

# The latest keys of a spot are listed; the rest are left out.
_LISTED: Final = 1000

_KEYS: Final = """
SELECT spot_id, connector_id, public_key FROM meter_keys WHERE spot_id = ANY(%s) AND removed_at IS NULL
"""
_TAKE_TURNS: Final = "SELECT pg_advisory_xact_lock(7305777, hashtext(%s))"
_PIN: Final = """
INSERT INTO meter_keys (id, spot_id, connector_id, public_key, reason, pinned_by) VALUES (%s, %s, %s, %s, %s, %s)
"""
_REMOVE: Final = """
UPDATE meter_keys SET removed_at = now(), removed_by = %s, removed_why = %s
WHERE spot_id = %s AND connector_id = %s AND removed_at IS NULL RETURNING id::text
"""
_LIST: Final = f"""
SELECT spot_id, connector_id, public_key, reason, pinned_at, pinned_by, removed_at, removed_by, removed_why
FROM meter_keys WHERE spot_id = %s
ORDER BY removed_at DESC NULLS FIRST, connector_id, pinned_at DESC LIMIT {_LISTED}
"""


def read_meter_keys(execute: Execute, spot_ids: Sequence[str]) -> dict[tuple[str, int], str]:
    """Reads the keys that are pinned for these spots, by spot and connector."""
    found = execute(_KEYS, sorted(set(spot_ids)))
    return {(spot_id, connector): public_key for spot_id, connector, public_key in found}


class MeterKeys:
    """Pins, removes and lists keys. Undecided claims of the spot are verified again, in the same transaction.

    Every method raises `TransientError` when the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pin(self, spot_id: str, connector_id: int, public_key: str, reason: str, who: str) -> None:
        """Pins a key, in place of any that was pinned for the connector."""
        with translated_errors(), self._engine.begin() as connection:
            _KeyActs(connection).pin(spot_id, connector_id, public_key, reason, who)

    def remove(self, spot_id: str, connector_id: int, reason: str, who: str) -> None:
        """Removes the key of a connector, or of the whole spot. Raises `NotFound`."""
        with translated_errors(), self._engine.begin() as connection:
            if not _KeyActs(connection).remove(spot_id, connector_id, reason, who):
                where = f"connector {connector_id} of spot" if connector_id else "the whole of spot"
                raise NotFound(f"No public key is pinned for {where} {spot_id}.")

    def listed(self, spot_id: str) -> list[dict[str, Any]]:
        """Lists the keys of a spot as their columns say, those that are pinned first."""
        with translated_errors(), self._engine.connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(_LIST, (spot_id,)).mappings()]


class _KeyActs(Acts):
    """Pins and removes keys within a transaction, on record."""

    def pin(self, spot_id: str, connector_id: int, public_key: str, reason: str, who: str) -> None:
        # Two who pin at once take turns, so that each replaces what the other pinned.
        self._execute(_TAKE_TURNS, spot_id)
        self.remove(spot_id, connector_id, f"replaced: {reason}", who)
        key_id = new_claim_id()
        self._execute(_PIN, key_id, spot_id, connector_id, public_key, reason, who)
        self.record_act(AUDITED, key_id, MeterKeyPinned, who)
        verify_again(self._execute, [spot_id])

    def remove(self, spot_id: str, connector_id: int, reason: str, who: str) -> bool:
        removed = [key_id for (key_id,) in self._execute(_REMOVE, who, reason, spot_id, connector_id)]
        for key_id in removed:
            self.record_act(AUDITED, key_id, MeterKeyRemoved, who)
            verify_again(self._execute, [spot_id])
        return bool(removed)
