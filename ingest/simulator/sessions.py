"""Charging sessions: consecutive on each spot, with continuous registers."""

from collections.abc import Sequence
from typing import Final

from ingest.simulator import reports
from ingest.simulator.chance import Chance
from ingest.simulator.demand import PEAK, arrivals, demand
from ingest.simulator.errors import COMPLAINTS
from ingest.simulator.fleet import SimulatedSpot, Zone
from ingest.simulator.moments import HOUR, MINUTE
from ingest.simulator.reports import Activities, Raised, Report, Session
from ingest.simulator.troubles import driver

_A_DAY: Final = 4.0
_FLAWED: Final = 0.004
_FLAWS: Final = tuple(COMPLAINTS)
_RESERVED: Final = 0.2
_RESERVED_BEFORE: Final = 15 * MINUTE
# Drivers notice most meter faults, and imagine some where there is none.
_NOTICED, _IMAGINED = 0.6, 0.0005
_GIVEN_UP_AFTER: Final = 12 * HOUR
_HIGHEST_FIRST_NUMBER: Final = 9_000_000_000
_CAR_LIMITS_KW: Final = (7.4, 11.0, 11.0, 22.0, 120.0)
_FAST_KW: Final = 40
_LARGEST_WH: Final = 90_000


def sessions(seed: int, zone: Zone, spots: Sequence[SimulatedSpot], start: int) -> Activities:
    """Generates the sessions of a zone from a moment on, following local demand.

    Who comes to an occupied spot drives on. Another start has other sessions with other numbers, so that both may
    go into one system.
    """
    chance = Chance(seed, "sessions", zone.name, start)
    registers = {spot.number: int(chance.between(100_000, 60_000_000)) for spot in spots}
    free_from = dict.fromkeys(registers, start)
    number = int(chance.between(0, _HIGHEST_FIRST_NUMBER))
    for at in arrivals(
        chance, start, len(spots) * _A_DAY / 24, lambda moment: demand(zone.time_zone, moment), PEAK
    ):
        spot = chance.pick(spots)
        if at < free_from[spot.number]:
            continue
        number += 1
        session = _session(spot, number, at, registers[spot.number], chance)
        registers[spot.number] = session.register_wh + session.moved_wh
        free_from[spot.number] = session.ended + MINUTE
        yield at, _reports(session, chance)


def _session(spot: SimulatedSpot, number: int, at: int, register_wh: int, chance: Chance) -> Session:
    reserved = at if chance.happens(_RESERVED) else None
    started = at if reserved is None else at + _RESERVED_BEFORE
    energy_wh = min(int(1000 + chance.exponential(16_000)), _LARGEST_WH)
    ended = started + _stay(spot, energy_wh, chance)
    flaw = chance.pick(_FLAWS) if chance.happens(_FLAWED) else None
    return Session(
        at=ended if flaw != reports.MISSING_END else ended + _GIVEN_UP_AFTER,
        luck=chance.number(),
        spot=spot,
        number=number,
        started=started,
        ended=ended,
        register_wh=int(register_wh * chance.between(0, 0.5)) if flaw == reports.REGRESSION else register_wh,
        moved_wh=energy_wh,
        energy_wh=_recorded(flaw, energy_wh),
        flaw=flaw,
        user=driver(chance),
        reservation=reserved and int(chance.between(1_000_000, 9_999_999)),
        reserved=reserved,
    )


def _stay(spot: SimulatedSpot, energy_wh: int, chance: Chance) -> int:
    """Returns how long the car charges and then stays, milliseconds."""
    power_kw = min(spot.model.power_kw, chance.pick(_CAR_LIMITS_KW)) * chance.between(0.75, 0.98)
    after = chance.exponential(20 if power_kw < _FAST_KW else 4)
    return int(energy_wh / (power_kw * 1000) * HOUR + after * MINUTE) + MINUTE


def _recorded(flaw: str | None, energy_wh: int) -> int:
    """Returns the energy that is recorded."""
    match flaw:
        case reports.NEGATIVE_ENERGY:
            return -energy_wh
        case reports.UNIT_SLIP:
            return energy_wh * 1000
    return energy_wh


def _reports(session: Session, chance: Chance) -> list[Report]:
    if chance.happens(_NOTICED if session.flaw else _IMAGINED):
        return [session, _complaint(session, chance)]
    return [session]


def _complaint(session: Session, chance: Chance) -> Raised:
    kind = COMPLAINTS[session.flaw or chance.pick(_FLAWS)]
    return Raised(
        session.at + int(chance.between(2, 240) * MINUTE),
        chance.number(),
        session.spot,
        f"complaint-{session.number}",
        kind,
        session=str(session.transaction),
        reservation=session.reservation,
        user=session.user,
    )
