"""A table seen as a whole: what each row by itself may well be, and all of them together cannot."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from domain.eligibility import record_findings as meter
from domain.error_codes import OTHER, classify
from ingest.tables.date_order import TableTimes

# Fewer energies than these tell nothing about a table.
_FEW: Final = 10
_MOST_NAMED: Final = 5
_LARGE_KWH: Final = 1000.0
_ENERGY_WARNINGS: Final = (
    ("negative", 0.001, "negative"),
    ("zero", 0.2, "zero"),
    ("large", 0.01, "above 1,000 kWh, more than any battery holds; see energy_unit in the mapping"),
)


class Survey:
    """Takes note of each row that was understood."""

    def __init__(self) -> None:
        self.times = TableTimes()
        self.spots: set[str] = set()
        self.energy_kwh = 0.0
        self._energies: Counter[str] = Counter()
        self._codes: Counter[tuple[str, str]] = Counter()
        self._unread: Counter[str] = Counter()
        self._unread_first: dict[str, list[str]] = {}

    def note(self, values: Mapping[str, Any], start: datetime | None, end: datetime | None = None) -> None:
        """One row's fields, and its times as the row states them."""
        self.spots.add(values["spot_id"])
        if start is not None:
            self.times.note((values["spot_id"], values.get("connector_id")), start, end)
        energy = values.get("energy_kwh")
        if energy is not None:
            self.energy_kwh += energy
            self._energies[_kind_of(energy)] += 1

    def note_code(self, taxonomy: str, code: str) -> None:
        """What a fault is called."""
        self._codes[taxonomy, code] += 1

    def note_unread(self, column: str, cell: str, number: int) -> None:
        """A cell that could not be read, of a row that is kept."""
        self._unread[column] += 1
        examples = self._unread_first.setdefault(column, [])
        if len(examples) < _MOST_NAMED:
            examples.append(f"{cell[:64]!r} in row {number:,}")

    def warnings(self) -> list[str]:
        """Sentences on what is odd about the table as a whole; none about most tables."""
        return [*self._of_unread(), *self.times.warnings(), *self._of_energies(), *self._of_codes()]

    def _of_unread(self) -> Iterator[str]:
        for column, count in self._unread.items():
            examples = ", ".join(self._unread_first[column])
            yield (
                f"Column {column}: {count:,} cells cannot be read ({examples}); their rows are kept, marked"
                f" {meter.VALUE_UNREADABLE}."
            )

    def _of_energies(self) -> Iterator[str]:
        total = self._energies.total()
        for kind, share, meaning in _ENERGY_WARNINGS:
            count = self._energies[kind]
            if total >= _FEW and count > share * total:
                yield f"{count:,} of {total:,} energies ({count / total:.1%}) are {meaning}."

    def _of_codes(self) -> Iterator[str]:
        unknown = Counter(
            {name: count for name, count in self._codes.items() if classify(*name) == OTHER != name[1].upper()}
        )
        if unknown:
            common = unknown.most_common(_MOST_NAMED)
            named = ", ".join(f"{code} of {taxonomy} ({count:,})" for (taxonomy, code), count in common)
            yield f"{unknown.total():,} faults have a code of no known meaning, taken as {OTHER}: {named}."


def _kind_of(energy: float) -> str:
    if energy > 0:
        return "large" if energy > _LARGE_KWH else "sound"
    return "negative" if energy < 0 else "zero"
