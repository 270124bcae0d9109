"""Mappings: YAML files that lead from a table's columns to our fields.

`mappings/dundee.yaml` explains each line.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from domain.errors import SetupError
from ingest.cloudevents.types import ErrorData, FaultData, SpotData, UsageData
from ingest.tables import column_names, wall_clock

Record = Literal["sessions", "spots", "faults"]

SPOT_DETAILS: Final = frozenset({*SpotData.__annotations__, "latitude", "longitude"} - {"spot_id", "location"})
FIELDS: Final[dict[Record, frozenset[str]]] = {
    "sessions": SPOT_DETAILS | {*UsageData.__annotations__, "source"} - {"samples"},
    "spots": SPOT_DETAILS | {"spot_id", "source"},
    "faults": frozenset({*FaultData.__annotations__, *ErrorData.__annotations__} - {"error", "evidence"})
    | {"fault_id", "cleared", "source", "time_zone"},
}
IDENTITY: Final[dict[Record, tuple[str, ...]]] = {
    "sessions": ("spot_id", "session_id"),
    "spots": ("spot_id",),
    "faults": ("spot_id", "code"),
}
_TIMES: Final = ("started_at", "ended_at", "occurred_at")
_BUILT_IN: Final = files("ingest.tables") / "mappings"


class TableMapping(BaseModel):
    """A validated mapping.

    `columns` leads from their column to our field; no `delimiter`: see the header. A name in `joined` is no column
    of the file: it combines one of dates and one of times.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    record: Record
    columns: Annotated[dict[str, str], Field(min_length=1)]
    joined: dict[str, Annotated[list[str], Field(min_length=2, max_length=2)]] = {}
    required: list[str] = []
    time_zone: str = "UTC"
    date_format: str | None = None
    energy_unit: Literal["kWh", "Wh"] = "kWh"
    power_unit: Literal["kW", "W"] = "kW"
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", "'", "’", " "] | None = None
    taxonomy: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "spotclaim"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    encoding: str | None = None
    sheet: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        flaw = next(chain(self._flaws_of_columns(), self._flaws_of_times(), self._flaws_of_text()), None)
        if flaw is not None:
            raise ValueError(flaw)
        return self

    def missing_columns(self, header: Sequence[str]) -> list[str]:
        """Lists the columns that a file with this header lacks."""
        wanted = chain.from_iterable(map(self.parts, self.required or self.columns))
        return [part for part in dict.fromkeys(chain(wanted, self._left_alone(header))) if part not in header]

    def parts(self, column: str) -> list[str]:
        """Returns the file's columns behind one of the mapping: itself, or date and time."""
        return self.joined.get(column, [column])

    @property
    def sources(self) -> set[str]:
        """Returns every column of a file that this mapping reads."""
        return {part for column in self.columns for part in self.parts(column)}

    @property
    def has_one_date(self) -> bool:
        """Tells whether a session's end has no date but that of its start."""
        dates = {field: self.joined[column][0] for column, field in self.columns.items() if column in self.joined}
        return "started_at" in dates and dates["started_at"] == dates.get("ended_at")

    def column_of(self, field: str) -> str:
        """Returns the column of a mapped field."""
        return next(column for column, mapped in self.columns.items() if mapped == field)

    def _left_alone(self, header: Sequence[str]) -> Iterator[str]:
        """Yields joined columns of which a file has only the date or the time."""
        whole = [set(self.parts(column)) for column in self.columns if set(header).issuperset(self.parts(column))]
        for parts in self.joined.values():
            if any(part in header and not any(part in each for each in whole) for part in parts):
                yield from parts

    def _flaws_of_columns(self) -> Iterator[str]:
        fields, known = list(self.columns.values()), FIELDS[self.record]
        for column, field in self.columns.items():
            if field not in known:
                yield f"columns.{column}: {field!r} is none of {', '.join(sorted(known))}"
            if fields.count(field) > 1:
                yield f"columns.{column}: {field} has more than one column"
        for field in IDENTITY[self.record]:
            if field not in fields:
                yield f"columns: no column is mapped to {field}"
        for column in self.joined:
            if self.columns.get(column) not in _TIMES:
                yield f"joined.{column}: columns must map it to a time, one of {', '.join(_TIMES)}"
        for column in self.required:
            if column not in self.columns:
                yield f"required: {column!r} is not among the columns"

    def _flaws_of_times(self) -> Iterator[str]:
        try:
            wall_clock.zone(self.time_zone)
        except ValueError as error:
            yield f"time_zone: {error}"
        if self.date_format and not _is_date_format(self.date_format):
            yield f"date_format: {self.date_format!r} does not name a whole date in strptime directives"

    def _flaws_of_text(self) -> Iterator[str]:
        if self.thousands == self.decimal:
            yield f"thousands: {self.thousands!r} is the decimal sign as well"
        if self.encoding and not _is_text_encoding(self.encoding):
            yield f"encoding: {self.encoding!r} is no text encoding that Python knows"


def _is_text_encoding(name: str) -> bool:
    try:
        return b"a".decode(name, "replace") is not None
    except LookupError:
        return False


def _is_date_format(date_format: str) -> bool:
    day = datetime(2001, 2, 3)
    try:
        return datetime.strptime(day.strftime(date_format), date_format).date() == day.date()
    except ValueError:
        return False


@lru_cache(maxsize=1)
def built_in() -> dict[str, TableMapping]:
    """Returns the built-in mappings by name."""
    sources = [entry for entry in _BUILT_IN.iterdir() if entry.name.endswith(".yaml")]
    mappings = [_parse(source.name, source.read_text("utf-8")) for source in sources]
    return {mapping.name: mapping for mapping in sorted(mappings, key=lambda mapping: mapping.name)}


def load(name: str) -> TableMapping:
    """Loads a built-in mapping by its name, or any by its file. Raises `SetupError`."""
    known = built_in()
    if name in known:
        return known[name]
    try:
        return _parse(name, Path(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"Mapping {name} is neither built in ({', '.join(known)}) nor a file that can be read: {error}."
        ) from None


def choose(record: Record, header: Sequence[str]) -> TableMapping:
    """Chooses the built-in mapping that reads most columns of a header.

    Raises `SetupError` with suggestions if none fits.
    """
    candidates = candidates_for(record)
    fitting = [mapping for mapping in candidates if not mapping.missing_columns(header)]
    closest = max(fitting or candidates, key=lambda mapping: len(mapping.sources & set(header)))
    if not fitting:
        raise SetupError(
            f"No built-in mapping fits these {record}; the closest, {closest.name}, misses the columns"
            f" {', '.join(closest.missing_columns(header))}. {column_names.suggestion(header, FIELDS[record])}"
            " Write a mapping for yours and name it with --mapping."
        )
    return closest


def candidates_for(record: Record) -> list[TableMapping]:
    """Returns the built-in mappings for this record."""
    return [mapping for mapping in built_in().values() if mapping.record == record]


def _parse(origin: str, text: str) -> TableMapping:
    try:
        return TableMapping.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise SetupError(f"Mapping {origin} is not YAML: {' '.join(str(error).split())}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise SetupError(f"Mapping {origin}: {f'{where}: ' if where else ''}{what}.") from None
