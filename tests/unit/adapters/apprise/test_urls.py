"""URLs of servers and destinations: an invalid one is refused before anything is connected."""

import pytest

from adapters.apprise.notifier import AppriseNotifier
from adapters.apprise.urls import SCHEMAS, redacted, secrets, shown
from adapters.postgres import engine
from adapters.rabbitmq import connection as rabbitmq
from adapters.redis import feed as redis_feed
from domain.errors import SetupError

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("url", ["postgresql://u@host/db", "postgresql+psycopg2://u@host/db"])
def test_both_spellings_of_postgresql_are_taken(url: str) -> None:
    """The plain one would mean another driver to SQLAlchemy."""
    assert engine.connect(url).dialect.driver == "psycopg2"


@pytest.mark.parametrize(
    "url", ["", "nonsense", f"mysql://u:{SECRET}@host/db", f"postgresql+asyncpg://u:{SECRET}@host/db"]
)
def test_another_database_is_refused(url: str) -> None:
    """One line that names the variable and shows no password."""
    with pytest.raises(SetupError, match=r"^SPOTCLAIM_DATABASE_URL .*postgresql\+psycopg2://") as raised:
        engine.connect(url)

    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("url", ["", "localhost:5672", f"http://u:{SECRET}@host", f"amqp://u:{SECRET}@host:port/"])
def test_an_address_that_is_no_brokers_is_refused(url: str) -> None:
    """Likewise."""
    with pytest.raises(SetupError, match=r"^SPOTCLAIM_AMQP_URL ") as raised:
        rabbitmq.parameters(url)

    assert SECRET not in str(raised.value)


def test_no_wait_for_the_broker_is_unbounded() -> None:
    """Nor for one whose alarm is on, nor for one that no longer answers."""
    parameters = rabbitmq.parameters("amqp://guest:guest@localhost")

    waits = (parameters.heartbeat, parameters.blocked_connection_timeout, parameters.socket_timeout)
    assert all(0 < wait <= 60 for wait in (*waits, parameters.stack_timeout))


@pytest.mark.parametrize("url", ["", "localhost", f"http://:{SECRET}@host"])
def test_an_address_that_is_no_redis_is_refused(url: str) -> None:
    """Likewise."""
    with pytest.raises(SetupError, match=r"^SPOTCLAIM_REDIS_URL ") as raised:
        redis_feed.connect(url)

    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ops",
        f"file:///{SECRET}",
        f"syslog://{SECRET}",
        f"exec://{SECRET}",
        f"http://u:{SECRET}@169.254.169.254/",
        f"windows://{SECRET}",
        f"mailto://{SECRET}",
    ],
)
def test_a_destination_outside_the_list_is_refused(url: str) -> None:
    """Only what carries a notification; the complaint names the destination, not its secrets."""
    with pytest.raises(SetupError, match=r"^SPOTCLAIM_DESTINATIONS: .*night-shift") as raised:
        AppriseNotifier({"night-shift": url})

    assert SECRET not in str(raised.value)


def test_destinations_are_shown_by_schema_alone() -> None:
    """People see how somebody is notified, not with which password."""
    notifier = AppriseNotifier({"ops": "log://", "mail": f"mailtos://me:{SECRET}@example.org"})

    assert notifier.destinations == {"ops": "log", "mail": "mailtos"}
    assert set(notifier.destinations.values()) <= SCHEMAS


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"mailtos://me:{SECRET}@example.org/?to={SECRET}", "mailtos://example.org"),
        (f"json://me:{SECRET}@chat.example.org:8080/{SECRET}", "json://chat.example.org"),
        (f"slack://{SECRET}/A/B", "slack://…"),
        (f"ntfy://{SECRET}", "ntfy://…"),
        ("log://", "log://…"),
    ],
)
def test_a_url_is_shown_by_schema_and_host(url: str, expected: str) -> None:
    """By the host only where that is one: for many services a part of the secret stands in its place."""
    assert shown(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        f"slack://{SECRET}/A/B",
        f"ntfy://{SECRET}",
        f"json://{SECRET}@h/",
        f"json://u:{SECRET}@h/",
        f"json://h/{SECRET}?x={SECRET}",
        "json://h/hunter2%2Dhunter2",
        f"discord://1/{SECRET}",
    ],
)
def test_no_part_of_a_url_that_may_be_secret_is_said(url: str) -> None:
    """However it is written there."""
    assert SECRET not in redacted(f"cannot reach {SECRET} or {url}", secrets(url))
