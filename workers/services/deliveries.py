"""Resends deliveries, for the API and the command line alike."""

from domain.errors import NotFound
from domain.notifications.attempts import resend
from domain.ports.store import Store


class Resend:
    """Resends a failed delivery, or one that may have failed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, delivery_id: str) -> None:
        """Schedules it anew.

        Raises `NotFound`, `Conflict` for one that needs no attempt, and `TransientError`.
        """
        with self._store.transaction() as transaction:
            found = transaction.deliveries([delivery_id])
            if not found:
                raise NotFound(f"There is no delivery {delivery_id}.")
            transaction.record(resend(found[0]))
