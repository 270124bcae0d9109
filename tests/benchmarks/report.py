"""What a run says: a row for each figure, with what it is to be held against."""

import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.benchmarks.scale import Scale

_HEADINGS = ("figure", "lowest - highest", "aim", "met")
_MET = {None: "", True: "yes", False: "NO"}


@dataclass(frozen=True)
class Row:
    """One figure, as people read it and as `value` and `unit`. `met` is None where there is nothing to aim for."""

    benchmark: str
    what: str
    value: float
    unit: str
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
        middle,
        unit,
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
    return Row(benchmark, what, middle, "x", f"{middle:.2f} x", spread, f">= {at_least:g} x", middle >= at_least)


def ceiling_row(benchmark: str, what: str, value: float, unit: str, at_most: float | None = None) -> Row:
    """A figure that should be small."""
    aim, met = (f"<= {at_most:g}", value <= at_most) if at_most is not None else ("", None)
    return Row(benchmark, what, value, unit, f"{value:,.1f} {unit}", "", aim, met)


@dataclass
class Part:
    """One benchmark of a run: its rows, which it prints as they come, and why it failed if it did."""

    name: str
    seconds: float = 0.0
    failure: str | None = None
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Prints the row at once, so that a run which is cut short has told what it knew."""
        if not self.rows or row.benchmark != self.rows[-1].benchmark:
            _print(f"\n{row.benchmark}", *_HEADINGS)
        _print(f"  {row.what}", row.figure, row.spread, row.aim, _MET[row.met])
        self.rows.append(row)


class Report:
    """What a run found."""

    def __init__(self, scale: Scale) -> None:
        self._began = datetime.now(UTC)
        self._scale = scale
        self.parts: list[Part] = []

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """One more benchmark, timed."""
        part, began = Part(name), time.monotonic()
        self.parts.append(part)
        yield part
        part.seconds = time.monotonic() - began

    @property
    def failed(self) -> list[Part]:
        return [part for part in self.parts if part.failure is not None]

    @property
    def met(self) -> bool:
        """Whether everything ran and no aim was missed."""
        return not self.failed and all(row.met is not False for part in self.parts for row in part.rows)

    def write(self, file: Path) -> None:
        """Writes it all as JSON, with what the figures depend on."""
        document = {
            "began": self._began.isoformat(timespec="seconds"),
            "processors": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "scale": asdict(self._scale),
            "parts": [asdict(part) for part in self.parts],
        }
        file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _print(what: str, figure: str, spread: str, aim: str, met: str) -> None:
    print(f"{what:<50} {figure:>16}  {spread:<18} {aim:>10}  {met}".rstrip(), flush=True)


def _spread(values: Sequence[float], form: str) -> str:
    return f"{form.format(min(values))} - {form.format(max(values))}" if len(values) > 1 else ""
