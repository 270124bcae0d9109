"""Stores files of evidence in the database itself: one server to run, one backup to make."""

from hashlib import sha256 as digest_of
from typing import Final

from sqlalchemy import Column, Engine, LargeBinary, Table, text

from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import MOMENT, metadata
from domain.errors import NotFound

evidence_files: Final = Table(
    "evidence_files",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("stored_at", MOMENT, nullable=False, server_default=text("now()")),
)

_PUT: Final = "INSERT INTO evidence_files (sha256, content) VALUES (%s, %s) ON CONFLICT (sha256) DO NOTHING"
_GET: Final = "SELECT content FROM evidence_files WHERE sha256 = decode(%s, 'hex')"


class DatabaseFiles:
    """Implements `domain.ports.store.EvidenceFiles` in the table `evidence_files`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, content: bytes) -> str:
        digest = digest_of(content)
        with translated_errors(), self._engine.begin() as connection:
            connection.exec_driver_sql(_PUT, (digest.digest(), content))
        return digest.hexdigest()

    def get(self, sha256: str) -> bytes:
        with translated_errors(), self._engine.connect() as connection:
            found = connection.exec_driver_sql(_GET, (sha256,)).scalar_one_or_none()
        content = b"" if found is None else bytes(found)
        if found is None or digest_of(content).hexdigest() != sha256:
            raise NotFound(f"No file with the digest {sha256} is in the database.")
        return content
