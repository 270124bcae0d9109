"""Checks the log against its own checkpoints, and against those kept elsewhere."""

from collections.abc import Sequence

from adapters.audit.signing_key import PublicKeys
from domain.audit.checkpoint import Checkpoint, digest, parse
from domain.audit.merkle import SIZE, Frontier
from domain.text import count
from workers.audit.findings import AuditFinding, Result
from workers.audit.key_changes import KeyChange, KeyCheck


class CheckpointCheck:
    """Checks the log's leaves against checkpoints: signatures, roots, and their order."""

    def __init__(
        self, result: Result, leaves: bytearray, keys: PublicKeys | None, changes: Sequence[KeyChange] = ()
    ) -> None:
        self._result = result
        self._leaves = leaves
        self._keys = keys
        self._key_check = KeyCheck(keys, changes)

    def hold_against(self, own: Sequence[str], outside: Sequence[tuple[str, str]]) -> None:
        """Checks all checkpoints, and adds what is wrong to the result.

        `own` are the record's, and those from outside come with their places.
        """
        inside = set(own)
        self._result.outside = len(outside)
        places = dict.fromkeys(own, "the record itself") | {line: place for place, line in outside}
        read = [found for line, place in places.items() if (found := self._read(line, place))]
        self._result.checkpoints = len(read)
        self._hold_roots(sorted(read, key=lambda found: found[0].size))
        self._hold_keys(sorted(read, key=lambda found: found[0].size))
        self._hold_order(own)
        for checkpoint, line, place in read:
            if line not in inside and checkpoint.size <= self._result.log_size:
                self._find("CHECKPOINT_REMOVED", "The record lacks it", checkpoint, place)

    def _read(self, line: str, place: str) -> tuple[Checkpoint, str, str] | None:
        try:
            checkpoint = parse(line)
        except ValueError as error:
            self._result.add(AuditFinding("CHECKPOINT_UNREADABLE", f"The checkpoint at {place}: {error}."))
            return None
        signed = self._keys is None or self._keys.signed(checkpoint) or self._key_check.unchecked(checkpoint)
        if not signed:
            self._find("SIGNATURE_WRONG", "None of the public keys signed it", checkpoint, place)
            return None
        return checkpoint, line, place

    def _hold_roots(self, read: list[tuple[Checkpoint, str, str]]) -> None:
        frontier, sound = Frontier(), 0
        for checkpoint, _, place in read:
            if checkpoint.size > self._result.log_size:
                present = f"the log has only {self._result.log_size:,}: it was cut, or this is an older state"
                sentence = f"It saw {count(checkpoint.size, 'event')}, and {present}"
                self._find("LOG_CUT", sentence, checkpoint, place, self._result.log_size)
                continue
            frontier.extend(bytes(self._leaves[SIZE * frontier.size : SIZE * checkpoint.size]))
            if frontier.root().hex() == checkpoint.root:
                sound = checkpoint.size
            else:
                sentence = f"It saw other events: the log was rewritten from position {sound:,} on"
                self._find("LOG_REWRITTEN", sentence, checkpoint, place, sound)

    def _hold_keys(self, read: list[tuple[Checkpoint, str, str]]) -> None:
        """Another key than before is a finding, unless somebody let it sign; then it is said."""
        places = {checkpoint: place for checkpoint, _, place in read}
        checkpoints = list(places)
        for checkpoint in self._key_check.uncovered(checkpoints):
            self._find("SIGNATURE_WRONG", "None of the public keys signed it", checkpoint, places[checkpoint])
        for checkpoint, sentence, let in self._key_check.changes(checkpoints):
            if let:
                self._result.warnings.append(sentence + self._where(checkpoint, places[checkpoint]))
            else:
                self._find("KEY_UNEXPECTED", sentence, checkpoint, places[checkpoint])
        self._result.warnings += self._key_check.not_at_hand(checkpoints)

    def _hold_order(self, own: Sequence[str]) -> None:
        before: str | None = None
        for line in own:
            try:
                checkpoint = parse(line)
            except ValueError:
                continue
            if checkpoint.previous != digest(before):
                self._find(
                    "CHECKPOINT_REMOVED", "It does not follow from the one before", checkpoint, "the record"
                )
            before = line

    def _find(
        self, what: str, sentence: str, checkpoint: Checkpoint, place: str, position: int | None = None
    ) -> None:
        self._result.add(AuditFinding(what, sentence + self._where(checkpoint, place), position=position))

    def _where(self, checkpoint: Checkpoint, place: str) -> str:
        return f" (checkpoint of {checkpoint.at} over {count(checkpoint.size, 'event')}, {place})."
