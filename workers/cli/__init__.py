"""The command line. Exit code 0: done; 1: something was found wrong, and is said; 2: wrong usage or set-up."""

import sys

import typer

from domain.errors import SetupError, SpotclaimError
from workers.cli import (
    audit,
    check,
    deliveries,
    destinations,
    detect,
    evidence,
    explain,
    files,
    imports,
    incidents,
    look,
    notify,
    quarantine,
    schema,
    serve,
    silences,
    simulate,
    users,
)
from workers.cli.output import NotWritten, Output, ReaderGone, drop_the_rest, leave_quietly
from workers.visible import visible

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
