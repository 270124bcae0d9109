"""Dry runs: reads a table as an import would, writing nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from domain.errors import FileDamaged
from domain.field.batch import Batch
from domain.ports.store import Clock
from ingest.files.importer import ImportTally, understood
from ingest.files.items import Item, RefusedItem, Translated
from ingest.tables.reader import Table

_FIRST_ROWS: Final = 3
_EXAMPLES: Final = 5
_ROWS_NAMED: Final = 20


@dataclass(slots=True)
class Refusals:
    """Rows refused for one reason: their number, the first twenty, and five examples."""

    count: int = 0
    rows: list[int] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """What an import would do.

    `known` of the tally are rows that repeat another of the file, for the database is not asked; `damaged` says
    why the file cannot be read to its end.
    """

    tally: ImportTally = field(default_factory=ImportTally)
    refused: dict[str, Refusals] = field(default_factory=dict)
    first_rows: list[dict[str, Any]] = field(default_factory=list)
    warnings: Sequence[str] = ()
    damaged: str | None = None


def try_out(table: Table, clock: Clock) -> Trial:
    """Reads the whole table without writing.

    The keys of its messages are in memory until the end, some 100 bytes a row.
    """
    trial, seen = Trial(), set[str]()
    try:
        for item in table.items():
            _note(trial, item, clock, seen)
    except FileDamaged as error:
        trial.damaged = str(error)
    trial.warnings = table.survey.warnings()
    return trial


def dry_run_json(table: Table, trial: Trial) -> dict[str, Any]:
    """Formats the table and its dry run as JSON."""
    layout, survey = table.layout, table.survey
    span = survey.times.span
    return {
        "form": layout.form,
        "mapping": layout.mapping.model_dump(mode="json"),
        "columns": layout.fields,
        "unused_columns": layout.unused,
        "absent_columns": layout.absent,
        "spots": len(survey.spots),
        "first_start": span and span[0].isoformat(),
        "last_start": span and span[1].isoformat(),
        "energy_kwh": round(survey.energy_kwh, 3),
        **asdict(trial),
    }


def _note(trial: Trial, item: Item, clock: Clock, seen: set[str]) -> None:
    trial.tally.read += 1
    outcome = understood(Batch(), item, clock)
    if isinstance(outcome, RefusedItem):
        trial.tally.refused += 1
        _note_refusal(trial.refused.setdefault(outcome.reason.code, Refusals()), outcome)
    elif not outcome:
        trial.tally.ignored += 1
    elif seen.issuperset(outcome):
        trial.tally.known += 1
    else:
        trial.tally.accepted += 1
        seen.update(outcome)
        if isinstance(item, Translated) and len(trial.first_rows) < _FIRST_ROWS:
            trial.first_rows.append({"row": item.number, **item.events[-1]["data"]})


def _note_refusal(so_far: Refusals, refused: RefusedItem) -> None:
    so_far.count += 1
    number = refused.number or 0
    if len(so_far.rows) < _ROWS_NAMED:
        so_far.rows.append(number)
    if len(so_far.examples) < _EXAMPLES:
        raw = refused.raw.decode("utf-8", "replace").strip()[:200]
        so_far.examples.append({"row": number, "sentence": refused.reason.sentence, "raw": raw})
