"""Commands that preview and test notifications."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from adapters.apprise.message import RenderedMessage, render
from adapters.apprise.rendering import SAMPLE
from adapters.policy.reader import read_policy
from domain.errors import NotFound
from domain.incidents.incident import Incident
from domain.notifications.notice import Summary, of_incidents
from domain.policy.policy import Policy
from domain.ports.store import Message
from workers.bootstrap.notifications import templates
from workers.cli.application import existing
from workers.cli.notifications.destinations import send_test
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import print_json
from workers.runtime.escaping import escaped
from workers.settings import load_settings

# One schema of each kind that has its own form.
_KINDS = {"chat": "slack", "mail": "mailto", "webhook": "json"}

notify = typer.Typer(help="Preview and test notifications.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(notify, name="notify")
    notify.command("test")(send_test)


@notify.command()
def preview(
    destination: Annotated[
        str | None, typer.Option(help="Only in this destination's form; by default in every form.")
    ] = None,
    event: Annotated[str, typer.Option(help="The event, by its name in the policy.")] = SAMPLE.event,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Preview the notification of a made-up event; exit 1 if a template is broken."""
    settings = load_settings(data=data)
    used = templates(settings)
    schemas = _KINDS if destination is None else {destination: _schema(destination, data)}
    message = _made_up(event, read_policy(settings.policy)[0])
    rendered = {name: render(schema, message, used) for name, schema in schemas.items()}
    if as_json:
        print_json({name: asdict(each) for name, each in rendered.items()})
    else:
        for name, each in rendered.items():
            _show(name, each)
    problems = used.problems()
    for problem in problems:
        typer.echo(escaped(problem), err=True)
    if problems:
        raise typer.Exit(1)


def _made_up(event: str, policy: Policy) -> Message:
    if not event.startswith("incident."):
        return replace(SAMPLE, event=event)
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    incident = Incident(SAMPLE.key, "POWER_FAILURE", "zone", "north", 3, noon, noon, noon, noon)
    incident.claim_count = incident.peak = incident.told_peak = 9
    try:
        news = of_incidents([incident], event, policy)
    except KeyError:
        raise NotFound(f"There is no event {event}.") from None
    summary = Summary()
    summary.add(news)
    return Message(SAMPLE.key, summary.title, summary.body, event, SAMPLE.reason, asdict(summary))


def _schema(destination: str, data: DataOption) -> str:
    with existing(data) as app:
        known = app.notifications.notifier.destinations
    if destination not in known:
        raise NotFound(f"There is no destination {destination}.")
    return known[destination]


def _show(name: str, rendered: RenderedMessage) -> None:
    typer.echo(f"--- {name}")
    typer.echo(escaped(rendered.title))
    typer.echo(escaped(rendered.body, keep="\n"))
    if rendered.alternative is not None:
        typer.echo("--- the same in plain text")
        typer.echo(escaped(rendered.alternative, keep="\n"))
    if rendered.extras:
        print_json(rendered.extras)
