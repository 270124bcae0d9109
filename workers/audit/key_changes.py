"""Checks which key signed which checkpoints, and who let another one sign."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import orjson

from adapters.audit.signing_key import PublicKeys
from domain.audit.checkpoint import Checkpoint
from domain.text import count


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of the signing key that is on record."""

    key: str
    previous: str | None
    said: str

    @classmethod
    def of(cls, event: Sequence[bytes]) -> "KeyChange":
        """Reads the change from an event as `workers.audit.chain_replay` has it."""
        body = orjson.loads(event[5])
        said = f"{event[3].decode()} let it at {event[2].decode()}: {body['reason']}"
        return cls(body["key"], body["previous"], said)


class KeyCheck:
    """Compares the keys that signed with the changes that are on record."""

    def __init__(self, keys: PublicKeys | None, changes: Sequence[KeyChange]) -> None:
        self._keys = keys
        self._let = {change.key: change.said for change in changes}
        self._replaced = {change.previous for change in changes}

    def unchecked(self, checkpoint: Checkpoint) -> bool:
        """Tells whether a signature cannot be checked, being that of a replaced key that is not at hand."""
        return self._keys is not None and not self._keys.has(checkpoint.key) and checkpoint.key in self._replaced

    def uncovered(self, checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
        """Lists the unchecked ones beyond all that were checked: nothing that is signed continues them."""
        reached = max((it.size for it in checkpoints if not self.unchecked(it)), default=-1)
        return [it for it in checkpoints if self.unchecked(it) and it.size > reached]

    def changes(self, checkpoints: Sequence[Checkpoint]) -> list[tuple[Checkpoint, str, bool]]:
        """Lists the checkpoints, smallest first, that another key signed than the one before.

        Each has a sentence, and whether somebody let that key sign.
        """
        found = []
        for before, after in pairwise(checkpoints):
            if before.key != after.key:
                who = self._let.get(after.key, "nobody let it, as far as is on record")
                sentence = f"It is signed by key {after.key}, earlier checkpoints by {before.key}; {who}"
                found.append((after, sentence, after.key in self._let))
        return found

    def not_at_hand(self, checkpoints: Sequence[Checkpoint]) -> list[str]:
        """Says which signatures were not checked."""
        keys = Counter(it.key for it in checkpoints if self.unchecked(it))
        return [
            f"{count(number, 'checkpoint')} by the replaced key {key} not checked: its public key is missing."
            for key, number in keys.items()
        ]
