"""How far long work has come: a live line on a terminal, a plain line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_LINE_EVERY: Final = 10_000

Count = Callable[[int, str], None]
"""Hears how many there are by now, and what is to be said of them besides."""


@contextmanager
def counting(done: str, line_every: int = _LINE_EVERY) -> Iterator[Count]:
    """Within the block the count is shown on standard error; `done` says of what, as in `rows read`."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(done, line_every)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting")
        yield lambda count, besides: bar.update(task, description=f"{count:,} {done}{besides}")


def _plain_lines(done: str, line_every: int) -> Count:
    next_line = line_every

    def show(count: int, _besides: str) -> None:
        nonlocal next_line
        if count >= next_line:
            print(f"{count:,} {done}", file=sys.stderr, flush=True)
            next_line = count - count % line_every + line_every

    return show
