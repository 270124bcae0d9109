"""Writes archives of the whole audit log, verifiable anywhere and without a database."""

import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from adapters.audit.archive_format import CLAIMS, EVENTS, FORMAT, README, Event, Row
from domain.audit.chain import subject_kind
from domain.errors import SetupError


class Exported(Protocol):
    """The snapshot that is written into an archive; see `workers.audit.verify.Record`."""

    @property
    def log_size(self) -> int: ...

    @property
    def checkpoints(self) -> Sequence[str]: ...

    def portions(self) -> Iterator[tuple[list[Row], Iterable[Event]]]: ...


def write_archive(record: Exported, file: Path, at: str, public_key: bytes | None) -> tuple[int, int, int]:
    """Writes the archive atomically; returns how many claims, administered things and events it holds.

    `at` is the moment of the export. Raises `SetupError` when the file cannot be written, and where something
    other than a plain file has its name.
    """
    if file.exists() and not file.is_file():
        raise SetupError(f"{file} is no plain file; name one that the archive may take the place of.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
            parts = Path(folder)
            claims, administered, events = _write_parts(record, parts)
            manifest: dict[str, Any] = {"format": FORMAT, "exported_at": at, "claims": claims, "events": events}
            manifest["administered"] = administered
            manifest["log_size"] = record.log_size
            (parts / "manifest.json").write_bytes(orjson.dumps(manifest) + b"\n")
            (parts / "README.txt").write_text(README)
            (parts / "checkpoints.jsonl").write_text("".join(line + "\n" for line in record.checkpoints))
            if public_key is not None:
                (parts / "public-key.pem").write_bytes(public_key)
            unfinished = parts / "archive"
            with tarfile.open(unfinished, "w") as tar:
                for part in sorted(parts.iterdir()):
                    if part != unfinished:
                        tar.add(part, part.name, filter=_anonymous)
            unfinished.replace(file)
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}.") from None
    return claims, administered, events


def _write_parts(record: Exported, folder: Path) -> tuple[int, int, int]:
    counts = [0, 0, 0]
    with (folder / CLAIMS).open("wb") as claim_lines, (folder / EVENTS).open("wb") as event_lines:
        for claims, events in record.portions():
            claim_lines.writelines(orjson.dumps(claim) + b"\n" for claim in claims)
            administered = sum("thing" in claim for claim in claims)
            counts[0] += len(claims) - administered
            counts[1] += administered
            for event in events:
                event_lines.write(_event_line(event))
                counts[2] += 1
    return counts[0], counts[1], counts[2]


def _anonymous(part: tarfile.TarInfo) -> tarfile.TarInfo:
    part.uid = part.gid = 0
    part.uname = part.gname = ""
    part.mode = 0o644
    return part


_ESCAPED = re.compile(r"\\(.)")


def _event_line(event: Event) -> bytes:
    subject_id, seq, at, actor, kind, body, hashed, position = (field.decode() for field in event)
    return orjson.dumps(
        {
            "subject_kind": subject_kind(kind),
            "subject_id": subject_id,
            "seq": int(seq),
            "at": at,
            "actor": _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], actor),
            "kind": kind,
            "body": body,
            "hash": hashed,
            "position": int(position) if position else None,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
