"""What spots, drivers and back-ends report, before it takes the form of any protocol.

Each report begins with when it is made (`at`, milliseconds) and its luck on the way: a number from 0 to 1 that
`ingest.simulator.repeats` reads. So every form of a stream tells the same story at the same moments.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ingest.simulator.fleet import Spot

NEGATIVE_ENERGY: Final = "negative energy"
REGRESSION: Final = "regression"
UNIT_SLIP: Final = "unit slip"
MISSING_END: Final = "missing end"


class ErrorKind(NamedTuple):
    """An error of the field. `raw` is OCPP 1.6's word for it: a ChargePointErrorCode, or the ReservationStatus
    that answers a ReserveNow where `of_reservation`; errors of the record itself have no word there (`raw` is
    Spotclaim's own code then, as drivers and back-ends file it).

    `an_hour` is how often a spot has it, per hour on average; `minutes` how long it stands, 0 if it is over at
    once.
    """

    code: str
    taxonomy: str
    raw: str
    info: str | None
    an_hour: float
    minutes: float
    of_reservation: bool = False


class Registered(NamedTuple):
    """A spot says what it is."""

    at: int
    luck: float
    spot: Spot


class Session(NamedTuple):
    """One charging session, reported when it is over (`at`); one that never told its end is given up some day.

    `number` counts the sessions of the zone, from any number on. Registers in Wh. `energy_wh` is what goes on
    record, which is not what the register moved where `flaw` names a meter fault, one of this module's. A reserved
    one was reserved at `reserved`.
    """

    at: int
    luck: float
    spot: Spot
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
        """The session's id, one of its own in the whole fleet, small enough for a 53-bit integer."""
        return self.spot.zone.number * 10_000_000_000 + self.number

    @property
    def has_end(self) -> bool:
        return self.flaw != MISSING_END


class Raised(NamedTuple):
    """Somebody reports an error. `name` is the report's own among those of the spot."""

    at: int
    luck: float
    spot: Spot
    name: str
    kind: ErrorKind
    session: str | None = None
    reservation: int | None = None
    user: str | None = None


class Cleared(NamedTuple):
    """An error is over."""

    at: int
    luck: float
    spot: Spot
    name: str
    kind: ErrorKind


Report = Registered | Session | Raised | Cleared

Activity = tuple[int, list[Report]]
"""When something begins (milliseconds), and every report it gives: none tells of anything earlier."""

Activities = Iterator[Activity]
"""In order of their begin, without an end."""
