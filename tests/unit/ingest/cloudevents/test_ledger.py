"""What a publisher attempted and what was confirmed to it survives a crash at any byte."""

from pathlib import Path

import pytest

from domain.errors import SetupError
from ingest.cloudevents.ledger import Ledger, read_ledgers


def written(folder: Path) -> Path:
    """Two messages attempted, one confirmed."""
    ledger = Ledger(folder)
    ledger.intend(["k1", "k2"], ["controller:7"])
    ledger.confirm(["k1"])
    ledger.close()
    [file] = folder.glob("*.jsonl")
    return file


def test_it_reads_back_what_was_written(tmp_path: Path) -> None:
    """Attempts as often as they were made, confirmations once."""
    written(tmp_path)

    entries = read_ledgers(tmp_path)

    assert (entries.attempts, entries.confirmed, entries.sources) == (["k1", "k2"], {"k1"}, {"controller:7"})


def test_publishers_do_not_share_a_file(tmp_path: Path) -> None:
    """All ledgers of a folder are read together; a message that two attempted counts twice as attempt."""
    written(tmp_path)
    second = Ledger(tmp_path)
    second.intend(["k2", "k3"], ["controller:8"])
    second.close()

    entries = read_ledgers(tmp_path)

    assert sorted(entries.attempts) == ["k1", "k2", "k2", "k3"]
    assert entries.sources == {"controller:7", "controller:8"}


def test_a_torn_line_says_nothing(tmp_path: Path) -> None:
    """Cut at any byte of its last line, a ledger says what its whole lines say."""
    file = written(tmp_path)
    whole = file.read_bytes()
    first_line = whole.index(b"\n") + 1

    for cut in range(first_line, len(whole) - 1):
        file.write_bytes(whole[:cut])
        entries = read_ledgers(tmp_path)
        assert (entries.attempts, entries.confirmed) == (["k1", "k2"], set())


def test_lines_are_on_disk_at_once(tmp_path: Path) -> None:
    """An attempt is on record before the message is sent."""
    ledger = Ledger(tmp_path)

    ledger.intend(["k1"], [])

    assert read_ledgers(tmp_path).attempts == ["k1"]
    ledger.close()


def test_a_folder_without_ledgers_is_a_mistake(tmp_path: Path) -> None:
    """The mend is named."""
    with pytest.raises(SetupError, match="send --ledger"):
        read_ledgers(tmp_path)
