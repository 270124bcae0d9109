"""Standard output whose reader may leave, as `head` does, or whose disk may be full."""

import os
import signal
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import IO, Any, TextIO

from domain.errors import SpotclaimError


class ReaderGone(Exception):
    """Nobody reads the output any more.

    It is no `BrokenPipeError`: the libraries that print take that for an error of the command, and end it with 1.
    """


class NotWritten(SpotclaimError):
    """The output could not be written."""


class Output(TextIOWrapper):
    """Replaces a text stream; it and its `buffer` raise `ReaderGone` and `NotWritten`."""

    def __init__(self, stream: TextIO) -> None:
        encoding, errors, by_line = stream.encoding, stream.errors, stream.isatty()
        below = stream.detach()  # type: ignore[attr-defined]
        # With PYTHONUNBUFFERED there is no buffer.
        is_buffered = isinstance(below, BufferedWriter)
        raw = _Raw(below.detach() if is_buffered else below)
        super().__init__(
            BufferedWriter(raw) if is_buffered else raw,  # type: ignore[arg-type]
            encoding=encoding,
            errors=errors,
            line_buffering=by_line,
            write_through=not is_buffered,
        )


class _Raw(RawIOBase):
    """Distinguishes the errors of a raw stream."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def write(self, data: Any) -> int:
        try:
            return self._raw.write(data)
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            raise NotWritten(f"What was to be printed could not be written: {error.strerror}.") from None


def leave_quietly() -> int:
    """Returns the exit code after a closed pipe, discarding unwritten output."""
    drop_the_rest()
    return 128 + signal.SIGPIPE


def drop_the_rest() -> None:
    """Discards unwritten output."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
