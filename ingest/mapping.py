"""How the columns of somebody's CSV become our fields: a YAML file. `mappings/dundee.yaml` explains each line."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Record = Literal["sessions", "spots"]

SPOT_DETAILS: Final = frozenset(
    ["zone", "site", "time_zone", "vendor", "model", "firmware", "max_power_kw", "commissioned_on", "warranty_until", "latitude", "longitude"]
)
_SESSION_FIELDS: Final = frozenset(
    ["session_id", "connector_id", "started_at", "ended_at", "energy_kwh", "meter_start_kwh", "meter_stop_kwh", "reservation_id", "user", "stop_reason"]
)
_FIELDS: Final[dict[str, frozenset[str]]] = {
    "sessions": _SESSION_FIELDS | SPOT_DETAILS | {"source", "spot_id"},
    "spots": SPOT_DETAILS | {"source", "spot_id"},
}
_NEEDED: Final[dict[str, tuple[str, ...]]] = {"sessions": ("spot_id", "session_id"), "spots": ("spot_id",)}
_BUILT_IN: Final = files("ingest") / "mappings"


class TableMapping(BaseModel):
    """A mapping, checked. `columns` leads from their column to our field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    record: Record
    columns: Annotated[dict[str, str], Field(min_length=1)]
    required: list[str] | None = None
    time_zone: str = "UTC"
    date_format: str | None = None
    energy_unit: Literal["kWh", "Wh"] = "kWh"
    decimal: Literal[".", ","] = "."
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        fields = list(self.columns.values())
        _demand(
            set(fields) <= _FIELDS[self.record],
            "columns: {} is no field of ours",
            set(fields) - _FIELDS[self.record],
        )
        return self

    def missing(self, header: Sequence[str]) -> list[str]:
        """Columns that the mapping needs and a header lacks."""
        return [column for column in self.required or self.columns if column not in header]
