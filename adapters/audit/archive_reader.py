"""Reads archives of the whole audit log."""

import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import orjson

from adapters.audit.archive_format import (
    CLAIMS,
    EVENTS,
    FIRST_FORMAT,
    FORMAT,
    FORMATS,
    NEEDED,
    ORDERED_BY,
    Event,
    Row,
)
from adapters.audit.signing_key import PublicKeys
from domain.audit.chain import one_line
from domain.errors import SetupError, SpotclaimError

_PORTION = 2_000
_EVENTS_IN_PART = 20_000


class ArchiveBroken(SpotclaimError):
    """The archive cannot be read in its stated format."""


@dataclass(frozen=True)
class ArchivePart:
    """One range of claim ids, as byte ranges. Implements `workers.audit.chain_replay.Part`."""

    file: Path
    claims: tuple[int, int]
    events: tuple[int, int]

    @contextmanager
    def open(self) -> Iterator["OpenArchivePart"]:
        """Opens the part. Raises `ArchiveBroken`, here and while it is read."""
        with open_archive(self.file) as archive:
            yield OpenArchivePart(archive, self)


class OpenArchivePart:
    """Reads one part of an archive. Implements `workers.audit.chain_replay.OpenPart`."""

    waiting: set[str] | None = None
    rows = None

    def __init__(self, archive: "Archive", part: ArchivePart) -> None:
        self._archive, self._part = archive, part

    def portions(self) -> Iterator[tuple[list[Row], Iterable[Event]]]:
        """Yields claims with their events, as `workers.audit.chain_replay.OpenPart` says."""
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
    """Reads an archive. Implements `workers.audit.verify.Record`. Every method raises `ArchiveBroken`."""

    def __init__(self, file: Path, tar: tarfile.TarFile, events_in_part: int) -> None:
        self._file, self._tar, self._events_in_part = file, tar, events_in_part
        manifest = self._manifest()
        self._format = manifest["format"]
        self.exported_at = str(manifest["exported_at"])
        self.log_size = int(manifest["log_size"])
        self.events = int(manifest["events"])
        self.checkpoints = self._part("checkpoints.jsonl").read().decode(errors="replace").splitlines()

    def public_keys(self) -> PublicKeys | None:
        """Reads the key that the archive itself names."""
        if "public-key.pem" not in self._tar.getnames():
            return None
        try:
            return PublicKeys(self._part("public-key.pem").read())
        except ValueError as error:
            raise ArchiveBroken(f"The archive's public-key.pem holds {error}.") from None

    def parts(self) -> list[ArchivePart]:
        """Splits the claim ids into ranges with about equally many events.

        Where lines are out of order, events fall into a range without their claim, which the replay finds.
        """
        size, count = self._size(CLAIMS), 1 + self.events // self._events_in_part
        starts = {self._line_start(CLAIMS, size * number // count) for number in range(1, count)} - {0, size}
        claims = [0, *sorted(starts), size]
        # Sorted even if the lines are not, so that each line is in exactly one part.
        first_events = sorted(self._first_event(next(self._at(CLAIMS, start))["id"]) for start in starts)
        events = [0, *first_events, self._size(EVENTS)]
        return [ArchivePart(self._file, *part) for part in zip(pairwise(claims), pairwise(events), strict=True)]

    def leaves(self) -> Iterator[bytes]:
        """Yields nothing: an archive's leaves follow from its events."""
        return iter(())

    def lines(self, name: str, between: tuple[int, int]) -> Iterator[dict[str, Any]]:
        """Yields the lines that begin within a byte range, checked for their required keys."""
        part, place = self._part(name), between[0]
        part.seek(place)
        while place < between[1] and (line := part.readline()):
            try:
                content = self._present(name, orjson.loads(line))
                sound = NEEDED[name] <= content.keys() and isinstance(content[ORDERED_BY[name]], str)
            except (ValueError, AttributeError):
                sound = False
            if not sound:
                raise ArchiveBroken(f"{name} of the archive cannot be read: its line at byte {place} is wrong.")
            yield content
            place += len(line)

    def _present(self, name: str, content: dict[str, Any]) -> dict[str, Any]:
        """A line as the present format has it."""
        if name == EVENTS and self._format == FIRST_FORMAT:
            content["subject_id"] = content.pop("claim_id", None)
        return content

    def _at(self, name: str, place: int) -> Iterator[dict[str, Any]]:
        """Yields the line that begins at a byte offset; nothing at the end."""
        return self.lines(name, (place, place + 1))

    def _line_start(self, name: str, place: int) -> int:
        """Returns where the first line at or after a byte offset begins."""
        part = self._part(name)
        part.seek(max(place - 1, 0))
        if place > 0:
            part.readline()
        return part.tell()

    def _first_event(self, subject_id: str) -> int:
        """Finds where the first event of this subject, or of a later one, begins."""
        low, high = 0, self._size(EVENTS)
        while low < high:
            middle = (low + high) // 2
            start = self._line_start(EVENTS, middle)
            event = next(self._at(EVENTS, start), None)
            if event is not None and event["subject_id"] < subject_id:
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
            if manifest["format"] not in FORMATS or manifest["log_size"] > manifest["events"]:
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
        fields = (event["subject_id"], str(int(event["seq"])), event["at"], one_line(event["actor"]))
        return [field.encode() for field in (*fields, event["kind"], event["body"], event["hash"], position)]
    except (TypeError, ValueError, AttributeError):
        what = f"subject_id {event['subject_id'][:40]!r}, seq {str(event['seq'])[:20]!r}"
        raise ArchiveBroken(f"{EVENTS} of the archive holds something that is no audit event: {what}.") from None


@contextmanager
def open_archive(file: Path, events_in_part: int = _EVENTS_IN_PART) -> Iterator[Archive]:
    """Opens an archive. Raises `SetupError` when there is none, and `ArchiveBroken`."""
    try:
        with tarfile.open(file, "r:") as tar:
            yield Archive(file, tar, events_in_part)
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror or error}.") from None
    except tarfile.TarError as error:
        raise ArchiveBroken(f"{file} is no archive: {error}.") from None
