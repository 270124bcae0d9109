"""A database of an older version, for what migrations must keep."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from adapters.postgres.engine import connect
from adapters.postgres.migrations import migrate


@pytest.fixture
def older(empty_database_url: str) -> Iterator[Engine]:
    """A database as version 0019 left it."""
    migrate(empty_database_url, to="0019")
    engine = connect(empty_database_url)
    yield engine
    engine.dispose()
