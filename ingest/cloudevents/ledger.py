"""Ledgers of what a publisher attempted and what was confirmed, to reconcile with the database."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from domain.errors import SetupError


class Ledger:
    """Writes one JSON-lines file for each publisher, every line synced to disk.

    `{"intent": [keys], "sources": [sources]}` before messages are sent, `{"confirmed": [keys]}` after the broker
    confirmed them. The keys are the messages' identities as `decode.identify` gives them. Raises `SetupError` when
    the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl").open("ab")
        except OSError as error:
            raise SetupError(f"--ledger: {folder} cannot hold a ledger: {error.strerror}.") from None

    def intend(self, keys: Sequence[str], sources: Sequence[str]) -> None:
        """Records that these messages are about to be sent; returns when that is on disk."""
        self._write({"intent": keys, "sources": sources})

    def confirm(self, keys: Sequence[str]) -> None:
        """Records that these messages were confirmed; returns when that is on disk."""
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
    """Everything that a folder's ledgers say: attempts with repetitions, confirmed keys, sources."""

    attempts: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


def read_ledgers(folder: Path) -> LedgerEntries:
    """Reads all ledgers in the folder, skipping lines that a crash cut short.

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
