"""`spotclaim doctor`: what is wrong with an installation."""

from dataclasses import asdict

import typer

from workers.cli.application import existing
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import print_json
from workers.health.doctor import examine


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(doctor)


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
