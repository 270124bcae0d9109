"""What a publisher attempted and what was confirmed to it, on disk, to be held against the database later."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from domain.errors import SetupError


class Ledger:
    """One file for each publisher, JSON lines, every line on disk before the next thing happens.

    `{"intent": [keys], "sources": [sources]}` before messages are sent, `{"confirmed": [keys]}` after the broker
    confirmed them. The keys are the messages' identities as `wire.identify` gives them. Raises `SetupError` when
    nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl").open("ab")
        except OSError as error:
            raise SetupError(f"--ledger: {folder} cannot hold a ledger: {error.strerror}.") from None

    def intend(self, keys: Sequence[str], sources: Sequence[str]) -> None:
        """Says that these messages are about to be sent; returns when that is on disk."""
        self._write({"intent": keys, "sources": sources})

    def confirm(self, keys: Sequence[str]) -> None:
        """Says that these messages were confirmed; returns when that is on disk."""
        self._write({"confirmed": keys})

    def _write(self, entry: dict[str, Sequence[str]]) -> None:
        self._file.write(orjson.dumps(entry) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file; nothing more can be written."""
        self._file.close()


@dataclass(slots=True)
class LedgerEntries:
    """Everything the ledgers of a folder say: attempts as often as made, keys confirmed, sources that spoke."""

    attempts: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


def read_ledgers(folder: Path) -> LedgerEntries:
    """All ledgers in the folder, where a line that a crash cut short says nothing.

    Raises `SetupError` if there is none.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise SetupError(f"There is no ledger in {folder}; `spotclaim send --ledger {folder} FILE` writes one.")
    entries = LedgerEntries()
    for line in (line for file in files for line in file.read_bytes().splitlines()):
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        entries.attempts += entry.get("intent", ())
        entries.confirmed.update(entry.get("confirmed", ()))
        entries.sources.update(entry.get("sources", ()))
    return entries
