"""Destinations that were added by command, in PostgreSQL."""

import pytest
from sqlalchemy import Engine

from adapters.postgres.notifications.destinations import Destinations
from domain.errors import NotFound

SECRET = "hunter2-hunter2"
URL = f"mailtos://me:{SECRET}@example.org"


@pytest.fixture
def destinations(engine: Engine) -> Destinations:
    return Destinations(engine)


def test_one_that_is_added_is_in_use(destinations: Destinations) -> None:
    """Its list shows who and what, and no secret."""
    destinations.add("night", URL, "cli:ann")

    assert destinations.urls() == {"night": URL}
    [row] = destinations.listed()
    assert (row["name"], row["shown"], row["added_by"]) == ("night", "mailtos://example.org", "cli:ann")
    assert SECRET not in str(row)


def test_one_that_is_removed_leaves_its_name_and_no_secret(destinations: Destinations, engine: Engine) -> None:
    """Who had been notified can be said later on."""
    destinations.add("night", URL, "cli:ann")

    destinations.remove("night", "cli:bob")

    assert destinations.urls() == {}
    [row] = destinations.listed()
    assert (row["added_by"], row["removed_by"], row["removed_at"] is None) == ("cli:ann", "cli:bob", False)
    with engine.connect() as connection:
        assert SECRET not in str(connection.exec_driver_sql("SELECT * FROM destinations").all())


def test_a_new_url_ends_the_old_one(destinations: Destinations) -> None:
    """Both are on record, the latest first."""
    destinations.add("night", URL, "cli:ann")
    destinations.add("night", "log://", "cli:bob")

    assert destinations.urls() == {"night": "log://"}
    assert [(row["added_by"], row["removed_by"]) for row in destinations.listed()] == [
        ("cli:bob", None),
        ("cli:ann", "cli:bob"),
    ]


def test_one_that_is_not_there_cannot_be_removed(destinations: Destinations) -> None:
    """Nor one that was removed before."""
    destinations.add("night", URL, "cli:ann")
    destinations.remove("night", "cli:ann")

    for name in ("night", "day"):
        with pytest.raises(NotFound, match=name):
            destinations.remove(name, "cli:ann")
