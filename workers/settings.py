"""Defines the settings, from the environment and the command line.

Units are in the names.
"""

import json
import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import SetupError


class Settings(BaseSettings):
    """Holds every setting; its environment variable is the name in capitals after `SPOTCLAIM_`.

    Without a URL the embedded part replaces that server, with its data in `data`.
    """

    model_config = SettingsConfigDict(env_prefix="SPOTCLAIM_", extra="ignore", frozen=True)

    data: Path = Field(Path("data"), description="Folder of the embedded database and of generated keys.")
    database_url: SecretStr | None = Field(None, description="PostgreSQL, postgresql+psycopg2://…")
    amqp_url: SecretStr | None = Field(None, description="RabbitMQ, amqp://… or amqps://…")
    redis_url: SecretStr | None = Field(None, description="Redis, redis://… or rediss://…")
    host: str = Field("127.0.0.1", description="Address that the HTTP server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="HTTP port of the console and the API.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of /metrics in worker roles; 0 for none.")
    policy: Path | None = Field(None, description="Policy file, or strict, lenient or demo; strict when unset.")
    destinations: Annotated[dict[str, SecretStr], NoDecode] = Field(
        {}, description='Destinations of notifications, as JSON: {"ops": "<Apprise URL>"}.'
    )
    allow_internal_destinations: bool = Field(
        False,
        description="Allow destinations inside the network (loopback, private, link-local) and behind proxies "
        "that the environment names.",
    )
    templates: Path | None = Field(
        None, description="Folder of your own templates for notifications; built-in ones replace those it lacks."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        description="Public address of the console, for links.",
    )
    bootstrap_token: SecretStr | None = Field(None, description="API token of the role admin, set at start.")
    evidence_store: str | None = Field(
        None,
        description="Store for files of evidence: file:///folder or s3://bucket/prefix; the database when unset.",
    )
    require_user_id: bool = Field(False, description="Reject messages without a broker-validated user.")
    worker_threads: int = Field(2, ge=1, le=64, description="Threads for intake and steps in one worker process.")
    delivery_threads: int = Field(8, ge=1, le=64, description="Threads for notifications in one worker process.")
    relay_poll_seconds: float = Field(
        1.0, gt=0, description="Longest interval between polls of the relay, if not woken."
    )
    scheduler_poll_seconds: float = Field(1.0, gt=0, description="Interval between polls of the scheduler.")
    step_lease_seconds: float = Field(30.0, gt=0, description="Lease of a sent step; then it is sent again.")
    intake_patience_seconds: float = Field(
        300.0,
        gt=0,
        le=600,
        description="How long a batch waits in a worker for the database before it is requeued.",
    )
    audit_key: Path | None = Field(
        None, description="Private key file that signs checkpoints; audit-key.pem in the data folder when unset."
    )
    checkpoint_seconds: float = Field(
        300.0, gt=0, description="Interval between checkpoints of the audit log, if it has new events."
    )
    checkpoint_destination: str | None = Field(
        None, description="Destination that every checkpoint is sent to as well."
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="Log lines for people or programs.")

    @field_validator("destinations", mode="before")
    @classmethod
    def _parse_destinations(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except json.JSONDecodeError:
            raise ValueError('write it as JSON: {"ops": "mailto://…"}') from None

    @property
    def audit_key_file(self) -> Path:
        """Returns the file of the key that signs checkpoints."""
        return self.audit_key or self.data / "audit-key.pem"

    @property
    def checkpoint_file(self) -> Path:
        """Returns the file that every checkpoint is appended to."""
        return self.data / "checkpoints.jsonl"

    @property
    def embedded(self) -> bool:
        """Checks whether work stays in this process, because no broker is set."""
        return self.amqp_url is None


def misspelt() -> Iterator[tuple[str, str]]:
    """Finds environment variables that look like a misspelt setting, with that setting.

    Others are left alone: Kubernetes sets variables of this prefix for every service.
    """
    known = [f"SPOTCLAIM_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith("SPOTCLAIM_") and name not in known:
            for meant in get_close_matches(name, known, 1, cutoff=0.9):
                yield name, meant


def load_settings(**overrides: object) -> Settings:
    """Loads the settings from the environment, with the command line's on top.

    Raises `SetupError` with every wrong setting in one line, and never with a value that may be secret.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            f"SPOTCLAIM_{str(problem['loc'][0]).upper()}: {_within(problem['loc'][1:])}{problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise SetupError("; ".join(problems)) from None


def _within(path: tuple[int | str, ...]) -> str:
    return f"{'.'.join(str(part) for part in path)}: " if path else ""
