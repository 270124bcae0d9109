"""Declares the columns by which a message is known."""

from sqlalchemy import Column, Text

from adapters.postgres.metadata import ID


def message_identity() -> tuple[Column[str], ...]:
    """Declares the key of a message, and the source and id that the key follows from."""
    return (
        Column("key", ID, primary_key=True),
        Column("source", Text, nullable=False),
        Column("message_id", Text, nullable=False),
    )
