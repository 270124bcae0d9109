"""The one table that a run prints."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

_WIDTH = 140


@dataclass(frozen=True)
class Row:
    """One figure. `met` is None where there is nothing to aim for."""

    benchmark: str
    what: str
    figure: str
    spread: str = ""
    aim: str = ""
    met: bool | None = None


def rate_row(benchmark: str, what: str, rates: Sequence[float], unit: str, at_least: float | None = None) -> Row:
    """A rate: the median of its repetitions, and the lowest and highest of them."""
    middle = median(rates)
    return Row(
        benchmark,
        what,
        f"{middle:,.0f} {unit}",
        _spread(rates, "{:,.0f}"),
        f">= {at_least:,.0f}" if at_least is not None else "",
        middle >= at_least if at_least is not None else None,
    )


def ratio_row(benchmark: str, what: str, ours: Sequence[float], theirs: Sequence[float], at_least: float) -> Row:
    """Our rate over theirs: the median of the ratios of neighbouring repetitions, so that a slow minute of the
    machine weighs on both."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    middle = median(ratios)
    spread = _spread(ratios, "{:.2f}")
    return Row(benchmark, what, f"{middle:.2f} x", spread, f">= {at_least:g} x", middle >= at_least)


def ceiling_row(benchmark: str, what: str, value: float, unit: str, at_most: float | None = None) -> Row:
    """A figure that should be small."""
    aim, met = (f"<= {at_most:g}", value <= at_most) if at_most is not None else ("", None)
    return Row(benchmark, what, f"{value:,.1f} {unit}", "", aim, met)


def show(rows: Iterable[Row], notes: Iterable[str]) -> None:
    """Prints the table and how to read it."""
    table = Table(title="Spotclaim benchmarks", title_justify="left")
    for heading in ("benchmark", "what", "figure", "lowest - highest", "aim", "met"):
        table.add_column(heading, justify="right" if heading in ("figure", "aim") else "left", no_wrap=True)
    before = ""
    for row in rows:
        if before and row.benchmark != before:
            table.add_section()
        met = {None: "", True: "yes", False: "NO"}[row.met]
        table.add_row(
            "" if row.benchmark == before else row.benchmark, row.what, row.figure, row.spread, row.aim, met
        )
        before = row.benchmark
    # Off a terminal the table is as wide as it needs to be.
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    console.print(table)
    for note in notes:
        console.print(note, soft_wrap=True, highlight=False)


def _spread(values: Sequence[float], form: str) -> str:
    return f"{form.format(min(values))} - {form.format(max(values))}" if len(values) > 1 else ""
