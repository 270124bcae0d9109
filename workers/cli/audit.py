"""`spotclaim audit`: verify the audit log, export it, sign checkpoints, prove inclusion."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.audit.archive_reader import open_archive
from adapters.audit.archive_writer import write_archive
from adapters.audit.checkpoint_file import read_checkpoints
from adapters.audit.signing_key import PublicKeys, public_file, read_public_keys
from domain.administration.act import SUBJECT_KIND
from domain.audit.chain import instant
from domain.errors import NotFound, SetupError
from domain.events import KINDS, describe
from domain.text import count
from workers.audit.findings import AuditFinding, Result
from workers.audit.inclusion_proof import prove as make_proof
from workers.audit.verify import Record, processors
from workers.audit.verify import audit as run_audit
from workers.bootstrap.app import App
from workers.cli.application import claim_named, existing, os_user
from workers.cli.options import ClaimArgument, DataOption, JsonOption, LimitOption
from workers.cli.printing import counted, minute, print_json
from workers.runtime.escaping import escaped
from workers.runtime.garbage_collection import calm_the_collector

_LINE_EVERY = 200_000

ArchiveArgument = Annotated[Path | None, typer.Argument(help="An exported archive; the database by default.")]
CheckpointsOption = Annotated[
    Path | None, typer.Option(help="File or folder of checkpoints kept outside.", exists=True)
]
KeyOption = Annotated[Path | None, typer.Option(help="Public key of the checkpoints, in PEM.", exists=True)]

audit = typer.Typer(
    help="Verify and export the audit log; sign checkpoints; prove inclusion.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.add_typer(audit, name="audit")


@audit.command("verify")
def verify(
    archive: ArchiveArgument = None,
    checkpoints: CheckpointsOption = None,
    pubkey: KeyOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay every chain and check the log against checkpoints; exit 1 at any finding.

    The first broken record is named first. The checkpoints and the public key in the data folder count as well
    when the database is verified.
    """
    outside = list(read_checkpoints(checkpoints)) if checkpoints else []
    if checkpoints and not outside:
        raise SetupError(f"--checkpoints: there is no checkpoint in {checkpoints}.")
    keys = read_public_keys([pubkey]) if pubkey else None
    began = time.monotonic()
    calm_the_collector()
    if archive is not None:
        with open_archive(archive) as record:
            result = _replay(record, outside, keys or record.public_keys())
    else:
        with existing(data) as app, app.audit.snapshot() as record_now:
            result = _replay(record_now, [*outside, *_kept(app)], keys or _kept_keys(app))
    if as_json:
        typer.echo(orjson.dumps({"sound": result.clean, **asdict(result)}, option=orjson.OPT_INDENT_2).decode())
    else:
        _tell(result, time.monotonic() - began, trusted=pubkey is not None or archive is None)
    if not result.clean:
        raise typer.Exit(1)


@audit.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The archive to write.", dir_okay=False)], data: DataOption = None
) -> None:
    """Export the whole audit log into one archive that can be verified without a database."""
    with existing(data) as app, app.audit.snapshot() as record:
        key = public_file(app.settings.audit_key_file)
        public_key = key.read_bytes() if key.exists() else None
        claims, administered, events = write_archive(record, file, instant(app.clock()), public_key)
        made = len(record.checkpoints)
    typer.echo(f"{_extent(events, claims, administered)}, and {count(made, 'checkpoint')} written to {file}.")


@audit.command("checkpoint")
def checkpoint(data: DataOption = None) -> None:
    """Sequence all pending events, sign the log as it is now, and print the checkpoint."""
    with existing(data) as app:
        while app.audit.sequencer.run_once().events:
            pass
        line = app.audit.checkpoints.run_once() or next(iter(app.audit.log.checkpoints()[-1:]), None)
    if line is None:
        raise NotFound("There is no audit event yet, so there is nothing to sign.")
    typer.echo(line)


@audit.command("new-key")
def new_key(reason: Annotated[str, typer.Option(help="Why, for the record.")], data: DataOption = None) -> None:
    """Let a new key sign checkpoints in place of one that is lost or to be replaced; it goes on record."""
    if not reason.strip():
        raise typer.BadParameter("--reason: say why.")
    with existing(data) as app:
        key, previous = app.audit.checkpoints.new_key(reason.strip(), os_user())
        public = public_file(app.settings.audit_key_file)
    typer.echo(f"The key {key} signs in place of {previous}; give auditors {public}.")


@audit.command("prove")
def prove(
    claim_id: ClaimArgument,
    data: DataOption = None,
) -> None:
    """Print a proof, as JSON, that the latest checkpoint includes the claim's last event."""
    with existing(data) as app:
        row = claim_named(app, claim_id)
        event = app.queries.reports.claim_events(row["id"])[-1]
        proof = make_proof(app.audit.log, row["id"], event | {"at": instant(event["at"])})
    typer.echo(orjson.dumps(proof, option=orjson.OPT_INDENT_2).decode())


@audit.command("log")
def show_log(
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as token_added.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only from this moment on (UTC).")] = None,
    limit: LimitOption = 100,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List administrative acts, latest first: who did what, in one sentence each."""
    if kind is not None and f"{SUBJECT_KIND}.{kind.removeprefix(f'{SUBJECT_KIND}.')}" not in KINDS:
        known = [it.partition(".")[2] for it in KINDS if it.startswith(f"{SUBJECT_KIND}.")]
        raise typer.BadParameter(f"--kind: {kind!r} is unknown; there are {', '.join(known)}.")
    with existing(data) as app:
        begin = since.replace(tzinfo=UTC) if since else None
        rows = app.queries.reports.administrative_events(kind=kind, since=begin, limit=limit)
    said = [row | {"sentence": describe(row["kind"], row["body"], with_remark=True)} for row in rows]
    if as_json:
        return print_json(said)
    for row in said:
        typer.echo(escaped(f"{minute(row['at'])}  {row['actor']:<16}  {row['sentence']}"))
    return typer.echo(counted(rows, limit, "administrative act"))


def _replay(record: Record, outside: list[tuple[str, str]], keys: PublicKeys | None) -> Result:
    with _progress(record.events) as progress:
        return run_audit(record, outside, keys, progress, processors())


def _kept(app: App) -> list[tuple[str, str]]:
    file = app.settings.checkpoint_file
    return list(read_checkpoints(file)) if file.exists() else []


def _kept_keys(app: App) -> PublicKeys | None:
    file = public_file(app.settings.audit_key_file)
    return read_public_keys([file]) if file.exists() else None


def _tell(result: Result, seconds: float, *, trusted: bool) -> None:
    typer.echo(f"{_extent(result.events, result.claims, result.administered)} replayed in {seconds:.1f} seconds")
    waiting = f", {result.not_in_log:,} wait for one" if result.not_in_log else ""
    typer.echo(f"{result.log_size:,} have a position in the log{waiting}")
    typer.echo(_rows_held(result))
    signed = "signatures checked" if result.signatures_checked else "signatures NOT checked: no public key"
    typer.echo(f"{count(result.checkpoints, 'checkpoint')}, {result.outside:,} of them kept elsewhere; {signed}")
    if not trusted and result.signatures_checked:
        typer.echo("The public key is the archive's own, which proves nothing: name yours with --pubkey.")
    if not result.outside:
        typer.echo("Without a checkpoint kept elsewhere, a record that was rewritten as a whole looks sound.")
    for warning in result.warnings:
        typer.echo(escaped(f"WARNING {warning}"))
    for finding in result.findings:
        typer.echo(f"BROKEN  {_named(finding)}")
    if result.clean:
        typer.echo("Sound: every chain is intact and leads to its claim, and the log is the one that was signed.")
    else:
        found = f"{count(result.broken, 'finding')}, {count(result.chains_broken, 'chain')} broken"
        typer.echo(f"{found}; the first is named first.")


def _extent(events: int, claims: int, administered: int) -> str:
    things = f" and {count(administered, 'administered thing')}" if administered else ""
    return f"{count(events, 'event')} of {count(claims, 'claim')}{things}"


def _rows_held(result: Result) -> str:
    if result.rows is None:
        return "Faults, usage and evidence are not in an archive; only the database can be verified against them."
    return (
        f"{result.rows:,} faults, usage records and items of evidence were held against the events that name them"
    )


def _named(finding: AuditFinding) -> str:
    where = f"{finding.subject_kind} {finding.subject_id} event {finding.seq}: " if finding.subject_id else ""
    if finding.claim_id:
        where = f"incident {finding.subject_id} claim {finding.claim_id}: "
    return f"{where}{finding.sentence} [{finding.what}]"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Shows a bar on a terminal, an occasional plain line elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(total)
        return
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def _plain_lines(total: int) -> Callable[[int], None]:
    next_line = _LINE_EVERY

    def show(done: int) -> None:
        nonlocal next_line
        if done >= next_line:
            print(f"{done:,} of {total:,} events replayed", file=sys.stderr, flush=True)
            next_line = done - done % _LINE_EVERY + _LINE_EVERY

    return show
