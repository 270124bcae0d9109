"""Stores every version of the policy ever loaded, so that a clock keeps to the one that bound it."""

from hashlib import sha256
from typing import Final

from sqlalchemy import Column, Engine, Table, Text, text

from adapters.policy import reader as policy_file
from adapters.postgres.audit.acts import Acts, Audited, chain_columns, sha256_of
from adapters.postgres.engine import translated_errors
from adapters.postgres.metadata import ID, MOMENT, metadata
from domain.administration.operating_acts import PolicyLoaded
from domain.administration.things import LoadedPolicy, thing_id
from domain.errors import SetupError
from domain.policy.policy import Policy

policies: Final = Table(
    "policies",
    metadata,
    Column("version", Text, primary_key=True),
    # SHA-256 of the content, which is canonical JSON, in hexadecimal digits.
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("first_loaded_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("subject_id", ID, nullable=False, unique=True),
    *chain_columns("chain_version"),
)

# The SHA-256 of the text as it is shows what the kept digest would hide if both were altered.
AUDITED: Final = Audited(
    policies,
    LoadedPolicy,
    key="subject_id",
    version="chain_version",
    spelled={"name": "version", "content_digest": sha256_of("convert_to(content, 'UTF8')")},
)

# Each policy's last event is the last time that it was loaded.
_LAST_LOADED: Final = """
SELECT p.version FROM policies p JOIN audit_events e ON e.subject_id = p.subject_id AND e.seq = p.chain_version
ORDER BY e.at DESC, p.first_loaded_at DESC LIMIT 1
"""


class Policies:
    """Finds the policy of a version. Every method raises `TransientError` when the database is away."""

    def __init__(self, engine: Engine, present: Policy) -> None:
        self._engine = engine
        self._known = {present.version: present}

    def __call__(self, version: str) -> Policy:
        """Reads the policy that was loaded under this version. Raises `LookupError` if none was."""
        if version not in self._known:
            self._known[version] = policy_file.restore_policy(self._content(version))
        return self._known[version]

    def keep(self, version: str, content: str, who: str = "start") -> None:
        """Keeps the content of a policy, as `policy_file.read_policy` gives it; `who` loads it.

        That is on record when the version is new, or another was loaded since. Raises `SetupError` when the
        version is kept with other content: claims that it bound could no longer tell what they were promised.
        """
        digest = _digest(content)
        with translated_errors(), self._engine.begin() as connection:
            subject_id = thing_id("policy", version)
            connection.exec_driver_sql(
                "INSERT INTO policies (version, digest, content, subject_id) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (version, digest, content, subject_id),
            )
            if connection.exec_driver_sql(_LAST_LOADED).scalar() != version:
                # Processes that start together take turns, and the first records it for all.
                connection.exec_driver_sql("SELECT FROM policies WHERE version = %s FOR UPDATE", (version,))
                if connection.exec_driver_sql(_LAST_LOADED).scalar() != version:
                    Acts(connection).record_act(AUDITED, subject_id, PolicyLoaded, who)
            kept = connection.exec_driver_sql("SELECT digest FROM policies WHERE version = %s", (version,))
            if kept.scalar_one() != digest:
                raise SetupError(
                    f"SPOTCLAIM_POLICY: the policy's version {version!r} was loaded before with other content; "
                    "change its version."
                )

    def _content(self, version: str) -> str:
        with translated_errors(), self._engine.connect() as connection:
            sql = "SELECT content, digest FROM policies WHERE version = %s"
            row = connection.exec_driver_sql(sql, (version,)).one_or_none()
        if row is None:
            raise LookupError(f"No policy of the version {version!r} was ever loaded.")
        if _digest(row.content) != row.digest:
            raise LookupError(f"The policy that is kept as version {version!r} was altered.")
        return str(row.content)


def _digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()
