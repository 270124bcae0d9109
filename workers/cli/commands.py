"""The commands of `spotclaim`: name, module and help of each, so that only the one that is run is imported."""

from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Listed(NamedTuple):
    """Where a command is, and the first sentence of its help."""

    module: str
    help: str


# In the order of `spotclaim --help`.
COMMANDS: Final = {
    "up": Listed("run.up", "Run the whole system in this process."),
    "ingest": Listed("run.ingest", "Consume fault, usage and spot messages from RabbitMQ."),
    "worker": Listed("run.worker", "Ingest batches and carry out steps."),
    "relay": Listed("run.relay", "Send pending steps to the broker."),
    "scheduler": Listed(
        "run.scheduler", "Do what is due by the clock: order the audit events and sign checkpoints."
    ),
    "console": Listed("run.console", "Serve the HTTP port: pages, API, metrics."),
    "migrate": Listed("run.migrate", "Bring the database to the present schema."),
    "send": Listed("field.send", "Send CloudEvents: one JSON object, a list of them, or one on each line."),
    "simulate": Listed(
        "field.simulate",
        "Simulate a fleet's sessions, faults and outages, live or written to a file.",
    ),
    "claims": Listed("claims.claims", "List claims, newest first; or decide or correct one."),
    "claim": Listed("claims.claims", "Show one claim: what happened, when, who did it and why."),
    "incidents": Listed(
        "incidents.incidents",
        "List incidents, newest first. An incident is one error on many spots of a zone, site or model.",
    ),
    "detect": Listed(
        "incidents.detect",
        "Run detection over recorded faults with the current thresholds; print the incidents.",
    ),
    "verify": Listed(
        "claims.verify", "Show what verification would find of a claim now, rule by rule. Changes nothing."
    ),
    "reconcile": Listed(
        "run.reconcile",
        "Compare what publishers were confirmed with what is there; exit 1 if anything is lost or doubled.",
    ),
    "doctor": Listed("run.doctor", "Look for what is wrong with this installation; exit 1 if anything is."),
    "settings": Listed("run.settings", "List every setting with its present value; secrets are not shown."),
    "schema": Listed(
        "field.schema",
        "Print the JSON Schema (2020-12) of a kind of message, or an AsyncAPI 3.0 document.",
    ),
    "import": Listed("field.imports", "Import files of other systems."),
    "incident": Listed("incidents.incidents", "Show, acknowledge, close, merge, split and decide one incident."),
    "spots": Listed("field.spots", "Spots: the public keys of their meters."),
    "quarantine": Listed("field.quarantine", "Quarantined messages: list, show, replay, discard."),
    "evidence": Listed("claims.evidence", "List and add evidence of claims."),
    "deliveries": Listed("notifications.deliveries", "Notifications: destination, reason, status and attempts."),
    "silences": Listed("notifications.silences", "Silences and maintenance windows."),
    "destinations": Listed("notifications.destinations", "Destinations of notifications: Apprise URLs by name."),
    "notify": Listed("notifications.templates", "Preview and test notifications."),
    "policy": Listed("run.policy", "The policy."),
    "audit": Listed("audit", "Verify and export the audit log; sign checkpoints; prove inclusion."),
    "users": Listed("run.users", "Users and programs with their API tokens."),
}


def plain(**attributes: Any) -> typer.Typer:
    """A Typer that speaks plain text: boxes break long paths and read badly in logs."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **attributes)


class LazyCommand(TyperCommand):
    """Stands for a command by its name and help. What it stands for is imported when it is called."""

    def __init__(self, name: str, entry: Listed) -> None:
        super().__init__(name, help=entry.help)
        self.module = f"{__package__}.{entry.module}"

    def load(self) -> Any:
        """The command itself."""
        part = plain()
        import_module(self.module).add_to(part)
        return get_group(part).commands[str(self.name)]

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """A context of the command itself: whoever called this goes on with that one."""
        return self.load().make_context(*arguments, **more)


class LazyGroup(TyperGroup):
    """Holds all `COMMANDS`, none of them imported."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in COMMANDS.items():
            self.add_command(LazyCommand(name, entry))
