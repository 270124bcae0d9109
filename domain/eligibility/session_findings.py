"""Finds what is wrong with sessions beside each other, or against the spot's power."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

from domain.eligibility import record_findings
from domain.eligibility.contradiction import ROUNDING_KWH
from domain.eligibility.signed.findings import SIGNED_VALUE_DISAGREES, clause
from domain.eligibility.wording import kwh, minute, session
from domain.field.usage import UsageRecord

REGISTER_BELOW_PREVIOUS: Final = "REGISTER_BELOW_PREVIOUS"
SESSIONS_OVERLAP: Final = "SESSIONS_OVERLAP"
POWER_ABOVE_SPOT: Final = "POWER_ABOVE_SPOT"
ENERGY_REPEATED: Final = "ENERGY_REPEATED"
ENERGY_ADDED: Final = "ENERGY_ADDED"
ADVANCED_BETWEEN: Final = "REGISTER_ADVANCED_BETWEEN"

BEGAN_AT_ZERO: Final = "REGISTER_BEGAN_AT_ZERO"
POWER_UNUSUAL: Final = "POWER_UNUSUAL"

DOUBTS: Final = (POWER_UNUSUAL, BEGAN_AT_ZERO, ENERGY_REPEATED, ADVANCED_BETWEEN)
"""Findings that may be chance: they prove nothing, but a record that has one is no sound witness either."""

OF_ONE_RECORD: Final = (POWER_ABOVE_SPOT,)
"""Findings about one record that need its spot: one that has them is no sound witness for anything."""

# Tolerance over the rated power, which includes what a meter's class of accuracy allows.
_POWER_TOLERANCE = 1.1
# Without a rating: others took no more than most AC spots give, and one took more than any AC spot can.
_USUAL_KW = 22.0 * _POWER_TOLERANCE
_ABOVE_AC_KW = 43.0 * _POWER_TOLERANCE
_UNUSUAL_FACTOR = 3.0
_USUAL_RECORDS = 2
_TELLING_KWH, _TELLING_HOURS = 1.0, 0.25
# The clocks of two records may differ by this much, and one that states whole minutes rounds.
_OVERLAP_TOLERANCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a record, with the other record that shows it, if any."""

    name: str
    record: UsageRecord
    other: UsageRecord | None = None
    max_power_kw: float | None = None

    def describe(self) -> str:
        """Describes it in a sentence that reviewers can check against the records."""
        if self.name not in _CLAUSES:
            return record_findings.describe(self.record, self.name)
        return f"{session(self.record)} {_CLAUSES[self.name](self)}."


def findings(
    records: Sequence[UsageRecord], max_power_kw: float | None, wanted: Collection[str]
) -> Iterator[Finding]:
    """Finds everything of the wanted names among the records of one spot.

    `max_power_kw` is what the spot can give; where it is unknown nothing is measured against it. The order of the
    records does not matter.
    """
    for record in records:
        for name in record.findings:
            if name in wanted:
                yield Finding(name, record)
    for name, search in _SEARCHES.items():
        if name in wanted:
            yield from search(records, max_power_kw)


def _above_spot(records: Sequence[UsageRecord], max_power_kw: float | None) -> Iterator[Finding]:
    if not max_power_kw or max_power_kw < 0:
        return
    for record in records:
        hours, energy = record.hours, record.energy_kwh
        if hours is None or hours < 0 or energy is None or record_findings.ENERGY_UNKNOWN in record.findings:
            continue
        # A minute more, for times that were rounded to minutes.
        if energy > max_power_kw * _POWER_TOLERANCE * (hours + record_findings.SHORTEST_HOURS):
            yield Finding(POWER_ABOVE_SPOT, record, max_power_kw=max_power_kw)


def _unusual(records: Sequence[UsageRecord], max_power_kw: float | None) -> Iterator[Finding]:
    """Finds sessions with far more power than any other on their connector, where the spot has no rating."""
    if max_power_kw and max_power_kw > 0:
        return
    for sessions in _by_connector(records):
        powers = {one.key: power for one in sessions if (power := _mean_power(one)) is not None}
        sound = [one for one in sessions if one.key in powers and not one.findings]
        for record in sessions:
            power = powers.get(record.key, 0)
            others = [one for one in sound if one is not record] if power > _ABOVE_AC_KW else []
            if len(others) < _USUAL_RECORDS:
                continue
            most = max(others, key=lambda one: (powers[one.key], one.key))
            if powers[most.key] <= min(_USUAL_KW, power / _UNUSUAL_FACTOR):
                yield Finding(POWER_UNUSUAL, record, most)


def _mean_power(record: UsageRecord) -> float | None:
    """Returns the mean power in kW; None of a session too short, or with too little energy, to show any."""
    hours, energy = record.hours or 0, record.energy_kwh or 0
    return energy / hours if hours >= _TELLING_HOURS and energy >= _TELLING_KWH else None


def _below_previous(records: Sequence[UsageRecord], _: float | None) -> Iterator[Finding]:
    """Finds registers that begin lower than the session before them on the connector had left them.

    One that begins at 0 is that of the session, and measures no other.
    """
    for sessions in _of_lifetimes(records):
        previous: UsageRecord | None = None
        for record in sessions:
            start = record.meter_start_kwh
            if previous is not None and start is not None and record_findings.register_known(start):
                left = previous.meter_stop_kwh
                if left is not None and start < left - record_findings.REGISTER_TOLERANCE_KWH:
                    yield Finding(REGISTER_BELOW_PREVIOUS, record, previous)
            if record_findings.register_known(record.meter_stop_kwh):
                previous = record


def _of_lifetimes(records: Sequence[UsageRecord]) -> Iterator[list[UsageRecord]]:
    """Groups sessions by connector, without those whose register is their own."""
    for sessions in _by_connector(records):
        own = _own_registers(sessions)
        yield [one for one, is_own in zip(sessions, own, strict=True) if not is_own]


def _own_registers(sessions: Sequence[UsageRecord]) -> list[bool]:
    """Says of each session whether its register begins at 0, and is not that of a meter that was reset.

    The session after it shows a reset: its register goes on where this one stopped.
    """
    following = [*sessions[1:], None]
    return [_began_at_zero(one) and not _goes_on(one, then) for one, then in zip(sessions, following, strict=True)]


def _began_at_zero(record: UsageRecord) -> bool:
    return record.meter_start_kwh is not None and abs(record.meter_start_kwh) <= ROUNDING_KWH


def _goes_on(record: UsageRecord, following: UsageRecord | None) -> bool:
    stop, start = record.meter_stop_kwh, None if following is None else following.meter_start_kwh
    if following is None or stop is None or start is None or _began_at_zero(following):
        return False
    return abs(start - stop) <= record_findings.REGISTER_TOLERANCE_KWH


def _zeroed(records: Sequence[UsageRecord], _: float | None) -> Iterator[Finding]:
    """Finds registers that begin at 0 after one of a lifetime: of the session, or of a meter that was reset."""
    for sessions in _by_connector(records):
        previous: UsageRecord | None = None
        for record, is_own in zip(sessions, _own_registers(sessions), strict=True):
            left = previous.meter_stop_kwh if previous is not None else None
            if is_own and left is not None and left > record_findings.REGISTER_TOLERANCE_KWH:
                yield Finding(BEGAN_AT_ZERO, record, previous)
            if is_own:
                previous = None
            elif record_findings.register_known(record.meter_stop_kwh):
                previous = record


def _overlaps(records: Sequence[UsageRecord], _: float | None) -> Iterator[Finding]:
    """Finds sessions that begin while an earlier one on the connector is still running."""
    for sessions in _by_connector(records):
        running: UsageRecord | None = None
        for record in sessions:
            if record.started_at is None or record.ended_at is None or (record.hours or 0) < 0:
                continue
            until = running.ended_at if running is not None else None
            if until is not None and min(until, record.ended_at) - record.started_at > _OVERLAP_TOLERANCE:
                yield Finding(SESSIONS_OVERLAP, record, running)
            if until is None or record.ended_at > until:
                running = record


def _repeated(records: Sequence[UsageRecord], _: float | None) -> Iterator[Finding]:
    """Finds sessions with the very energy of the one before on the connector; whole kWh repeat by chance."""
    for sessions in _by_connector(records):
        for previous, record in pairwise(sessions):
            energy = record.energy_kwh
            if energy is not None and energy == previous.energy_kwh and not energy.is_integer():
                yield Finding(ENERGY_REPEATED, record, previous)


def _added(records: Sequence[UsageRecord], _: float | None) -> Iterator[Finding]:
    """Finds sessions whose energy is what their register moved and the energy of the one before on top."""
    for sessions in _by_connector(records):
        for previous, record in pairwise(sessions):
            energy, more, moved = record.energy_kwh, previous.energy_kwh, record_findings.moved(record)
            if energy is None or moved is None or more is None or more <= record_findings.REGISTER_TOLERANCE_KWH:
                continue
            if abs(energy - moved - more) <= ROUNDING_KWH:
                yield Finding(ENERGY_ADDED, record, previous)


def _advanced(records: Sequence[UsageRecord], _: float | None) -> Iterator[Finding]:
    """Finds sessions whose register stood still, though it had advanced since the one before on the connector.

    The energy may be that of a session which is not on file, so it is no more than a doubt.
    """
    for sessions in _of_lifetimes(records):
        for previous, record in pairwise(sessions):
            start, left = record.meter_start_kwh, previous.meter_stop_kwh
            known = record_findings.register_known(start) and record_findings.register_known(left)
            if not known or start is None or left is None or not _stood(record):
                continue
            if start - left > record_findings.REGISTER_TOLERANCE_KWH:
                yield Finding(ADVANCED_BETWEEN, record, previous)


def _stood(record: UsageRecord) -> bool:
    moved = record_findings.moved(record)
    return moved is not None and abs(moved) <= ROUNDING_KWH


def _by_connector(records: Sequence[UsageRecord]) -> Iterator[list[UsageRecord]]:
    """Groups sessions with a plausible begin by connector, in order of time.

    Those of connector 0 may have used any, so they prove nothing of each other.
    """
    placed = [
        record
        for record in records
        if record.connector_id and record.started_at and record_findings.TIME_IMPLAUSIBLE not in record.findings
    ]
    placed.sort(key=_order)
    return (list(sessions) for _, sessions in groupby(placed, key=lambda record: record.connector_id))


def _order(record: UsageRecord) -> tuple[int, datetime | None, datetime | None, str, str]:
    end = record.ended_at or record.started_at
    return record.connector_id, record.started_at, end, record.session_id, record.key


_Search = Callable[[Sequence[UsageRecord], float | None], Iterator[Finding]]

_SEARCHES: Final[dict[str, _Search]] = {
    POWER_ABOVE_SPOT: _above_spot,
    REGISTER_BELOW_PREVIOUS: _below_previous,
    SESSIONS_OVERLAP: _overlaps,
    ENERGY_REPEATED: _repeated,
    ENERGY_ADDED: _added,
    ADVANCED_BETWEEN: _advanced,
    BEGAN_AT_ZERO: _zeroed,
    POWER_UNUSUAL: _unusual,
}


def _of(other: UsageRecord | None) -> str:
    return "another session" if other is None else f"session {other.session_id}"


def _left(other: UsageRecord | None) -> str:
    return kwh(None if other is None else other.meter_stop_kwh)


def _until(other: UsageRecord | None) -> str:
    return minute(None if other is None else other.ended_at)


_CLAUSES: Final[dict[str, Callable[[Finding], str]]] = {
    SIGNED_VALUE_DISAGREES: lambda f: clause(f.record),
    POWER_ABOVE_SPOT: lambda f: (
        f"recorded {kwh(f.record.energy_kwh)} kWh in {f.record.hours or 0:.2f} hours: more than the spot's"
        f" {f.max_power_kw:g} kW can give"
    ),
    REGISTER_BELOW_PREVIOUS: lambda f: (
        f"began at {kwh(f.record.meter_start_kwh)} kWh, lower than {_of(f.other)} before it had left the"
        f" register: {_left(f.other)} kWh"
    ),
    ENERGY_REPEATED: lambda f: (
        f"recorded {kwh(f.record.energy_kwh)} kWh, the very energy of {_of(f.other)} before it"
    ),
    ENERGY_ADDED: lambda f: (
        f"recorded {kwh(f.record.energy_kwh)} kWh: the {kwh(record_findings.moved(f.record))} kWh that its"
        f" registers moved, and on top the energy of {_of(f.other)} before it"
    ),
    ADVANCED_BETWEEN: lambda f: (
        f"began at {kwh(f.record.meter_start_kwh)} kWh and stayed there, while {_of(f.other)} before it"
        f" had left the register at {_left(f.other)} kWh"
    ),
    POWER_UNUSUAL: lambda f: (
        f"recorded {kwh(f.record.energy_kwh)} kWh in {f.record.hours or 0:.2f} hours: far more power than others"
        f" on the connector, even {_of(f.other)}"
    ),
    BEGAN_AT_ZERO: lambda f: (
        f"began at 0 kWh, while {_of(f.other)} before it had left the register at {_left(f.other)} kWh: that of"
        " the session alone, or one that was reset"
    ),
    SESSIONS_OVERLAP: lambda f: (
        f"began while {_of(f.other)} was running on the same connector, until {_until(f.other)} UTC"
    ),
}
