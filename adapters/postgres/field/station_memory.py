"""Stores the memory of OCPP stations: one row each, written again whenever a frame changes it."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Boolean, Column, Engine, Index, Table, Text, text

from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import metadata

ocpp_stations: Final = Table(
    "ocpp_stations",
    metadata,
    Column("station", Text, primary_key=True),
    # Not jsonb, which would forget the order of the keys.
    Column("memory", Text, nullable=False),
    Column("waiting", Boolean, nullable=False),
    Index("ocpp_stations_waiting", "station", postgresql_where=text("waiting")),
)

_RECALL: Final = "SELECT station, memory FROM ocpp_stations WHERE waiting OR station = ANY(%s::text[])"
# One order for everybody, so that two writers cannot deadlock.
_KEEP: Final = """
INSERT INTO ocpp_stations (station, memory, waiting)
SELECT * FROM unnest(%s::text[], %s::text[], %s::boolean[]) AS kept (station, memory, waiting) ORDER BY station
ON CONFLICT (station) DO UPDATE SET memory = excluded.memory, waiting = excluded.waiting
"""


class PostgresStationMemory:
    """Implements `domain.ports.store.StationMemory`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def recall(self, stations: Sequence[str]) -> dict[str, str]:
        """Reads what was kept of these stations, and of all that wait for an answer."""
        with translated_errors(), self._engine.connect() as connection:
            rows = connection.exec_driver_sql(_RECALL, (list(stations),))
            return {row.station: row.memory for row in rows}

    def keep(self, stations: Mapping[str, tuple[str, bool]]) -> None:
        """Keeps what each station is to be remembered by, and whether it waits for an answer."""
        memories = [memory for memory, _ in stations.values()]
        waiting = [is_waiting for _, is_waiting in stations.values()]
        with translated_errors(), self._engine.begin() as connection:
            connection.exec_driver_sql(_KEEP, (list(stations), memories, waiting))
