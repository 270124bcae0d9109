"""Shows progress: a live line on a terminal, an occasional plain line elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from domain.text import count

_LINE_EVERY: Final = 10_000

Count = Callable[[int, str], None]
"""Shows how many there are by now, and what else is to be said of them."""


@contextmanager
def counting(noun: str, done: str, line_every: int = _LINE_EVERY) -> Iterator[Count]:
    """Shows a count on standard error within the block, such as `1,200 rows read`."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(noun, done, line_every)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting")
        yield lambda number, besides: bar.update(task, description=f"{count(number, noun)} {done}{besides}")


def _plain_lines(noun: str, done: str, line_every: int) -> Count:
    next_line = line_every

    def show(number: int, _besides: str) -> None:
        nonlocal next_line
        if number >= next_line:
            print(f"{count(number, noun)} {done}", file=sys.stderr, flush=True)
            next_line = number - number % line_every + line_every

    return show
