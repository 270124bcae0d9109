"""Standard output whose reader may go before everything is said, as `head` does."""

import os
import signal
from io import TextIOWrapper
from typing import TextIO


class ReaderGone(Exception):
    """Nobody reads what is printed.

    No `BrokenPipeError`: the libraries that print take that for an error of the command, and end it with 1.
    """


class Output(TextIOWrapper):
    """Takes the place of a text stream. Raises `ReaderGone`."""

    def __init__(self, stream: TextIO) -> None:
        encoding, errors, by_line = stream.encoding, stream.errors, stream.isatty()
        super().__init__(stream.detach(), encoding=encoding, errors=errors, line_buffering=by_line)  # type: ignore[attr-defined]

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise ReaderGone from None

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise ReaderGone from None


def leave_quietly() -> int:
    """The exit code of a program that a closed pipe ended. What is still to be written goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return 128 + signal.SIGPIPE
