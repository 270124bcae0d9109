"""`spotclaim reconcile`: what was confirmed against what is there."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ingest.cloudevents.ledger import read_ledgers
from workers.cli.application import existing
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import print_json
from workers.health.probes import demand_broker
from workers.health.reconcile import reconcile as run_reconcile


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(reconcile)


def reconcile(
    data: DataOption = None,
    ledger: Annotated[Path | None, typer.Option(help="Folder of the ledgers that `send --ledger` wrote.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for messages on their way.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Compare what publishers were confirmed with what is there; exit 1 if anything is lost or doubled."""
    entries = read_ledgers(ledger) if ledger else None
    with existing(data) as app:
        demand_broker(app)
        result = run_reconcile(app.queries.reconciliation, app.work.amqp, entries, patience)
    if as_json:
        print_json(asdict(result))
    else:
        for name, number in asdict(result).items():
            typer.echo(f"{name.replace('_', ' '):>14}  {number:>10,}")
        if ledger is None:
            typer.echo("Without --ledger nobody knows what was confirmed; only what is there was checked.")
    if not result.clean:
        raise typer.Exit(1)
