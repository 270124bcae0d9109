"""The whole audit record in one archive, to be checked anywhere and without a database."""

import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from domain.audit import one_line
from domain.errors import SetupError, SpotclaimError

FORMAT = "spotclaim-audit-1"
_PORTION = 2_000

Claim = dict[str, Any]
Event = list[bytes]

_README = """\
An audit record of Spotclaim. Check it with

    spotclaim audit verify THIS.tar --pubkey KEY.pub --checkpoints FOLDER

where the key and the checkpoints come from elsewhere: those in here prove nothing about who made this archive.

manifest.json      the format, when it was exported, and how many claims, events and positions there are
claims.jsonl       the claims as they stood, one a line, ordered by id; moments in UTC with microseconds
events.jsonl       their audit events, one a line, ordered by claim_id and seq
checkpoints.jsonl  the signed checkpoints, one a line, the smallest first
public-key.pem     the Ed25519 key that they are signed with, where it was known

Hash of an event: SHA-256 over the 32 bytes of the hash of the claim's event before it (32 zero bytes before the
first) and the UTF-8 text of claim_id, seq, at, actor, kind and body, joined by single line feeds, where in the
actor each backslash is written as two and each line feed as backslash and n. `body` is a string here and is hashed
character for character.

`position` is the event's place in the log over all claims, from 0; null while it waits for one. The log's leaves
are SHA-256(0x00, hash of the event in 32 bytes), its tree and root those of RFC 6962.

A checkpoint is canonical JSON (keys sorted, no spaces). `signature` is Ed25519 over the same line without its
signature, `root` the root over the first `size` positions, `previous` the SHA-256 of the checkpoint line before,
and `key` the first 16 digits of the SHA-256 of the public key's 32 bytes.
"""


class ArchiveBroken(SpotclaimError):
    """The archive cannot be read as what it says it is."""


class Exported(Protocol):
    """What is written into an archive; `workers.auditor.Record` says more."""

    @property
    def log_size(self) -> int: ...

    @property
    def checkpoints(self) -> Sequence[str]: ...

    def portions(self) -> Iterator[tuple[list[Claim], Iterable[Event]]]: ...


def write_archive(record: Exported, file: Path, at: str, public_key: bytes | None) -> tuple[int, int]:
    """Writes the archive, complete or not at all. Returns how many claims and events are in it.

    `at` is the moment of the export. Raises `SetupError` when the file cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
            parts = Path(folder)
            claims, events = _write_parts(record, parts)
            manifest = {"format": FORMAT, "exported_at": at, "claims": claims, "events": events}
            manifest["log_size"] = record.log_size
            (parts / "manifest.json").write_bytes(orjson.dumps(manifest) + b"\n")
            (parts / "README.txt").write_text(_README)
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
    return claims, events


def _write_parts(record: Exported, folder: Path) -> tuple[int, int]:
    counts = [0, 0]
    with (folder / "claims.jsonl").open("wb") as claim_lines, (folder / "events.jsonl").open("wb") as event_lines:
        for claims, events in record.portions():
            claim_lines.writelines(orjson.dumps(claim) + b"\n" for claim in claims)
            counts[0] += len(claims)
            for event in events:
                event_lines.write(_event_line(event))
                counts[1] += 1
    return counts[0], counts[1]


def _anonymous(part: tarfile.TarInfo) -> tarfile.TarInfo:
    part.uid = part.gid = 0
    part.uname = part.gname = ""
    part.mode = 0o644
    return part


_ESCAPED = re.compile(r"\\(.)")


def _event_line(event: Event) -> bytes:
    claim_id, seq, at, actor, kind, body, hashed, position = (field.decode() for field in event)
    return orjson.dumps(
        {
            "claim_id": claim_id,
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


class Archive:
    """An archive that is read. Implements `workers.auditor.Record`; every method raises `ArchiveBroken`."""

    waiting: set[str] | None = None

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        manifest = self._manifest()
        self.exported_at = str(manifest["exported_at"])
        self.log_size = int(manifest["log_size"])
        self.events = int(manifest["events"])
        self.checkpoints = self._part("checkpoints.jsonl").read().decode(errors="replace").splitlines()

    def public_key(self) -> bytes | None:
        """The key that the archive itself names."""
        return self._part("public-key.pem").read() if "public-key.pem" in self._tar.getnames() else None

    def portions(self) -> Iterator[tuple[list[Claim], Iterable[Event]]]:
        """As `workers.auditor.Record` says."""
        claims, events = self._claims(), self._events()
        waiting = next(events, None)
        while portion := [claim for _, claim in zip(range(_PORTION), claims, strict=False)]:
            last, taken = portion[-1]["id"].encode(), []
            while waiting is not None and waiting[0] <= last:
                taken.append(waiting)
                waiting = next(events, None)
            yield portion, taken
        yield [], [waiting, *events] if waiting is not None else []

    def leaves(self) -> Iterator[bytes]:
        """None: they follow from the events."""
        return iter(())

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = orjson.loads(self._part("manifest.json").read())
            if manifest["format"] != FORMAT or manifest["log_size"] > manifest["events"]:
                raise ValueError(f"its format is not {FORMAT}")
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveBroken(f"The archive's manifest.json is wrong: {error}.") from None
        return dict(manifest)

    def _claims(self) -> Iterator[Claim]:
        for _, claim in self._lines("claims.jsonl", {"id", "version", "head"}):
            yield claim

    def _events(self) -> Iterator[Event]:
        names = {"claim_id", "seq", "at", "actor", "kind", "body", "hash", "position"}
        for place, event in self._lines("events.jsonl", names):
            try:
                yield _event(event)
            except (TypeError, ValueError, AttributeError):
                raise ArchiveBroken(f"{place} of the archive is no audit event.") from None

    def _lines(self, name: str, needed: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for number, line in enumerate(self._part(name), 1):
            try:
                content = orjson.loads(line)
                missing = needed - content.keys()
            except (ValueError, AttributeError):
                missing = needed
            if missing:
                raise ArchiveBroken(f"{name}:{number} of the archive cannot be read.")
            yield f"{name}:{number}", content

    def _part(self, name: str) -> IO[bytes]:
        try:
            part = self._tar.extractfile(name)
        except (KeyError, tarfile.TarError):
            part = None
        if part is None:
            raise ArchiveBroken(f"The archive has no {name}.")
        return part


def _event(event: dict[str, Any]) -> Event:
    position = "" if event["position"] is None else str(int(event["position"]))
    fields = (event["claim_id"], str(int(event["seq"])), event["at"], one_line(event["actor"]))
    return [field.encode() for field in (*fields, event["kind"], event["body"], event["hash"], position)]


@contextmanager
def open_archive(file: Path) -> Iterator[Archive]:
    """The archive in this file. Raises `SetupError` when there is none, and `ArchiveBroken`."""
    try:
        with tarfile.open(file, "r:") as tar:
            yield Archive(tar)
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror or error}.") from None
    except tarfile.TarError as error:
        raise ArchiveBroken(f"{file} is no archive: {error}.") from None
