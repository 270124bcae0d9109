"""`spotclaim up`."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.embedded.folder import sole_use
from adapters.policy.presets import Preset
from workers.cli.options import DataOption
from workers.cli.run.console import show_new_token
from workers.cli.run.role import HostOption, PortOption
from workers.cli.running import running
from workers.health.startup_checks import demand_port
from workers.roles.background import until_signalled
from workers.roles.up import run
from workers.settings import load_settings


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(up)


def up(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Invent a fleet that has troubles.")] = False,
) -> None:
    """Run the whole system in this process."""
    settings = load_settings(data=data, host=host, port=port)
    policy = Path(Preset.DEMO) if demo and settings.policy is None else settings.policy
    with sole_use(settings.data), running(data, host=host, port=port, policy=policy) as app, until_signalled(app):
        demand_port(app.settings.host, app.settings.port)
        show_new_token(app)
        run(app, with_demo=demo)
