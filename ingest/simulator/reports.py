"""Reports of spots, drivers and back-ends, and the lines they are written as.

Each report begins with when it is made (`at`, milliseconds) and its luck on the way: a number from 0 to 1 that
`ingest.simulator.repeats` reads. So every form of a stream contains the same reports at the same moments.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ingest.simulator.fleet import SimulatedSpot

NEGATIVE_ENERGY: Final = "negative energy"
REGRESSION: Final = "regression"
UNIT_SLIP: Final = "unit slip"
MISSING_END: Final = "missing end"


class ErrorKind(NamedTuple):
    """A kind of error, with its rate and duration.

    `raw` is OCPP 1.6's code for it: a ChargePointErrorCode, or the ReservationStatus that answers a ReserveNow
    where `of_reservation`; errors of the record itself have no code there (`raw` is Spotclaim's own code then, as
    drivers and back-ends file it). `an_hour` is how often a spot has it, per hour on average; `minutes` how long
    it lasts, 0 if it is over at once.
    """

    code: str
    taxonomy: str
    raw: str
    info: str | None
    an_hour: float
    minutes: float
    of_reservation: bool = False


class Registered(NamedTuple):
    """The registration of a spot."""

    at: int
    luck: float
    spot: SimulatedSpot


class Session(NamedTuple):
    """One charging session, reported when it is over (`at`).

    One that never reported its end is abandoned some day. `number` counts the sessions of the zone, from any
    number on. Registers in Wh. `energy_wh` is what is recorded, which differs from what the register moved where
    `flaw` names a meter fault, one of this module's. A reserved one was reserved at `reserved`.
    """

    at: int
    luck: float
    spot: SimulatedSpot
    number: int
    started: int
    ended: int
    register_wh: int
    moved_wh: int
    energy_wh: int
    flaw: str | None
    user: str
    reservation: int | None = None
    reserved: int | None = None

    @property
    def transaction(self) -> int:
        """Returns the session's id, unique in the fleet and below 53 bits."""
        return self.spot.zone.number * 10_000_000_000 + self.number

    @property
    def has_end(self) -> bool:
        return self.flaw != MISSING_END


class Raised(NamedTuple):
    """The report of an error. `name` is the report's own among those of the spot."""

    at: int
    luck: float
    spot: SimulatedSpot
    name: str
    kind: ErrorKind
    session: str | None = None
    reservation: int | None = None
    user: str | None = None


class Cleared(NamedTuple):
    """The end of an error."""

    at: int
    luck: float
    spot: SimulatedSpot
    name: str
    kind: ErrorKind


Report = Registered | Session | Raised | Cleared

Activity = tuple[int, list[Report]]
"""When something begins (milliseconds), and every report it gives: none is about anything earlier."""

Activities = Iterator[Activity]
"""In order of their start, without end."""


class Line(NamedTuple):
    """One message: when it arrives (milliseconds), its kind, and its bytes without line end.

    `again` says that the same message came before.
    """

    at: int
    kind: str
    body: bytes
    again: bool = False


class Form(NamedTuple):
    """A format of a stream: how a report's lines are written.

    `header` is the first line of a file, if it has one.
    """

    header: bytes
    lines: Callable[[Report], list[Line]]
