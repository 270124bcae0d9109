"""Settings: sensible without any, and each mistake reported in one clear line."""

from pathlib import Path
from typing import Any

import pytest

from domain.errors import SetupError
from workers.settings import Settings, load_settings

SECRET = "hunter2-hunter2"


def complaint(**wrong: Any) -> str:
    with pytest.raises(SetupError) as raised:
        load_settings(**wrong)
    return str(raised.value)


def test_no_setting_is_needed() -> None:
    """Everything that needs a server has an embedded part; nothing listens beyond this machine."""
    settings = Settings.model_construct()

    assert (settings.database_url, settings.amqp_url, settings.redis_url) == (None, None, None)
    assert (settings.embedded, settings.host, settings.port) == (True, "127.0.0.1", 8080)


def test_a_broker_makes_it_distributed() -> None:
    """Work is carried by other processes then."""
    assert not load_settings(amqp_url="amqp://guest@localhost").embedded


def test_the_command_line_goes_before_and_silence_says_nothing() -> None:
    """An option that was not given overrides nothing."""
    assert load_settings(port=9000, host=None).port == 9000
    assert load_settings(port=9000, host=None).host == Settings.model_fields["host"].default


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"port": 70000}, "SPOTCLAIM_PORT: Input should be less than or equal to 65535"),
        ({"port": -1}, "SPOTCLAIM_PORT: Input should be greater than or equal to 0"),
        ({"port": "http"}, "SPOTCLAIM_PORT: Input should be a valid integer"),
        ({"metrics_port": 65536}, "SPOTCLAIM_METRICS_PORT: Input should be less than or equal to 65535"),
        ({"worker_threads": 0}, "SPOTCLAIM_WORKER_THREADS: Input should be greater than or equal to 1"),
        ({"worker_threads": 65}, "SPOTCLAIM_WORKER_THREADS: Input should be less than or equal to 64"),
        ({"delivery_threads": 0}, "SPOTCLAIM_DELIVERY_THREADS: Input should be greater than or equal to 1"),
        ({"relay_poll_seconds": 0}, "SPOTCLAIM_RELAY_POLL_SECONDS: Input should be greater than 0"),
        ({"step_lease_seconds": -1}, "SPOTCLAIM_STEP_LEASE_SECONDS: Input should be greater than 0"),
        ({"checkpoint_seconds": 0}, "SPOTCLAIM_CHECKPOINT_SECONDS: Input should be greater than 0"),
        ({"scheduler_poll_seconds": 0}, "SPOTCLAIM_SCHEDULER_POLL_SECONDS: Input should be greater than 0"),
        ({"intake_patience_seconds": "long"}, "SPOTCLAIM_INTAKE_PATIENCE_SECONDS: Input should be a valid number"),
        ({"require_user_id": "perhaps"}, "SPOTCLAIM_REQUIRE_USER_ID: Input should be a valid boolean"),
        ({"log_format": "xml"}, "SPOTCLAIM_LOG_FORMAT: Input should be 'auto', 'console' or 'json'"),
        ({"destinations": "mailto://x"}, "SPOTCLAIM_DESTINATIONS: Value error, write it as JSON"),
        ({"destinations": "[1]"}, "SPOTCLAIM_DESTINATIONS: Input should be a valid dictionary"),
        ({"destinations": '{"ops": 5}'}, "SPOTCLAIM_DESTINATIONS: ops: Input should be a valid string"),
    ],
)
def test_each_mistake_is_one_clear_line(wrong: dict[str, Any], expected: str) -> None:
    """It names the variable and what would be right."""
    complained = complaint(**wrong)

    assert complained.startswith(expected)
    assert "\n" not in complained


def test_all_mistakes_are_reported_together() -> None:
    """Nobody mends one to learn of the next."""
    complained = complaint(port=-1, worker_threads=0, log_format="xml")

    assert all(
        name in complained for name in ("SPOTCLAIM_PORT", "SPOTCLAIM_WORKER_THREADS", "SPOTCLAIM_LOG_FORMAT")
    )
    assert "\n" not in complained


@pytest.mark.parametrize(
    "secret",
    [
        {"database_url": [SECRET]},
        {"amqp_url": {"password": SECRET}},
        {"redis_url": (SECRET,)},
        {"bootstrap_token": [SECRET]},
        {"destinations": f"mailto://me:{SECRET}@host"},
        {"destinations": f'["{SECRET}"]'},
        {"destinations": {"ops": [SECRET]}},
    ],
)
def test_a_complaint_never_shows_a_secret(secret: dict[str, Any]) -> None:
    """Not even one that was put where it does not belong."""
    assert SECRET not in complaint(**secret)


def test_a_secret_is_hidden_wherever_settings_are_shown() -> None:
    """In logs, listings and traces."""
    settings = load_settings(
        database_url=f"postgresql://u:{SECRET}@host/db",
        amqp_url=f"amqp://u:{SECRET}@host",
        redis_url=f"redis://:{SECRET}@host",
        bootstrap_token=SECRET,
        destinations=f'{{"ops": "mailto://u:{SECRET}@host"}}',
    )

    assert SECRET not in repr(settings) + str(settings) + str(settings.model_dump())
    assert settings.destinations["ops"].get_secret_value() == f"mailto://u:{SECRET}@host"


def test_every_setting_is_described() -> None:
    """`spotclaim settings` lists them for people; what is measured in seconds says so."""
    assert all(field.description for field in Settings.model_fields.values())
    assert load_settings(data="x").data == Path("x")
