"""How much a command brings in before it does anything."""

import subprocess
import sys

# Each takes a tenth to a third of a second, which whoever looks at a claim should not wait for.
SLOW = {"alembic", "apprise", "fakeredis", "fastapi", "polars", "starlette", "uvicorn"}


def test_commands_start_without_what_only_some_need() -> None:
    script = "import sys, workers.cli; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert SLOW & set(loaded.split()) == set()
