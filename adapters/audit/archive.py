"""The whole audit record in one archive, to be checked anywhere and without a database."""

import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from domain.audit.chain import one_line
from domain.errors import SetupError, SpotclaimError

FORMAT = "spotclaim-audit-1"
_PORTION = 2_000
_EVENTS_IN_PART = 20_000

CLAIMS, EVENTS = "claims.jsonl", "events.jsonl"
# What the lines are ordered by, and what else there must be in each.
_ORDERED_BY = {CLAIMS: "id", EVENTS: "claim_id"}
_NEEDED = {
    CLAIMS: {"id", "version", "head"},
    EVENTS: {"claim_id", "seq", "at", "actor", "kind", "body", "hash", "position"},
}

Claim = dict[str, Any]
Event = list[bytes]

_README = """\
An audit record of Spotclaim. Check it with

    spotclaim audit verify THIS.tar --pubkey KEY.pub --checkpoints FOLDER

where the key and the checkpoints come from elsewhere: those in here prove nothing about who made this archive.

manifest.json      the format, when it was exported, and how many claims, events and positions there are
claims.jsonl       the claims as they stood, and the incidents (`incident_id` names that of a claim), one a line,
                   ordered by id; moments in UTC with microseconds
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
    """What is written into an archive; `workers.audit.verify.Record` says more."""

    @property
    def log_size(self) -> int: ...

    @property
    def checkpoints(self) -> Sequence[str]: ...

    def portions(self) -> Iterator[tuple[list[Claim], Iterable[Event]]]: ...


def write_archive(record: Exported, file: Path, at: str, public_key: bytes | None) -> tuple[int, int]:
    """Writes the archive, complete or not at all. Returns how many claims and events are in it.

    `at` is the moment of the export. Raises `SetupError` when the file cannot be written, and where something else
    than a plain file is: the archive takes the place of what it is named as.
    """
    if file.exists() and not file.is_file():
        raise SetupError(f"{file} is no plain file; name one that the archive may take the place of.")
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
    with (folder / CLAIMS).open("wb") as claim_lines, (folder / EVENTS).open("wb") as event_lines:
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


@dataclass(frozen=True)
class ArchivePart:
    """The bytes of one range of claim ids, claims and events. Implements `workers.audit.chain_replay.Part`."""

    file: Path
    claims: tuple[int, int]
    events: tuple[int, int]

    @contextmanager
    def open(self) -> Iterator["OpenArchivePart"]:
        """The part. Raises `ArchiveBroken`, here and while it is read."""
        with open_archive(self.file) as archive:
            yield OpenArchivePart(archive, self)


class OpenArchivePart:
    """A part that is read. Implements `workers.audit.chain_replay.OpenPart`."""

    waiting: set[str] | None = None

    def __init__(self, archive: "Archive", part: ArchivePart) -> None:
        self._archive, self._part = archive, part

    def portions(self) -> Iterator[tuple[list[Claim], Iterable[Event]]]:
        """As `workers.audit.chain_replay.OpenPart` says."""
        claims = self._archive.lines(CLAIMS, self._part.claims)
        events = map(_event, self._archive.lines(EVENTS, self._part.events))
        waiting = next(events, None)
        while portion := [claim for _, claim in zip(range(_PORTION), claims, strict=False)]:
            last, taken = portion[-1]["id"].encode(), []
            while waiting is not None and waiting[0] <= last:
                taken.append(waiting)
                waiting = next(events, None)
            yield portion, taken
        yield [], [waiting, *events] if waiting is not None else []


class Archive:
    """An archive that is read. Implements `workers.audit.verify.Record`; every method raises `ArchiveBroken`."""

    def __init__(self, file: Path, tar: tarfile.TarFile, events_in_part: int) -> None:
        self._file, self._tar, self._events_in_part = file, tar, events_in_part
        manifest = self._manifest()
        self.exported_at = str(manifest["exported_at"])
        self.log_size = int(manifest["log_size"])
        self.events = int(manifest["events"])
        self.checkpoints = self._part("checkpoints.jsonl").read().decode(errors="replace").splitlines()

    def public_key(self) -> bytes | None:
        """The key that the archive itself names."""
        return self._part("public-key.pem").read() if "public-key.pem" in self._tar.getnames() else None

    def parts(self) -> list[ArchivePart]:
        """Ranges of claim ids with about so many events each. Where lines are out of order, events come to lie in
        a range without their claim, which the replay finds."""
        size, count = self._size(CLAIMS), 1 + self.events // self._events_in_part
        starts = {self._line_start(CLAIMS, size * number // count) for number in range(1, count)} - {0, size}
        claims = [0, *sorted(starts), size]
        # In order whatever the lines say, so that each line is in one part and no more.
        first_events = sorted(self._first_event(next(self._at(CLAIMS, start))["id"]) for start in starts)
        events = [0, *first_events, self._size(EVENTS)]
        return [ArchivePart(self._file, *part) for part in zip(pairwise(claims), pairwise(events), strict=True)]

    def leaves(self) -> Iterator[bytes]:
        """None: they follow from the events."""
        return iter(())

    def lines(self, name: str, between: tuple[int, int]) -> Iterator[dict[str, Any]]:
        """The lines that begin between two places in a part of the archive, as objects with the keys they need."""
        part, place = self._part(name), between[0]
        part.seek(place)
        while place < between[1] and (line := part.readline()):
            try:
                content = orjson.loads(line)
                sound = _NEEDED[name] <= content.keys() and isinstance(content[_ORDERED_BY[name]], str)
            except (ValueError, AttributeError):
                sound = False
            if not sound:
                raise ArchiveBroken(f"{name} of the archive cannot be read: its line at byte {place} is wrong.")
            yield content
            place += len(line)

    def _at(self, name: str, place: int) -> Iterator[dict[str, Any]]:
        """The line that begins at a place; nothing at the end."""
        return self.lines(name, (place, place + 1))

    def _line_start(self, name: str, place: int) -> int:
        """Where the first line begins that does so at or after a place."""
        part = self._part(name)
        part.seek(max(place - 1, 0))
        if place > 0:
            part.readline()
        return part.tell()

    def _first_event(self, claim_id: str) -> int:
        """Where the first event of this claim, or of one beyond, begins."""
        low, high = 0, self._size(EVENTS)
        while low < high:
            middle = (low + high) // 2
            start = self._line_start(EVENTS, middle)
            event = next(self._at(EVENTS, start), None)
            if event is not None and event["claim_id"] < claim_id:
                low = start + 1
            else:
                high = middle
        return self._line_start(EVENTS, low)

    def _size(self, name: str) -> int:
        self._part(name)
        return self._tar.getmember(name).size

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = orjson.loads(self._part("manifest.json").read())
            if manifest["format"] != FORMAT or manifest["log_size"] > manifest["events"]:
                raise ValueError(f"its format is not {FORMAT}")
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveBroken(f"The archive's manifest.json is wrong: {error}.") from None
        return dict(manifest)

    def _part(self, name: str) -> IO[bytes]:
        try:
            part = self._tar.extractfile(name)
        except (KeyError, tarfile.TarError):
            part = None
        if part is None:
            raise ArchiveBroken(f"The archive has no {name}.")
        return part


def _event(event: dict[str, Any]) -> Event:
    try:
        position = "" if event["position"] is None else str(int(event["position"]))
        fields = (event["claim_id"], str(int(event["seq"])), event["at"], one_line(event["actor"]))
        return [field.encode() for field in (*fields, event["kind"], event["body"], event["hash"], position)]
    except (TypeError, ValueError, AttributeError):
        what = f"claim_id {event['claim_id'][:40]!r}, seq {str(event['seq'])[:20]!r}"
        raise ArchiveBroken(f"{EVENTS} of the archive holds something that is no audit event: {what}.") from None


@contextmanager
def open_archive(file: Path, events_in_part: int = _EVENTS_IN_PART) -> Iterator[Archive]:
    """The archive in this file. Raises `SetupError` when there is none, and `ArchiveBroken`."""
    try:
        with tarfile.open(file, "r:") as tar:
            yield Archive(file, tar, events_in_part)
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror or error}.") from None
    except tarfile.TarError as error:
        raise ArchiveBroken(f"{file} is no archive: {error}.") from None
