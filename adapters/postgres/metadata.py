"""Declares the metadata that all tables share, and the types of their columns.

Each table stands in its subject's file; `adapters.postgres.schema` imports them all.
"""

from typing import Final

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import UUID

metadata: Final = MetaData()

MOMENT: Final = DateTime(timezone=True)
ID: Final = UUID(as_uuid=False)
