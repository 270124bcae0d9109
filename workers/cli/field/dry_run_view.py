"""Formats the result of `spotclaim import --dry-run`."""

from collections.abc import Iterator
from typing import Any

from domain.text import count
from ingest.tables.dry_run import Refusals, Trial
from ingest.tables.reader import Table
from workers.runtime.escaping import escaped


def lines(table: Table, trial: Trial) -> Iterator[str]:
    """Yields how the file is understood, what an import would do, and warnings."""
    yield from map(escaped, _sections(table, trial))


def _sections(table: Table, trial: Trial) -> Iterator[str]:
    yield "Understood"
    yield from _understood(table)
    yield "First rows"
    for row in trial.first_rows:
        yield f"  row {row['row']}: " + ", ".join(_pairs(row))
    yield "An import would find"
    yield from _totals(table, trial)
    for code, refused in trial.refused.items():
        yield from _refused(code, refused)
    for warning in trial.warnings:
        yield f"Warning: {warning}"
    if trial.damaged:
        yield f"Broken off after row {trial.tally.read:,}: {trial.damaged}"
    yield "Nothing was written."


def _understood(table: Table) -> Iterator[str]:
    layout = table.layout
    by = layout.mapping
    yield f"  file      {layout.form}"
    yield f"  mapping   {by.name}, {by.record}"
    yield from _listed("columns", [f"{column} -> {field}" for column, field in layout.fields.items()])
    yield from _listed("unused", layout.unused)
    yield from _listed("absent", layout.absent)
    yield f"  times     {by.date_format or 'ISO 8601'}, {by.time_zone} where neither time nor row states a zone"
    grouped = f", {by.thousands!r} between thousands" if by.thousands else ""
    yield f"  numbers   decimal sign {by.decimal!r}{grouped}; {by.energy_unit}, {by.power_unit}"


def _listed(what: str, names: list[str]) -> Iterator[str]:
    if names:
        yield f"  {what:<9} {', '.join(names)}"


def _pairs(row: dict[str, Any]) -> Iterator[str]:
    for name, value in row.items():
        if name == "error":
            yield from _pairs(value)
        elif name != "row":
            yield f"{name} {value}"


def _totals(table: Table, trial: Trial) -> Iterator[str]:
    tally, survey = trial.tally, table.survey
    yield (
        f"  {count(tally.read, 'row')}: {tally.accepted:,} to accept, {tally.known:,} that repeat another,"
        f" {tally.refused:,} to refuse, {tally.ignored:,} without anything for Spotclaim"
    )
    facts = [count(len(survey.spots), "spot")]
    if survey.times.span:
        facts.append("times from {:%Y-%m-%d %H:%M} to {:%Y-%m-%d %H:%M}".format(*survey.times.span))
    if survey.energy_kwh:
        facts.append(f"{survey.energy_kwh:,.0f} kWh in all")
    yield f"  {', '.join(facts)}"


def _refused(code: str, refused: Refusals) -> Iterator[str]:
    rows = ", ".join(f"{number:,}" for number in refused.rows)
    yield f"  {code}: {count(refused.count, 'row')} ({rows}{', …' if refused.count > len(refused.rows) else ''})"
    for example in refused.examples:
        yield f"    row {example['row']:,}: {example['sentence']}"
        yield f"      {example['raw']}"
