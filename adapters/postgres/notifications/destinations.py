"""Destinations that were added by command: Apprise URLs by name. Rows stay when they end, not their secrets."""

from typing import Any

from sqlalchemy import Engine

from adapters.apprise.urls import shown
from adapters.postgres.engine import translated_errors
from domain.errors import NotFound

_END = (
    "UPDATE destinations SET removed_at = now(), removed_by = %s, url = '' WHERE name = %s AND removed_at IS NULL"
)


class Destinations:
    """Every method raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def urls(self) -> dict[str, str]:
        """The URLs in use by name, secrets included."""
        sql = "SELECT name, url FROM destinations WHERE removed_at IS NULL"
        with translated_errors(), self._engine.connect() as connection:
            return {row.name: row.url for row in connection.exec_driver_sql(sql)}

    def add(self, name: str, url: str, who: str) -> None:
        """Gives the name this URL, in place of any that it had."""
        with translated_errors(), self._engine.begin() as connection:
            connection.exec_driver_sql(_END, (who, name))
            connection.exec_driver_sql(
                "INSERT INTO destinations (name, url, shown, added_by) VALUES (%s, %s, %s, %s)",
                (name, url, shown(url), who),
            )

    def remove(self, name: str, who: str) -> None:
        """Ends a destination and forgets its URL. Raises `NotFound`."""
        with translated_errors(), self._engine.begin() as connection:
            if not connection.exec_driver_sql(_END, (who, name)).rowcount:
                raise NotFound(f"There is no destination {name} that was added by `spotclaim destinations add`.")

    def listed(self) -> list[dict[str, Any]]:
        """All there were, the latest of a name first: name, shown (schema and host), added_at, added_by,
        removed_at, removed_by."""
        sql = (
            "SELECT name, shown, added_at, added_by, removed_at, removed_by FROM destinations"
            " ORDER BY name, id DESC LIMIT 1000"
        )
        with translated_errors(), self._engine.connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]
