"""`spotclaim simulate`: an invented fleet, live into the system or into a file."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Final

import orjson
import typer

from domain.errors import SetupError
from domain.field.batch import Batch
from domain.text import count
from ingest.simulator import moments, pace
from ingest.simulator.cloudevents import CLOUD_EVENTS
from ingest.simulator.ocpp_frames import OCPP_LOG
from ingest.simulator.outages import Outage, Truth, parse_outage
from ingest.simulator.reports import Form, Line
from ingest.simulator.stream import Plan, stream
from workers.cli.options import DataOption, JsonOption
from workers.cli.progress import counting
from workers.cli.running import running
from workers.roles.background import until_signalled
from workers.roles.carrying_on import carrying_on

_LINE_EVERY: Final = 100_000
# A Monday. Files must not depend on the clock.
_START_OF_FILES: Final = "2026-03-02T00:00:00Z"

SpotsOption = Annotated[int, typer.Option(min=1, max=1_000_000, help="Size of the fleet.")]
SeedOption = Annotated[
    int,
    typer.Option(
        min=0,
        max=2**63 - 1,
        help="The same seed and start give the same stream, byte for byte; another seed is another fleet.",
    ),
]
DurationOption = Annotated[str, typer.Option(help="How much simulated time, like 90s, 5m, 1h30m or 2d.")]
StartOption = Annotated[
    str | None,
    typer.Option(
        help="Start of simulated time, RFC 3339. By default now, or with --rate or a --speed above 1 so long "
        f"ago that it ends now; for --events and --ocpp {_START_OF_FILES}.",
        show_default=False,
    ),
]
RateOption = Annotated[
    float | None, typer.Option(min=0.001, max=1e6, help="Messages per second, whatever the simulated time.")
]
SpeedOption = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=1e6,
        help="Speed of simulated time as a multiple of real time. With neither --rate nor --speed it is real "
        "time, or as fast as possible with --events and --ocpp.",
    ),
]
OutageOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ZONE[:CODE]@+AFTER[/SPOTS]",
        help="One error on many spots of a zone, or of MODEL+FIRMWARE, this long after the start; by default "
        "POWER_FAILURE on a third of its spots. Like harbour@+5m or harbour:GROUND_FAILURE@+1h30m/12. Repeatable.",
    ),
]
ErrorsOption = Annotated[float, typer.Option(min=0, max=1e6, help="Factor on the usual rate of errors.")]
TruthOption = Annotated[
    Path | None,
    typer.Option(
        help="Write the truth about each outage to this file, as JSON lines: at the start what is planned "
        "(`sent` is false), at the end, also after an interruption, what was sent (true)."
    ),
]
EventsOption = Annotated[bool, typer.Option("--events", help="Write CloudEvents, as `spotclaim send` reads them.")]
OcppOption = Annotated[
    bool, typer.Option("--ocpp", help="Write an OCPP 1.6J log, as `spotclaim import ocpp` reads it.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="File for --events or --ocpp; standard output by default.", allow_dash=True
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(simulate)


@dataclass(slots=True)
class _Tally:
    """Counts what a stream held so far, by kind, with repetitions.

    All that arrives before `until` (milliseconds) was released; and all there is, where it is the `whole` stream.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    again: int = 0
    quarantined: int = 0
    until: int = 0
    whole: bool = False

    @property
    def messages(self) -> int:
        return self.kinds.total()

    def add(self, group: Iterable[Line]) -> None:
        for line in group:
            self.kinds[line.kind] += 1
            self.again += line.again
            self.until = line.at + 1

    def json(self) -> str:
        counts = {
            "messages": self.messages,
            "kinds": self.kinds,
            "again": self.again,
            "quarantined": self.quarantined,
        }
        return orjson.dumps(counts).decode()

    def __str__(self) -> str:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in self.kinds.most_common())
        refused = f" {self.quarantined:,} of them went to quarantine." if self.quarantined else ""
        return f"{count(self.messages, 'message')}: {kinds or 'none'}; {self.again:,} of them sent again.{refused}"


def simulate(
    spots: SpotsOption = 500,
    seed: SeedOption = 7,
    duration: DurationOption = "1d",
    start: StartOption = None,
    rate: RateOption = None,
    speed: SpeedOption = None,
    outage: OutageOption = None,
    errors: ErrorsOption = 1.0,
    truth: TruthOption = None,
    events: EventsOption = False,
    ocpp: OcppOption = False,
    output: OutputOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a fleet's sessions, faults and outages, live or written to a file."""
    if events and ocpp:
        raise SetupError("--events and --ocpp are two forms of the same stream; give one of them.")
    if rate is not None and speed is not None:
        raise SetupError("--rate and --speed both say how fast simulated time goes; give one of them.")
    if output is not None and not (events or ocpp):
        raise SetupError("--output is for --events or --ocpp; without them the stream goes into the system.")
    length = moments.span(duration, "--duration")
    outages = tuple(_outage(text, length) for text in outage or ())
    form = OCPP_LOG if ocpp else CLOUD_EVENTS if events else None
    began = _began(start, length, form, is_fast=rate is not None or (speed or 1) > 1)
    plan = Plan(seed, spots, began, length, outages, errors)
    # Evaluated even without a file, so that a mistake in an outage shows before anything is sent.
    _write_truth(plan.truth(), truth, sent=False)
    due = pace.at_rate(rate) if rate else pace.at_speed(speed, began) if speed else None
    tally = _Tally()
    try:
        if form is None:
            _send(plan, tally, due or pace.at_speed(1, began), data)
        else:
            _write(plan, tally, form, due or pace.at_once, output)
    finally:
        _write_truth(plan.truth(plan.end if tally.whole else tally.until), truth, sent=True)
    typer.echo(tally.json() if as_json else str(tally), err=form is not None and _is_standard(output))


def _outage(text: str, length: int) -> Outage:
    outage = parse_outage(text)
    if outage.after >= length:
        raise SetupError(f"--outage {text}: it would begin when all is over; --duration must be longer.")
    return outage


def _began(start: str | None, length: int, form: Form | None, *, is_fast: bool) -> int:
    if start is not None or form is not None:
        return moments.milliseconds(moments.moment(start or _START_OF_FILES, "--start"))
    # Times in the future would count as errors of the station's clock.
    now = moments.milliseconds(datetime.now(UTC))
    return now - length if is_fast else now


def _send(plan: Plan, tally: _Tally, due: pace.Due, data: Path | None) -> None:
    with (
        running(data) as app,
        until_signalled(app),
        carrying_on(app),
        counting("message", "sent") as show,
    ):

        def sent(group: list[Line], batch: Batch) -> None:
            tally.add(group)
            tally.quarantined += len(batch.quarantined)
            show(tally.messages, "")

        pace.send(
            pace.let_out(stream(plan, CLOUD_EVENTS), due, app.stopping), app.work.deliver_batch, app.clock, sent
        )
        tally.whole = not app.stopping.is_set()


def _write(plan: Plan, tally: _Tally, form: Form, due: pace.Due, output: Path | None) -> None:
    with _file(output) as file, counting("message", "written", _LINE_EVERY) as show:
        if form.header:
            file.write(form.header + b"\n")
        for group in pace.let_out(stream(plan, form), due, Event()):
            file.write(b"".join([line.body + b"\n" for line in group]))
            if due is not pace.at_once:
                file.flush()
            tally.add(group)
            show(tally.messages, "")
    tally.whole = True


@contextmanager
def _file(output: Path | None) -> Iterator[Any]:
    if output is None or _is_standard(output):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as file:
            yield file
    except OSError as error:
        raise SetupError(f"--output: {output} cannot be written: {error.strerror}.") from None


def _is_standard(output: Path | None) -> bool:
    return output is None or str(output) == "-"


def _write_truth(truth: list[Truth], file: Path | None, *, sent: bool) -> None:
    lines = [outbreak.line(sent=sent) for outbreak in truth]
    if file is None:
        return
    try:
        file.write_bytes(b"".join(lines))
    except OSError as error:
        raise SetupError(f"--truth: {file} cannot be written: {error.strerror}.") from None
