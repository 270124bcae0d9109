"""Brings a database to the present schema. Safe to call by many processes at once, and again and again."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from adapters.postgres.engine import connect, translated_errors

# Any constant does, as long as nobody else on the server uses it for an advisory lock.
_LOCK = 7_305_776_001


def migrate(url: str, to: str = "head") -> None:
    """Runs the migrations that the database lacks, up to the revision `to`, under an advisory lock.

    Raises `TransientError` when the server is away or the lock is not had in time.
    """
    engine = connect(url, pool_size=1)
    try:
        with translated_errors(), engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has every migration that this version of the code knows."""
    with translated_errors(), engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
