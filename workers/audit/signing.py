"""Signs checkpoints of the log, and stores them outside the database too.

Somebody who can write the database cannot alter them there.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from adapters.audit.checkpoint_file import CheckpointFile
from adapters.audit.signing_key import AuditKey, replace_key, signing_key
from adapters.postgres.audit.log import AuditLog, CheckpointTurn, StoredCheckpoint
from domain.audit.chain import instant
from domain.audit.checkpoint import Checkpoint, digest, parse
from domain.audit.merkle import Frontier
from domain.errors import Conflict, LogBroken, SetupError, WrongKey
from domain.ports.store import Clock, Message, Notifier
from domain.text import count

log = structlog.get_logger("checkpoint")


class Checkpoints:
    """Signs the log's state and publishes it.

    Checkpoints go to the database, to a file, to the process's log, and to a destination.
    """

    def __init__(
        self,
        audit_log: AuditLog,
        key_file: Path,
        file: CheckpointFile,
        clock: Clock,
        notifier: Notifier,
        destination: str | None,
    ) -> None:
        self._log = audit_log
        self._key_file = key_file
        self._file = file
        self._clock = clock
        self._notifier = notifier
        self._destination = destination

    def demand_key(self) -> None:
        """Makes the key that signs if there never was one. Raises `SetupError` where it cannot be used.

        That it is gone, or another one, keeps checkpoints from being made and nothing else.
        """
        with suppress(WrongKey):
            signing_key(self._key_file, self._log.keys.present())

    def key_problem(self) -> str | None:
        """Says what is wrong with the signing key; None if nothing is. Makes none."""
        expected = self._log.keys.present()
        if expected is None and not self._key_file.exists():
            return None
        try:
            signing_key(self._key_file, expected)
        except SetupError as error:
            return str(error)
        return None

    def new_key(self, reason: str, who: str) -> tuple[str, str]:
        """Lets a new key sign from now on, on record. Returns its id, and that of the key before.

        Raises `SetupError`, and `Conflict` where no key has signed anything yet.
        """
        expected = self._log.keys.present()
        if expected is None:
            raise Conflict("Nothing was signed yet; the first start makes a key by itself.")
        key = replace_key(self._key_file, expected)
        self._log.keys.replace(key.id, reason, who)
        return key.id, expected

    def run_once(self, min_age: timedelta = timedelta()) -> str | None:
        """Makes a checkpoint when there are new events and the last is old enough.

        Returns its line; None when there was nothing to do. Raises `TransientError`, `SetupError` without a key,
        `WrongKey` without the one that is to sign, and `LogBroken`: a log that was altered is not signed.
        """
        key = signing_key(self._key_file, self._log.keys.present())
        with self._log.checkpointing() as turn:
            self._file.append(self._missing())
            line = self._make(turn, key, min_age) if turn else None
        if line is not None:
            self._file.append([line])
            self._tell(line)
        return line

    def _missing(self) -> list[str]:
        """Returns the lines that the file lacks, after a crash before it was written, or from another process."""
        last = self._file.last()
        if last is None:
            return self._log.checkpoints()
        stored = self._log.checkpoints(after=_size(last) - 1)
        if stored[:1] != [last]:
            raise LogBroken(
                f"The database lacks the last checkpoint in {self._file.path}: its log was cut or rewritten, or "
                "is another one; if that is as it should be, move the file away."
            )
        return stored[1:]

    def _make(self, turn: CheckpointTurn, key: AuditKey, min_age: timedelta) -> str | None:
        last, now = turn.last(), self._clock()
        if last is not None and now - datetime.fromisoformat(parse(last.line).at) < min_age:
            return None
        frontier = _grown(turn, last)
        if frontier.size == (last.size if last else 0):
            return None
        checkpoint = key.sign(
            Checkpoint(
                size=frontier.size,
                root=frontier.root().hex(),
                at=instant(now),
                previous=digest(last.line if last else None),
                key=key.id,
            )
        )
        turn.put(StoredCheckpoint(frontier.size, checkpoint.line(), tuple(frontier.peaks)))
        return checkpoint.line()

    def _tell(self, line: str) -> None:
        log.info("checkpoint", line=line)
        if self._destination is None:
            return
        checkpoint = parse(line)
        title = f"Spotclaim audit checkpoint: {count(checkpoint.size, 'event')}"
        outcome = self._notifier.send(self._destination, Message(digest(line), title, line))
        if not outcome.sent:
            log.warning("checkpoint not sent", destination=self._destination, answer=outcome.answer)


def _size(line: str) -> int:
    try:
        return parse(line).size
    except ValueError as error:
        raise LogBroken(f"The last line of the file of checkpoints is none: {error}.") from None


def _grown(turn: CheckpointTurn, last: StoredCheckpoint | None) -> Frontier:
    """Returns the tree as it is now, grown from the last checkpoint."""
    frontier = Frontier(last.size, list(last.peaks)) if last else Frontier()
    if last is not None and frontier.root().hex() != parse(last.line).root:
        raise LogBroken("The last checkpoint in the database does not fit its own tree.")
    for leaves in turn.leaves(frontier.size):
        frontier.extend(leaves)
    return frontier
