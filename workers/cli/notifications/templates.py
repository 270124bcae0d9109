"""Commands that show and try out what people are sent."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from adapters.apprise.message import Letter, compose
from adapters.apprise.rendering import SAMPLE, Texts
from adapters.policy.reader import read_policy
from domain.errors import NotFound
from domain.incidents.incident import Incident
from domain.notifications.notice import Summary, of_incidents
from domain.policy import Policy
from domain.ports.store import Message
from workers.cli.application import DataOption, JsonOption, existing
from workers.cli.notifications.destinations import send_test
from workers.cli.printing import print_json
from workers.runtime.escaping import visible
from workers.settings import load_settings

# One schema of each kind that is told in its own way.
_KINDS = {"chat": "slack", "mail": "mailto", "webhook": "json"}

notify = typer.Typer(help="What people are sent.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(notify, name="notify")
    notify.command("test")(send_test)


@notify.command()
def preview(
    destination: Annotated[str | None, typer.Option(help="As this one gets it; every kind if none.")] = None,
    event: Annotated[str, typer.Option(help="As the policy names it.")] = SAMPLE.event,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would be sent of a made-up event; exit 1 if a template is broken."""
    settings = load_settings(data=data)
    texts = Texts(settings.templates, settings.public_url or "")
    schemas = _KINDS if destination is None else {destination: _schema(destination, data)}
    message = _made_up(event, read_policy(settings.policy)[0])
    letters = {name: compose(schema, message, texts) for name, schema in schemas.items()}
    if as_json:
        print_json({name: asdict(letter) for name, letter in letters.items()})
    else:
        for name, letter in letters.items():
            _show(name, letter)
    problems = texts.problems()
    for problem in problems:
        typer.echo(visible(problem), err=True)
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
    with existing(data, destinations_known=False) as app:
        known = app.notifier.destinations
    if destination not in known:
        raise NotFound(f"There is no destination {destination}.")
    return known[destination]


def _show(name: str, letter: Letter) -> None:
    typer.echo(f"--- {name}")
    typer.echo(visible(letter.title))
    typer.echo(visible(letter.body, keep="\n"))
    if letter.alternative is not None:
        typer.echo("--- the same in plain text")
        typer.echo(visible(letter.alternative, keep="\n"))
    if letter.extras:
        print_json(letter.extras)
