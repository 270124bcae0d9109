"""What must be remembered of OCPP stations is kept by the database, in order and whole."""

from sqlalchemy import Engine

from adapters.postgres.field.station_memory import PostgresStationMemory


def test_what_was_kept_is_recalled(engine: Engine) -> None:
    """Given memories of some stations, when one is asked for, then it comes, with all that wait for an answer."""
    memory = PostgresStationMemory(engine)
    memory.keep({"A": ('{"z":1,"a":2}', False), "B": ("{}", True), "C": ("{}", False)})

    assert memory.recall(["A", "X"]) == {"A": '{"z":1,"a":2}', "B": "{}"}


def test_what_is_kept_later_counts(engine: Engine) -> None:
    """Given a station that waits, when its answer came, then it is recalled by name alone, as it is now."""
    memory = PostgresStationMemory(engine)
    memory.keep({"A": ("old", True)})

    memory.keep({"A": ("new ü", False)})

    assert memory.recall([]) == {}
    assert memory.recall(["A"]) == {"A": "new ü"}
