"""Checkpoint files: the scheduler's own, and those that an auditor kept."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from domain.errors import SetupError


class CheckpointFile:
    """Holds one checkpoint per line; what was appended is on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def last(self) -> str | None:
        """Returns the last complete line; None where there is none."""
        if not self.path.exists():
            return None
        lines = self.path.read_bytes().split(b"\n")[:-1]
        return next((line.decode() for line in reversed(lines) if line.strip()), None)

    def append(self, lines: Iterable[str]) -> None:
        """Appends lines and syncs the file.

        A line that a crash left incomplete is cut off first: it is appended anew.
        """
        lines = list(lines)
        if not lines:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
            file.seek(0, os.SEEK_END)
            file.writelines(line.encode() + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def read_checkpoints(place: Path) -> Iterator[tuple[str, str]]:
    """Yields every checkpoint line in a file or a folder, with its place.

    Lines that do not begin as JSON are skipped, so a saved mail works too. Raises `SetupError` when there is
    nothing to read.
    """
    try:
        files = sorted(file for file in place.iterdir() if file.is_file()) if place.is_dir() else [place]
        for file in files:
            for number, line in enumerate(file.read_bytes().decode(errors="replace").splitlines(), 1):
                if line.startswith("{"):
                    yield f"{file.name}:{number}", line
    except OSError as error:
        raise SetupError(f"{place} cannot be read: {error.strerror}.") from None
