"""Finds sessions of which two final records contradict each other: both are kept, and neither is a witness."""

from collections.abc import Iterable, Sequence
from typing import Final

from domain.eligibility.record_findings import FINAL_RECORDS_DISAGREE
from domain.field.usage import SAME_SESSION_WITHIN, UsageRecord

ROUNDING_KWH: Final = 0.01
"""Sources round energy to this much, so what differs by less is the same."""


def mark_contradicted(record: UsageRecord, superseded: Iterable[UsageRecord]) -> None:
    """Marks a record that an earlier final one of its session contradicts, with the energy that differs most.

    `superseded` are the records that stopped counting, of any session. What its source took back contradicts
    nothing: that is a correction.
    """
    energy = record.energy_kwh
    if energy is None or not record.final:
        return
    same = [other for other in superseded if _same_session(record, other)]
    returned = [other.energy_kwh for other in same if other.takes_back]
    stated = [other.energy_kwh for other in same if other.final and not _any_like(other.energy_kwh, returned)]
    differing = [one for one in stated if one is not None and not _alike(one, energy)]
    if differing:
        record.contradicted_kwh = max(differing, key=lambda one: (abs(one - energy), one))
        record.findings = [*record.findings, FINAL_RECORDS_DISAGREE]


def _any_like(energy: float | None, returned: Sequence[float | None]) -> bool:
    return energy is not None and any(one is not None and _alike(energy, one) for one in returned)


def _alike(one: float, other: float) -> bool:
    # A billionth more, for sums that no binary number holds.
    return abs(one - other) <= ROUNDING_KWH + 1e-9


def _same_session(record: UsageRecord, other: UsageRecord) -> bool:
    if (record.spot_id, record.session_id) != (other.spot_id, other.session_id):
        return False
    moments = [one.started_at or one.ended_at or one.recorded_at for one in (record, other)]
    return abs(moments[0] - moments[1]) <= SAME_SESSION_WITHIN
