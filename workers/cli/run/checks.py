"""Commands that check: what was confirmed against what is there, the set-up, the policy, the settings."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adapters.policy.reader import PolicyWrong, load_policy
from adapters.postgres.field.reconciliation import Holdings
from ingest.cloudevents.ledger import read_ledgers
from workers.cli.application import DataOption, JsonOption, existing
from workers.cli.printing import print_json
from workers.health.doctor import examine
from workers.health.reconcile import reconcile as run_reconcile
from workers.settings import Settings, load_settings

policy = typer.Typer(help="The policy.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (reconcile, doctor, settings):
        app.command()(command)
    app.add_typer(policy, name="policy")


def reconcile(
    data: DataOption = None,
    ledger: Annotated[Path | None, typer.Option(help="Folder of the ledgers that `send --ledger` wrote.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for messages on their way.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Compare what publishers were confirmed with what is there; exit 1 if anything is lost or doubled."""
    entries = read_ledgers(ledger) if ledger else None
    with existing(data) as app:
        result = run_reconcile(Holdings(app.engine), app.amqp, entries, patience)
    if as_json:
        print_json(asdict(result))
    else:
        for name, number in asdict(result).items():
            typer.echo(f"{name.replace('_', ' '):>14}  {number:>10,}")
        if ledger is None:
            typer.echo("Without --ledger nobody knows what was confirmed; only what is there was checked.")
    if not result.clean:
        raise typer.Exit(1)


def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Look for what is wrong with this installation; exit 1 if anything is."""
    with existing(data) as app:
        findings = examine(app)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    for finding in () if as_json else findings:
        typer.echo(f"{'ok   ' if finding.well else 'WRONG'} {finding.what}: {finding.detail}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def settings(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List every setting with its present value; secrets are not shown."""
    present = load_settings(data=data)
    values, fields = present.model_dump(mode="json"), Settings.model_fields
    if as_json:
        return print_json(
            [
                {"name": f"SPOTCLAIM_{name.upper()}", "value": values[name], "description": field.description}
                for name, field in fields.items()
            ]
        )
    for name, field in fields.items():
        typer.echo(f"SPOTCLAIM_{name.upper()}={getattr(present, name)!s}")
        typer.echo(f"    {field.description}")
    return None


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
