"""Import: rows of a table and frames of a log a second, from the packed file to committed rows.

From the first row to the last: the importer with the parts that a command gives it, in this process, into a
database of its own. Whole command: `spotclaim import` on another such database, from the start of its process to
its end, so with what it takes to start and with what the import leads to.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from pydantic import SecretStr

from ingest.files.importer import Importer
from ingest.files.items import Item
from ingest.ocpp.reader import read_log
from ingest.tables import csv_rows as rows
from ingest.tables.reader import Table
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake import files
from tests.benchmarks.processes import ProcessFailed, tool
from tests.benchmarks.report import Row, rate_row
from tests.benchmarks.scale import Scale
from workers.bootstrap.app import build
from workers.runtime.garbage_collection import calm_the_collector
from workers.settings import Settings

_DEADLINE_SECONDS = 120

_Items = Callable[[Path], Iterator[Item]]


def measure(scale: Scale) -> Iterator[Row]:
    """Rates of sessions and frames, the command and the importer in turns."""
    count = scale.import_rows
    loads = (("sessions", "rows", files.sessions, _sessions), ("ocpp", "frames", files.frames, _frames))
    calm_the_collector()
    for kind, unit, make, items in loads:
        within: list[float] = []
        whole: list[float] = []
        for _ in range(scale.repetitions):
            with fresh_corner() as corner:
                within.append(count / _importer_seconds(corner, make(corner.folder / kind, count), count, items))
            with fresh_corner() as corner:
                whole.append(count / _command_seconds(corner, kind, make(corner.folder / kind, count)))
        name = f"import {kind}"
        yield rate_row(name, "from the first to the last", within, f"{unit}/s", at_least=20_000)
        yield rate_row(name, f"whole command, {count:,} {unit}", whole, f"{unit}/s")


def _sessions(path: Path) -> Iterator[Item]:
    with path.open("rb") as stream:
        yield from Table(stream, "sessions").items()


def _frames(path: Path) -> Iterator[Item]:
    with path.open("rb") as stream:
        yield from read_log(rows.lines(stream))


def _importer_seconds(corner: Corner, path: Path, count: int, items: _Items) -> float:
    corner.settle()
    with ExitStack() as stack:
        app = build(Settings(database_url=SecretStr(corner.database_url), data=corner.folder), stack)
        importer = Importer(app.work.deliver_batch, app.work.known, app.clock, lambda _: None)
        began = time.perf_counter()
        tally = importer.run(items(path))
        seconds = time.perf_counter() - began
    if tally.read != count or tally.refused or tally.known:
        raise ValueError(f"Not every row of the load is new and valid: {tally}")
    return seconds


def _command_seconds(corner: Corner, kind: str, path: Path) -> float:
    corner.settle()
    without_broker = ("SPOTCLAIM_AMQP_URL", "SPOTCLAIM_REDIS_URL")
    environment = {name: value for name, value in corner.environment.items() if name not in without_broker}
    command = [tool("spotclaim"), "import", kind, str(path)]
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_DEADLINE_SECONDS)
    if done.returncode:
        raise ProcessFailed(f"{' '.join(command)} ended with {done.returncode}. {done.stderr[-2000:]}")
    return time.perf_counter() - began
