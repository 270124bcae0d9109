"""Manages destinations, for the API and the command line alike."""

from collections.abc import Collection, Mapping
from typing import Any

from adapters.apprise.notifier import demand_usable
from adapters.apprise.urls import shown
from adapters.postgres.notifications.destinations import Destinations
from domain.errors import NotFound, SetupError
from domain.identifiers import new_claim_id
from domain.ports.store import AttemptResult, Message, Notifier

_LONGEST_NAME = 64


class DestinationService:
    """Adds, removes, lists and tests destinations.

    Every method raises `TransientError` when the database is away.
    """

    def __init__(
        self,
        stored: Destinations,
        notifier: Notifier,
        *,
        configured: Mapping[str, str],
        default: Mapping[str, str],
        named: Collection[str],
    ) -> None:
        """Takes the URLs by name: `configured` in the settings, or else `default`.

        `named` are the destinations in the policy.
        """
        self._stored = stored
        self._notifier = notifier
        self._configured = configured
        self._default = default
        self._named = named

    def listed(self) -> list[dict[str, Any]]:
        """Lists all destinations, removed ones too.

        Each has name, shown (schema and host) and added_by; those that were added also have added_at, removed_at
        and removed_by.
        """
        stored = self._stored.listed()
        present = {row["name"] for row in stored if row["removed_at"] is None}
        default = {name: url for name, url in self._default.items() if name not in present}
        by = "SPOTCLAIM_DESTINATIONS" if self._configured else "default"
        urls = self._configured or default
        return [{"name": name, "shown": shown(url), "added_by": by} for name, url in urls.items()] + stored

    def present(self) -> list[dict[str, Any]]:
        """Lists the usable destinations: name, schema, added_by and added_at."""
        return [
            {
                "name": row["name"],
                "schema": row["shown"].partition(":")[0],
                "added_by": row["added_by"],
                "added_at": row.get("added_at"),
            }
            for row in self.listed()
            if row.get("removed_at") is None
        ]

    def add(self, name: str, url: str, who: str) -> None:
        """Adds a destination, or gives one a new URL.

        Raises `SetupError`, without secrets, for a name or a URL that cannot be used, and for a name that the
        settings have.
        """
        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
            raise SetupError(f"A name has 1 to {_LONGEST_NAME} printable characters.")
        if name in self._configured:
            raise SetupError(f"SPOTCLAIM_DESTINATIONS names {name} already, and comes first.")
        demand_usable(name, url)
        self._stored.add(name, url, who)

    def remove(self, name: str, who: str) -> bool:
        """Removes one that was added, and returns whether the policy still names it.

        Raises `NotFound`.
        """
        self._stored.remove(name, who)
        return name in self._named

    def test(self, name: str, who: str) -> AttemptResult:
        """Sends one message that says it is a test, which is on record. Raises `NotFound`."""
        if name not in {row["name"] for row in self.present()}:
            raise NotFound(f"There is no destination {name}.")
        self._stored.tested(name, who)
        text = "Somebody is testing this destination. Nothing happened."
        return self._notifier.send(name, Message(new_claim_id(), "Spotclaim: this is a test", text))
