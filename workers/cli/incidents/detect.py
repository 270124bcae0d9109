"""`spotclaim detect`: what detection would have made of recorded faults."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from adapters import embedded
from adapters.redis.windows import RedisWindows
from domain.claims.deduplication import meet_claims
from domain.field.batch import Batch
from domain.field.spot import Spot, model_name
from domain.identifiers import new_claim_id
from domain.incidents.windows import Sighting
from domain.policy import Policy
from ingest.cloudevents import decode as wire
from workers.cli.application import DataOption, JsonOption, opened
from workers.cli.field.send import bodies_of
from workers.cli.incidents.incident_view import standing
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
    """Run detection over recorded faults, by the thresholds that are in force here, and print the incidents.

    Nothing is stored and nobody is told.
    """
    first, last = _moment(begin), _moment(end)
    with opened(data) as app:
        policy = app.policy
        windows = RedisWindows(embedded.redis_in_memory(), timedelta(minutes=policy.incidents.window_minutes))
        replayed = Replay(windows, app.threshold, policy.incidents, new_claim_id)
        found = replayed.run(between(_sightings(replay, policy), first, last))
    if as_json:
        return print_json([asdict(incident) for incident in found])
    columns = ("Error", "Where", "Spots", "Peak", "Threshold", "First seen", "Opened", "Last seen", "Status")
    table = Table(*columns, box=None)
    for one in found:
        moments = (one.first_seen_at, one.opened_at, one.last_seen_at)
        size = (str(one.claim_count), str(one.peak), str(one.threshold))
        add_row(table, one.code, f"{one.kind} {one.place}", *size, *map(minute, moments), standing(asdict(one)))
    return print_table(table, f"{len(found)} incidents")


def _sightings(file: Path, policy: Policy) -> Iterator[Sighting]:
    """The faults of a file that raise something, each with what the registrations before it say of its spot."""
    spots: dict[str, Spot] = {}
    for body in bodies_of(file):
        batch = Batch()
        wire.take_in(batch, body, wire.Reception(datetime.now(UTC), "detect"))
        spots |= {spot.spot_id: spot for spot in batch.spots}
        for (spot_id, code), faults in meet_claims(batch.faults, policy).items():
            known = spots.get(spot_id)
            for fault in faults:
                if not fault.cleared:
                    zone = fault.zone or (known.zone if known else None)
                    model = model_name(known) if known else None
                    yield Sighting(code, spot_id, fault.occurred_at, zone, model, f"{spot_id} {code}")
