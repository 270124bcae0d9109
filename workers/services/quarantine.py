"""Replays and discards messages in quarantine, by the API and the command line alike."""

from collections.abc import Callable

import orjson
import structlog

from adapters.rabbitmq.batch_codec import to_batch
from domain.errors import Conflict, MalformedMessage, NotFound, SpotclaimError
from domain.field import quarantine
from domain.field.batch import Batch
from domain.field.quarantine import DISCARDED, REPLAYED, QuarantineEntry
from domain.policy.roles import SETTLE_QUARANTINE
from domain.ports.store import Clock, Identity, Store, Transaction
from ingest.cloudevents.redecode import read_again
from workers.services.intake import Intake
from workers.services.unstorable import WORKER_DOOR

log = structlog.get_logger("quarantine")


class QuarantineService:
    """Replays and discards messages in quarantine.

    An entry and the message that it becomes change in one transaction: none is lost and none is ingested twice,
    whichever process is killed at whatever moment.
    """

    def __init__(self, store: Store, intake: Intake, clock: Clock) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock

    def replay(self, key: str, who: Identity, edited: bytes | None = None, why: str = "") -> bool:
        """Ingests the message, original or edited, and returns whether it was new.

        Raises `MalformedMessage` when it is refused again, and keeps it with that reason; `NotAllowed`,
        `NotFound`, `Conflict` for one that is settled, and `TransientError`.
        """
        SETTLE_QUARANTINE.demand(who.role)
        try:
            return self._take_in(key, who, edited, why)
        except MalformedMessage as reason:
            self._refuse_again(key, who, edited, reason)
            raise
        except SpotclaimError:
            raise
        except Exception as error:
            log.exception("message refused by the store")
            refused = MalformedMessage(
                "NOT_STORABLE", f"The database refused the message: {type(error).__name__}."
            )
            self._refuse_again(key, who, edited, refused)
            raise refused from error

    def discard(self, key: str, who: Identity, why: str) -> None:
        """Discards the message for good.

        Raises what `replay` does, except `MalformedMessage`.
        """
        SETTLE_QUARANTINE.demand(who.role)
        with self._store.transaction() as transaction:
            entry = _open_entry(transaction, key)
            quarantine.settle(entry, DISCARDED, who.name, why, self._clock())
            transaction.settle_quarantined(entry, who.name)

    def _take_in(self, key: str, who: Identity, edited: bytes | None, why: str) -> bool:
        with self._store.transaction() as transaction:
            entry = _open_entry(transaction, key)
            quarantine.edit(entry, edited, who.name)
            batch = _READERS.get(entry.door, _read_message)(entry, edited, who.name)
            changes, new = self._intake.within(transaction, batch)
            entry.message_key = _key_of(batch)
            quarantine.settle(entry, REPLAYED, who.name, why, self._clock())
            transaction.settle_quarantined(entry, who.name)
        self._intake.committed(batch, changes)
        return bool(new)

    def _refuse_again(self, key: str, who: Identity, edited: bytes | None, reason: MalformedMessage) -> None:
        with self._store.transaction() as transaction:
            entry = _open_entry(transaction, key)
            quarantine.edit(entry, edited, who.name)
            quarantine.refuse_again(entry, reason)
            transaction.settle_quarantined(entry, who.name)


def _open_entry(transaction: Transaction, key: str) -> QuarantineEntry:
    entry = transaction.quarantined(key)
    if entry is None:
        raise NotFound(f"There is no message {key} in quarantine.")
    quarantine.demand_open(entry)
    return entry


def _key_of(batch: Batch) -> str:
    keys = [message.key for part in (batch.faults, batch.usage, batch.spots) for message in part]
    return keys[0]


def _read_message(entry: QuarantineEntry, edited: bytes | None, who: str) -> Batch:
    return read_again(entry, quarantine.bytes_to_replay(entry, edited), who)


def _read_batch(entry: QuarantineEntry, edited: bytes | None, _who: str) -> Batch:
    """Reads a message that the database refused: it is kept as it was decoded by its source or endpoint."""
    if edited is not None:
        raise Conflict("The database refused this message and its bytes are gone; it is replayed as it was.")
    try:
        return to_batch(orjson.loads(quarantine.bytes_to_replay(entry, edited)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedMessage("NOT_READABLE", f"It is no batch of messages: {type(error).__name__}.") from None


_READERS: dict[str, Callable[[QuarantineEntry, bytes | None, str], Batch]] = {WORKER_DOOR: _read_batch}
