"""Checks what must be there before a command works: database, port, destinations."""

import socket
from collections.abc import Iterable
from errno import EACCES, EADDRINUSE

from sqlalchemy import URL
from sqlalchemy.engine import make_url

from domain.errors import SetupError, TransientError
from workers.bootstrap import schema
from workers.bootstrap.app import App
from workers.bootstrap.foundation import Foundation


def demand_database(base: Foundation) -> None:
    """Raises `SetupError` unless the database answers and has the present schema."""
    try:
        current = schema.is_current(base)
    except TransientError as error:
        raise database_away(base.engine.url, error) from None
    if not current:
        raise SetupError("The database has not the present schema; run `spotclaim migrate` once.")


def database_away(url: str | URL, error: TransientError) -> SetupError:
    """The set-up error of a database that does not answer. Its address is named without the password."""
    address = make_url(url).set(password=None).render_as_string()
    return SetupError(
        f"SPOTCLAIM_DATABASE_URL: cannot reach PostgreSQL at {address}; start it, or correct the address. {error}"
    )


def demand_port(host: str, port: int, setting: str = "SPOTCLAIM_PORT") -> None:
    """Raises `SetupError`, naming the setting, when the address cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            wrong = setting if error.errno in (EADDRINUSE, EACCES) else "SPOTCLAIM_HOST"
            raise SetupError(f"{wrong}: cannot listen on {host}:{port} ({reason}); choose another.") from None


def demand_destinations(app: App) -> None:
    """Raises `SetupError`, naming the destinations that are neither configured nor added."""
    known = app.notifications.notifier.destinations
    if unknown := sorted(app.foundation.policy.destinations - set(known)):
        raise _not_there(f"The policy notifies {', '.join(unknown)}", known)
    checkpoint = app.settings.checkpoint_destination
    if checkpoint is not None and checkpoint not in known:
        raise _not_there(f"SPOTCLAIM_CHECKPOINT_DESTINATION is {checkpoint}", known)


def _not_there(what: str, known: Iterable[str]) -> SetupError:
    return SetupError(
        f"{what}, which SPOTCLAIM_DESTINATIONS does not name and `spotclaim destinations add` has not added; "
        f"there are {', '.join(known) or 'none'}."
    )
