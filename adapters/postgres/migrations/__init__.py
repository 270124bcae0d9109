"""Migrates a database to the present schema; many processes may do so at once, and again.

Enter at `migrate`. Migrations are Alembic's, in `versions`, named by revisions that count up; `env` runs them on a
connection that holds the migration lock. A test holds the schema that they build against the one that the code
declares.
"""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from adapters.postgres.engine import connect, translated_errors

# Any constant does, as long as nobody else on the server uses it for an advisory lock.
_LOCK = 7_305_776_001
_FOLDER = Path(__file__).parent


def migrate(url: str, to: str = "head") -> None:
    """Runs the migrations that the database lacks, up to the revision `to`, under an advisory lock.

    Raises `TransientError` when the server is away or the lock is not had in time.
    """
    # It takes a while to import, and most commands only ask whether anything is lacking.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("recursive_version_locations", "true")
    engine = connect(url, pool_size=1)
    try:
        with translated_errors(), engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    finally:
        engine.dispose()


def is_current(engine: Engine) -> bool:
    """Whether the database has every migration that this version of the code knows."""
    with translated_errors(), engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return present == newest()


def newest() -> str:
    """The revision that no other follows. Files are named by their revisions, which count up."""
    return max(path.name for path in (_FOLDER / "versions").glob("*/[0-9]*.py")).partition("_")[0]
