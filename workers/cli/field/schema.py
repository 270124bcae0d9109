"""`spotclaim schema`: JSON Schemas and AsyncAPI of the messages."""

from typing import Annotated

import typer

from ingest.cloudevents import schemas
from workers.cli.printing import print_json

_WHAT = (*schemas.KINDS, "asyncapi")


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("schema")(schema)


def _known(what: str) -> str:
    if what not in _WHAT:
        raise typer.BadParameter(f"there are {', '.join(_WHAT)}.")
    return what


def schema(
    what: Annotated[str, typer.Argument(help=f"One of {', '.join(_WHAT)}.", callback=_known, show_default=False)],
) -> None:
    """Print the JSON Schema (2020-12) of a kind of message, or an AsyncAPI 3.0 document."""
    print_json(schemas.asyncapi() if what == "asyncapi" else schemas.json_schema(what))
