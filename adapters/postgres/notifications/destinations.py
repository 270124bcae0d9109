"""Stores destinations that were added by command: Apprise URLs by name.

Rows stay when they end, not their secrets.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Engine, Identity, Index, Table, Text, text

from adapters.apprise.urls import shown
from adapters.postgres.audit.acts import Acts, Audited, chain_columns, sha256_of
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, MOMENT, metadata
from domain.administration.operating_acts import DestinationAdded, DestinationRemoved, DestinationTested
from domain.administration.things import StoredDestination
from domain.errors import NotFound
from domain.identifiers import new_claim_id

# The URL holds secrets, and is emptied when the destination ends; `shown` is what of it people may see.
destinations: Final = Table(
    "destinations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("added_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("added_by", Text, nullable=False),
    Column("removed_at", MOMENT),
    Column("removed_by", Text),
    Column("subject_id", ID, nullable=False, unique=True),
    *chain_columns(),
    Index("destinations_present", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)

AUDITED: Final = Audited(
    destinations,
    StoredDestination,
    key="subject_id",
    spelled={"url_digest": sha256_of("convert_to(url, 'UTF8')")},
)

# The first rows by name are listed; the rest are left out.
_LISTED: Final = 1000

_END: Final = (
    "UPDATE destinations SET removed_at = now(), removed_by = %s, url = '' WHERE name = %s AND removed_at IS NULL"
    " RETURNING subject_id::text"
)


class Destinations:
    """Adds, removes and lists destinations. Every method raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def urls(self) -> dict[str, str]:
        """Reads the URLs in use by name, secrets included."""
        sql = "SELECT name, url FROM destinations WHERE removed_at IS NULL"
        with translated_errors(), self._engine.connect() as connection:
            return {row.name: row.url for row in connection.exec_driver_sql(sql)}

    def add(self, name: str, url: str, who: str) -> None:
        """Adds a destination, in place of any of this name."""
        with translated_errors(), self._engine.begin() as connection:
            _end(connection, name, who)
            subject_id = new_claim_id()
            connection.exec_driver_sql(
                "INSERT INTO destinations (name, url, shown, added_by, subject_id) VALUES (%s, %s, %s, %s, %s)",
                (name, url, shown(url), who, subject_id),
            )
            Acts(connection).record_act(AUDITED, subject_id, DestinationAdded, who)

    def remove(self, name: str, who: str) -> None:
        """Ends a destination and forgets its URL. Raises `NotFound`."""
        with translated_errors(), self._engine.begin() as connection:
            if not _end(connection, name, who):
                raise NotFound(f"There is no destination {name} that was added by `spotclaim destinations add`.")

    def tested(self, name: str, who: str) -> None:
        """Records that somebody tests a destination; one that was not added here has no row, and no record."""
        sql = "SELECT subject_id::text FROM destinations WHERE name = %s AND removed_at IS NULL"
        with translated_errors(), self._engine.begin() as connection:
            for subject_id in connection.exec_driver_sql(sql, (name,)).scalars():
                Acts(connection).record_act(AUDITED, subject_id, DestinationTested, who)

    def listed(self) -> list[dict[str, Any]]:
        """Lists all there were, the latest of a name first: name, shown (schema and host), added_at, added_by,
        removed_at, removed_by."""
        sql = (
            "SELECT name, shown, added_at, added_by, removed_at, removed_by FROM destinations"
            f" ORDER BY name, id DESC LIMIT {_LISTED}"
        )
        with translated_errors(), self._engine.connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]


def _end(connection: Connection, name: str, who: str) -> bool:
    """Ends a destination, and returns whether there was one."""
    ended = list(connection.exec_driver_sql(_END, (who, name)).scalars())
    for subject_id in ended:
        Acts(connection).record_act(AUDITED, subject_id, DestinationRemoved, who)
    return bool(ended)
