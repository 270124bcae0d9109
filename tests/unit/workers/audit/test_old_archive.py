"""A record from before events were types: it verifies, and its bodies are read and written byte for byte.

The archive in `tests/samples/audit` holds 36 claims and incidents with 193 events of 31 kinds, as the version
before exported them, with a checkpoint that was kept elsewhere and the public key.
"""

import gzip
import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from adapters.audit.archive_reader import open_archive
from adapters.audit.checkpoint_file import read_checkpoints
from adapters.audit.signing_key import PublicKeys
from domain.events import KINDS, read
from workers.audit.findings import Result
from workers.audit.verify import audit

SAMPLES = Path(__file__).parents[3] / "samples" / "audit"
# Kinds that no version before wrote.
NEW = {
    *("claim.restated", "claim.corrected", "claim.rebound", "claim.duplicate", "claim.duplicate_taken"),
    *("incident.restated", "incident.claims_left"),
    *(it for it in KINDS if it.startswith("administration.")),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "before.tar"
    file.write_bytes(gzip.decompress((SAMPLES / "before_typed_events.tar.gz").read_bytes()))
    return file


def lines(archive: Path, name: str) -> list[dict[str, Any]]:
    with tarfile.open(archive) as tar:
        part = tar.extractfile(name)
        assert part is not None
        return [json.loads(line) for line in part]


def verified(archive: Path) -> Result:
    outside = list(read_checkpoints(SAMPLES / "before_typed_events.checkpoints.jsonl"))
    keys = PublicKeys((SAMPLES / "before_typed_events.pub").read_bytes())
    with open_archive(archive) as record:
        return audit(record, outside, keys)


def test_an_archive_from_before_verifies(archive: Path) -> None:
    """With its chains, its rows, its links, its checkpoint and the signature."""
    result = verified(archive)

    assert (result.findings, result.events, result.outside, result.signatures_checked) == ([], 193, 1, True)


def test_every_kind_of_before_is_there(archive: Path) -> None:
    """Or the tests here would prove less than they say."""
    assert {event["kind"] for event in lines(archive, "events.jsonl")} == KINDS.keys() - NEW


def test_every_body_of_before_is_written_as_it_was(archive: Path) -> None:
    """Canonical JSON: keys sorted, no spaces."""
    for stored in lines(archive, "events.jsonl"):
        event = read(stored["kind"], json.loads(stored["body"]))

        again = json.dumps(event.body(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert again == stored["body"]
        assert event.story


@pytest.mark.parametrize("column", ["pauses", "sla_alerts", "approved_by", "reopened", "touched_at", "split_from"])
def test_what_old_events_lead_to_is_held_against_rows(archive: Path, tmp_path: Path, column: str) -> None:
    """Also what the version before did not look at, as far as the events of then say it."""
    altered = tmp_path / "altered.tar"
    with tarfile.open(archive) as tar, tarfile.open(altered, "w") as other:
        for member in tar.getmembers():
            part = tar.extractfile(member)
            assert part is not None
            content = part.read()
            if member.name == "claims.jsonl":
                content = b"".join(_altered(content.splitlines(), column))
                member.size = len(content)
            other.addfile(member, BytesIO(content))

    assert any(column in finding.sentence for finding in verified(altered).findings)


def _altered(rows: list[bytes], column: str) -> Iterator[bytes]:
    changed = {"pauses": [], "sla_alerts": ["resolve.breached"] * 3, "approved_by": ["eve"], "reopened": 7}
    for line in rows:
        row = json.loads(line)
        if column in row and row[column] != changed.get(column):
            row[column] = changed.get(column)
        yield json.dumps(row).encode() + b"\n"
