"""The command line. Exit code 0: done; 1: something was found wrong, and is said; 2: wrong usage or set-up."""

import sys

import typer

from domain.errors import SetupError, SpotclaimError
from workers.cli import audit
from workers.cli.claims import claims as look
from workers.cli.claims import evidence
from workers.cli.claims import verify as explain
from workers.cli.field import imports, quarantine, schema, simulate
from workers.cli.field import send as files
from workers.cli.incidents import detect, incidents
from workers.cli.notifications import deliveries, destinations, silences
from workers.cli.notifications import templates as notify
from workers.cli.output import NotWritten, Output, ReaderGone, drop_the_rest, leave_quietly
from workers.cli.run import checks as check
from workers.cli.run import roles as serve
from workers.cli.run import users
from workers.runtime.escaping import visible

app = typer.Typer(
    name="spotclaim",
    help="Turns every fault of a charging spot into a checked, routed, timed and audited claim.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain text: boxes break long paths and read badly in logs.
    rich_markup_mode=None,
)
_COMMANDS = (
    *(serve, files, imports, simulate, look, incidents, detect, quarantine, evidence),
    *(deliveries, silences, destinations, notify),
    *(explain, check, audit, schema, users),
)
for module in _COMMANDS:
    module.add_to(app)


def main() -> None:
    """The `spotclaim` command."""
    if sys.stdout is not None:
        sys.stdout = Output(sys.stdout)
    try:
        _run()
    except ReaderGone:
        sys.exit(leave_quietly())
    except NotWritten as error:
        drop_the_rest()
        sys.exit(_complain(error, 1))
    except SetupError as error:
        sys.exit(_complain(error, 2))
    except SpotclaimError as error:
        sys.exit(_complain(error, 1))


def _run() -> None:
    try:
        app()
    finally:
        # A reader that went before the last line is found out here, and not when the interpreter ends.
        if sys.stdout is not None:
            sys.stdout.flush()


def _complain(error: SpotclaimError, code: int) -> int:
    # Some errors quote a file.
    print("spotclaim:", visible(error, keep="\n"), file=sys.stderr)
    return code
