"""`spotclaim policy`: a file to begin with, and is it sound?"""

from pathlib import Path
from typing import Annotated

import typer

from adapters.policy.presets import Preset, preset_text
from adapters.policy.reader import PolicyWrong, load_policy
from domain.errors import SetupError
from workers.cli.options import JsonOption
from workers.cli.printing import print_json

policy = typer.Typer(help="The policy.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(policy, name="policy")


@policy.command("init")
def write_policy(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("policy.yaml"),
    preset: Annotated[
        Preset, typer.Option(help="How much evidence it demands, and whether unknown spots and warranties pass.")
    ] = Preset.STRICT,
) -> None:
    """Write a whole policy with comments, to be changed and named in SPOTCLAIM_POLICY."""
    try:
        with file.open("x") as new:
            new.write(preset_text(preset))
    except FileExistsError:
        raise SetupError(f"{file} is there already; name another file, or move it away.") from None
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}.") from None
    typer.echo(f"{file}: the {preset} policy. Change it, then name it in SPOTCLAIM_POLICY.")


@policy.command("check")
def check_policy(
    file: Annotated[Path | None, typer.Argument(help="The built-in policy if none.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a policy as a whole; exit 1 if anything is wrong, each mistake named with its line."""
    try:
        checked = load_policy(file)
    except PolicyWrong as wrong:
        if as_json:
            print_json({"sound": False, "mistakes": str(wrong).splitlines()})
        else:
            typer.echo(str(wrong), err=True)
        raise typer.Exit(1) from None
    if as_json:
        return print_json({"sound": True, "version": checked.version, "codes": len(checked.codes)})
    typer.echo(f"The policy is sound: version {checked.version}, {len(checked.codes)} codes.")
    return None
