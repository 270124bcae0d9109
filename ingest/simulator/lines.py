"""What a stream consists of, in whatever form."""

from collections.abc import Callable
from typing import NamedTuple

from ingest.simulator.reports import Report


class Line(NamedTuple):
    """One message and when it arrives (milliseconds): its bytes without a line end, and what it is in a word or
    two. `again` says that the same message came before."""

    at: int
    kind: str
    body: bytes
    again: bool = False


class Form(NamedTuple):
    """A way to write a stream down: the first line of a file, if it has one, and the lines of a report."""

    header: bytes
    lines: Callable[[Report], list[Line]]
