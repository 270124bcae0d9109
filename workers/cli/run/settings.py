"""`spotclaim settings`: every setting with its present value."""

import typer

from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import print_json
from workers.settings import Settings, load_settings


def add_to(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(settings)


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
