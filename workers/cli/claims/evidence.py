"""Commands for the evidence of claims."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.errors import EvidenceRefused, EvidenceTooLarge, MalformedMessage
from domain.evidence.content import INVALID
from domain.evidence.file import MOST_BYTES, Upload
from domain.field.signed_value import FORMAT, TEXT
from domain.policy.policy import EVIDENCE_KINDS, SIGNED_METER_VALUE
from domain.text import count
from ingest.api.json_forms import evidence_json, item_json
from ingest.cloudevents import strict_json
from workers.cli.application import claim_named, existing
from workers.cli.options import ClaimArgument, DataOption, JsonOption
from workers.roles.carrying_on import carrying_on

evidence = typer.Typer(help="List and add evidence of claims.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(evidence, name="evidence")


@evidence.command("add")
def add(
    claim_id: ClaimArgument,
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(EVIDENCE_KINDS)}.")],
    file: Annotated[
        Path | None,
        typer.Option(help="A picture, PDF, text, CSV or JSON of up to 10 MiB.", exists=True, dir_okay=False),
    ] = None,
    note: Annotated[str, typer.Option(help="A note, with the rest or alone.")] = "",
    content: Annotated[str, typer.Option(metavar="JSON", help="What the kind needs, such as a register.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add content, a file, a note, or all of them as one item to a claim's evidence.

    The file of a signed meter value is its text: OCMF, or the XML of transparency software.
    """
    fields = _fields(content) if content else None
    upload = _upload(file) if file else None
    if upload and kind == SIGNED_METER_VALUE:
        fields = {FORMAT: "OCMF"} | (fields or {}) | {TEXT: upload.content.decode("utf-8", "replace")}
        upload = None
    with existing(data) as app, carrying_on(app):
        claim = claim_named(app, claim_id)
        # Whoever may use this command may read and write the data folder or knows the servers' passwords.
        who = f"cli:{getpass.getuser()}"
        item, new = app.services.evidence.add(
            claim["id"], kind, who=who, role="admin", note=note, data=fields, upload=upload
        )
        missing = app.services.evidence.on_file(claim["id"]).missing
    if as_json:
        typer.echo(orjson.dumps(item_json(item) | {"new": new, "missing": missing}).decode())
        return
    typer.echo(f"{item.kind} {item.id} {'added' if new else 'was on file already'}.")
    if missing:
        typer.echo(f"Still missing: {', '.join(missing)}.")


def _fields(content: str) -> dict[str, Any]:
    """Parses the content as the API does. Raises `EvidenceRefused` for what is no JSON object."""
    try:
        fields = strict_json.loads(content.encode())
    except MalformedMessage as reason:
        raise EvidenceRefused(reason.code, f"--content: {reason.sentence}") from None
    if not isinstance(fields, dict):
        raise EvidenceRefused(INVALID, '--content must be a JSON object, such as {"session_id": "s-1"}.')
    return fields


def _upload(file: Path) -> Upload:
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise EvidenceTooLarge(
            "FILE_TOO_LARGE", f"{file} has {size:,} bytes; the limit is {MOST_BYTES:,} (10 MiB)."
        )
    return Upload(file.read_bytes(), file.name)


@evidence.command("list")
def list_evidence(claim_id: ClaimArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List a claim's evidence, filed or reported with its faults, and what is missing."""
    with existing(data) as app:
        claim = claim_named(app, claim_id)
        rows = evidence_json(app.services.evidence.on_file(claim["id"]))
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("Evidence", "Kind", "What", "From", "Added", box=None)
    for row in rows["items"]:
        cells = (row["id"] or "")[-8:], row["kind"], _what(row), row["added_by"], _minute(row["added_at"])
        table.add_row(*map(_plain, cells))
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    missing = f"missing: {', '.join(rows['missing'])}" if rows["missing"] else "nothing is missing"
    typer.echo(f"{count(len(rows['items']), 'item')}; {missing}")


def _what(row: dict[str, Any]) -> str:
    file = row["file"]
    named = f"{file['name']} ({file['media_type']}, {count(file['size'], 'byte')})" if file else ""
    data = _fields_shown(row["kind"], row["data"]) if row["data"] else ""
    withdrawn = f"WITHDRAWN by {row['withdrawn_by']}" if row["withdrawn_at"] else ""
    return "; ".join(part for part in (withdrawn, named, row["note"], data) if part)


def _fields_shown(kind: str, fields: dict[str, Any]) -> str:
    """Spells the content; of a signed text only its format and length, since it fills pages."""
    if kind == SIGNED_METER_VALUE:
        return f"{fields[FORMAT]}, {count(len(fields[TEXT]), 'character')}"
    return orjson.dumps(fields).decode()


def _plain(text: str) -> Text:
    """Removes control characters, so that outside text cannot control the terminal."""
    return Text("".join(character if character.isprintable() else " " for character in text))


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
