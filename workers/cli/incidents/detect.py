"""`spotclaim detect`: replays detection over recorded faults."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from domain.claims.deduplication import group_by_claim
from domain.field.batch import Batch
from domain.field.spot import Spot, model_name
from domain.identifiers import new_claim_id
from domain.incidents.windows import Sighting
from domain.policy.policy import Policy
from domain.text import count
from ingest.cloudevents import decode
from workers.bootstrap.live import windows_in_memory
from workers.cli.application import opened
from workers.cli.field.send import bodies_of
from workers.cli.incidents.incident_view import standing
from workers.cli.options import DataOption, JsonOption
from workers.cli.printing import add_row, minute, print_json, print_table
from workers.services.detection_replay import Replay, between


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("detect")(detect)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no RFC 3339 time like 2026-03-02T00:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def detect(
    replay: Annotated[Path, typer.Option("--replay", help="CloudEvents, one a line; - for standard input.")],
    begin: Annotated[str | None, typer.Option("--from", help="Only faults from this moment on, RFC 3339.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Only faults before this moment, RFC 3339.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run detection over recorded faults with the current thresholds; print the incidents.

    Nothing is stored and nobody is notified.
    """
    first, last = _moment(begin), _moment(end)
    with opened(data) as app:
        policy = app.foundation.policy
        windows = windows_in_memory(policy.incidents)
        replayed = Replay(windows, app.queries.threshold, policy.incidents, new_claim_id)
        found = replayed.run(between(_sightings(replay, policy), first, last))
    if as_json:
        return print_json([asdict(incident) for incident in found])
    columns = ("Error", "Where", "Spots", "Peak", "Threshold", "First seen", "Opened", "Last seen", "Status")
    table = Table(*columns, box=None)
    for one in found:
        moments = (one.first_seen_at, one.opened_at, one.last_seen_at)
        size = (str(one.claim_count), str(one.peak), str(one.threshold))
        add_row(table, one.code, f"{one.kind} {one.place}", *size, *map(minute, moments), standing(asdict(one)))
    return print_table(table, count(len(found), "incident"))


def _sightings(file: Path, policy: Policy) -> Iterator[Sighting]:
    """Yields the raised faults of a file, with their spots' registered zones and models."""
    spots: dict[str, Spot] = {}
    for body in bodies_of(file):
        batch = Batch()
        decode.ingest_message(batch, body, decode.Reception(datetime.now(UTC), "detect"))
        spots |= {spot.spot_id: spot for spot in batch.spots}
        for (spot_id, code), faults in group_by_claim(batch.faults, policy).items():
            known = spots.get(spot_id)
            for fault in faults:
                if not fault.cleared:
                    zone = fault.zone or (known.zone if known else None)
                    model = model_name(known) if known else None
                    yield Sighting(code, spot_id, fault.occurred_at, zone, model, f"{spot_id} {code}")
