"""Runs Alembic on the connection that is handed in, which holds the migration lock."""

from alembic import context

from adapters.postgres.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
