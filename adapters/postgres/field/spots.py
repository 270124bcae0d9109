"""Stores registrations, and reads what those of a spot say together."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from sqlalchemy import Column, Date, Double, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.eligibility.reverification import verify_again
from adapters.postgres.field.message_identity import message_identity
from adapters.postgres.metadata import MOMENT, metadata
from adapters.postgres.statements import Execute, Executor, insert, insert_in_order
from domain.field.spot import REGISTRATION_ORDER, Spot

spots: Final = Table(
    "spots",
    metadata,
    *message_identity(),
    Column("spot_id", Text, nullable=False),
    Column("zone", Text),
    Column("site", Text),
    Column("time_zone", Text),
    Column("vendor", Text),
    Column("model", Text),
    Column("firmware", Text),
    Column("max_power_kw", Double),
    Column("commissioned_on", Date),
    Column("warranty_until", Date),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("unknown", JSONB),
    Column("registered_at", MOMENT, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Index("spots_spot", "spot_id"),
)

_WRITTEN: Final = (
    "key",
    "source",
    "message_id",
    "spot_id",
    "zone",
    "site",
    "time_zone",
    "vendor",
    "model",
    "firmware",
    "max_power_kw",
    "commissioned_on",
    "warranty_until",
    "latitude",
    "longitude",
    "unknown",
    "registered_at",
    "received_at",
)

# Every registration is kept, and a spot is what they say together, by `REGISTRATION_ORDER`.
_LATEST_FIRST: Final = ", ".join(f"{name} DESC" for name in REGISTRATION_ORDER)
_LATEST_WORD: Final = f"(array_agg({{0}} ORDER BY {_LATEST_FIRST}) FILTER (WHERE {{0}} IS NOT NULL))[1]"
_SPOT_AS: Final = {
    "key": _LATEST_WORD.format("key::text"),
    "spot_id": "spot_id",
    "registered_at": "max(registered_at)",
    "received_at": "max(received_at)",
}
_SPOT: Final = ", ".join(
    _SPOT_AS.get(field.name, _LATEST_WORD.format(field.name)) for field in fields(Spot) if field.name != "unknown"
)
_SPOTS: Final = f"SELECT {_SPOT} FROM spots WHERE spot_id = ANY(%s) GROUP BY spot_id"
# Where spots are known to stand, and what their model is called in detection; to be grouped by spot.
SPOT_ZONE: Final = _LATEST_WORD.format("zone")
SPOT_TIME_ZONE: Final = _LATEST_WORD.format("time_zone")
SPOT_MODEL: Final = "nullif(concat_ws(' ', {}, {}, {}), '')".format(
    *(_LATEST_WORD.format(name) for name in ("vendor", "model", "firmware"))
)

_INSERT_SPOTS: Final = insert(spots, _WRITTEN, "ON CONFLICT (key) DO NOTHING")


def read_spots(execute: Execute, spot_ids: Sequence[str]) -> dict[str, Spot]:
    """Reads these spots by their ids; those that nobody registered are left out."""
    found = [Spot(*row) for row in execute(_SPOTS, list(spot_ids))]
    return {spot.spot_id: spot for spot in found}


class SpotRows(Executor):
    """Writes registrations within a transaction."""

    def register_spots(self, spots: Sequence[Spot]) -> int:
        new = insert_in_order(self._execute, _INSERT_SPOTS, spots)
        if new:
            verify_again(self._execute, sorted({spot.spot_id for spot in spots}))
        return new
