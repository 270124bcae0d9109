"""Surveys a table as a whole, to find what no single row shows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from domain.eligibility import record_findings
from domain.policy.error_codes import OTHER, classify
from domain.text import count
from ingest.tables.date_order import TableTimes

# Fewer energies than these do not suffice for a judgement.
_FEW: Final = 10
_MOST_NAMED: Final = 5
_LARGE_KWH: Final = 1000.0
_ENERGY_WARNINGS: Final = (
    ("negative", 0.001, "negative"),
    ("zero", 0.2, "zero"),
    ("large", 0.01, "above 1,000 kWh, more than any battery holds; see energy_unit in the mapping"),
)


class Survey:
    """Collects each row that was understood."""

    def __init__(self) -> None:
        self.times = TableTimes()
        self.spots: set[str] = set()
        self.energy_kwh = 0.0
        self._energies: Counter[str] = Counter()
        # Whether a connector is stated, of each session.
        self._connectors: Counter[bool] = Counter()
        self._codes: Counter[tuple[str, str]] = Counter()
        self._unread: Counter[str] = Counter()
        self._unread_first: dict[str, list[str]] = {}

    def note(self, values: Mapping[str, Any], start: datetime | None, end: datetime | None = None) -> None:
        """Adds one row's fields, and its times as the row states them."""
        self.spots.add(values["spot_id"])
        if start is not None:
            self.times.note((values["spot_id"], values.get("connector_id")), start, end)
        if "session_id" in values and "code" not in values:
            self._connectors[bool(values.get("connector_id"))] += 1
        energy = values.get("energy_kwh")
        if energy is not None:
            self.energy_kwh += energy
            self._energies[_kind_of(energy)] += 1

    def note_code(self, taxonomy: str, code: str) -> None:
        """Adds the code of a fault."""
        self._codes[taxonomy, code] += 1

    def note_unread(self, column: str, cell: str, number: int) -> None:
        """Adds a cell that could not be parsed, of a row that is kept."""
        self._unread[column] += 1
        examples = self._unread_first.setdefault(column, [])
        if len(examples) < _MOST_NAMED:
            examples.append(f"{cell[:64]!r} in row {number:,}")

    def warnings(self) -> list[str]:
        """Returns sentences on what is odd about the table as a whole. Most tables give none."""
        return [
            *self._of_unread(),
            *self._of_connectors(),
            *self.times.warnings(),
            *self._of_energies(),
            *self._of_codes(),
        ]

    def _of_unread(self) -> Iterator[str]:
        for column, cells in self._unread.items():
            examples = ", ".join(self._unread_first[column])
            rows = "its row is" if cells == 1 else "their rows are"
            yield (
                f"Column {column}: {count(cells, 'cell')} cannot be read ({examples}); {rows} kept, marked"
                f" {record_findings.VALUE_UNREADABLE}."
            )

    def _of_connectors(self) -> Iterator[str]:
        if self._connectors[False] and not self._connectors[True]:
            yield (
                "No session states a connector, so none can be shown to overlap another, or to begin with a lower"
                " register than the one before; see connector_id in the mapping."
            )

    def _of_energies(self) -> Iterator[str]:
        total = self._energies.total()
        for kind, share, meaning in _ENERGY_WARNINGS:
            some = self._energies[kind]
            if total >= _FEW and some > share * total:
                yield f"{some:,} of {total:,} energies ({some / total:.1%}) are {meaning}."

    def _of_codes(self) -> Iterator[str]:
        unknown = Counter(
            {name: times for name, times in self._codes.items() if classify(*name) == OTHER != name[1].upper()}
        )
        if unknown:
            common = unknown.most_common(_MOST_NAMED)
            named = ", ".join(f"{code} of {taxonomy} ({times:,})" for (taxonomy, code), times in common)
            faults = f"{count(unknown.total(), 'fault')} {'has' if unknown.total() == 1 else 'have'}"
            yield f"{faults} a code of no known meaning, taken as {OTHER}: {named}."


def _kind_of(energy: float) -> str:
    if energy > 0:
        return "large" if energy > _LARGE_KWH else "sound"
    return "negative" if energy < 0 else "zero"
