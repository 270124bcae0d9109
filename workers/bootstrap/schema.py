"""The database's schema: is it the present one, and what makes it so."""

from contextlib import ExitStack

from adapters.postgres import migrations
from workers.bootstrap import foundation
from workers.bootstrap.foundation import Foundation
from workers.settings import Settings


def is_current(base: Foundation) -> bool:
    """Whether the schema is the present one. Raises `TransientError` when the database is away."""
    return migrations.is_current(base.engine)


def prepare(base: Foundation) -> None:
    """Brings an embedded database to the present schema; a real server's is changed by `migrate` alone."""
    if base.settings.database_url is None:
        migrations.migrate(base.engine.url.render_as_string(hide_password=False))


def migrate(settings: Settings) -> None:
    """Brings whichever database the settings name to the present schema. Raises `TransientError`."""
    with ExitStack() as stack:
        migrations.migrate(foundation.database_url(settings, stack))
