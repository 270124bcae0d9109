"""The command line. Exit code 0: done; 1: something was found wrong, and is said; 2: wrong usage or set-up.

Enter at `main`. Commands stand by subject: `field`, `claims`, `incidents`, `notifications`, `audit`; and `run`,
which has the roles, checks and users. `application` is how a command comes to the parts that it uses, with the
options that commands share. `printing` prints tables and JSON, `progress` shows how far long work has come, and
`output` ends quietly when nobody reads on.
"""

import sys

from domain.errors import SetupError, SpotclaimError
from workers.cli.commands import LazyGroup, plain
from workers.cli.output import NotWritten, Output, ReaderGone, drop_the_rest, leave_quietly
from workers.runtime.escaping import escaped
from workers.runtime.garbage_collection import spare_the_start

app = plain(name="spotclaim", cls=LazyGroup, no_args_is_help=True)


@app.callback()
def spotclaim() -> None:
    """Turns every fault of a charging spot into a checked, routed, timed and audited claim."""


def main() -> None:
    """The `spotclaim` command."""
    spare_the_start()
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
    print("spotclaim:", escaped(error, keep="\n"), file=sys.stderr)
    return code
