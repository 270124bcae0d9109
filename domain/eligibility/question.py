"""Says which usage records a claim asks for.

The evidence set follows from the question and never from a count, so records that have nothing to do with a claim
cannot change its verdict, however many there are and in whatever order they come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.claims.claim import Claim
from domain.eligibility.signed.findings import weighty
from domain.field.usage import UsageRecord
from domain.policy.error_codes import ALLOCATION_FAILURE, EQUIPMENT
from domain.policy.policy import Policy

AROUND: Final = timedelta(hours=24)
"""How far from the fault a session may lie that the claim does not name."""

LONGEST_SESSION: Final = timedelta(hours=24)
"""Sessions that last longer have the finding OVER_24_HOURS, and are looked for by it."""

SESSIONS_AT_MOST: Final = 500
"""How many sessions around a fault are read. Where there are more, the verdict is insufficient, and says so."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a claim asks of the usage records of its spot.

    Read are the session that it names with its neighbours on the connector, and everything under its reservation;
    `by_reservation`, the neighbours of that as well; `around`, all that ran within `AROUND` of the fault; `flow`,
    the nearest record before the fault and after it, which show that the spot's records come in.
    """

    session_id: str | None
    reservation_id: str | None
    by_reservation: bool
    around: bool
    flow: bool


def question_of(claim: Claim) -> Question | None:
    """Returns what a claim asks; None for equipment, of which usage says nothing."""
    if claim.claim_type == EQUIPMENT:
        return None
    allocation, missing = claim.claim_type == ALLOCATION_FAILURE, claim.code == "SESSION_MISSING"
    around, flow = allocation or not claim.session_id, allocation or missing
    by_reservation = not allocation and not claim.session_id
    return Question(claim.session_id, claim.reservation_id, by_reservation, around=around, flow=flow)


def reservation_window(policy: Policy) -> timedelta:
    """Returns how far from the fault a session may lie that is under the claim's reservation."""
    return timedelta(days=policy.corroboration_window_days)


def touches(record: UsageRecord, moment: datetime, either_side: timedelta = AROUND) -> bool:
    """Checks whether a session ran within so much time of a moment."""
    times = [time for time in (record.started_at, record.ended_at or _last_known(record)) if time is not None]
    if not times:
        return False
    return min(times) <= moment + either_side and max(times) >= moment - either_side


def _last_known(record: UsageRecord) -> datetime | None:
    return record.recorded_at if record.under_way else None


def on_connector(record: UsageRecord, claim: Claim) -> bool:
    """Checks whether a session may have used the connector of a claim; 0 is the whole spot."""
    return record.connector_id == claim.connector_id or not (record.connector_id and claim.connector_id)


def is_users(record: UsageRecord, claim: Claim) -> bool:
    """Checks whether the session is known to be that of the affected user, by their name or by the claim's."""
    if claim.affected_user is not None and record.user is not None:
        return record.user == claim.affected_user
    return claim.session_id is not None and record.session_id == claim.session_id


def is_anothers(record: UsageRecord, claim: Claim) -> bool:
    """Checks whether the session is known to be another user's. Unknown on either side is unknown."""
    return None not in (record.user, claim.affected_user) and record.user != claim.affected_user


def under_reservation(usage: Sequence[UsageRecord], claim: Claim, policy: Policy) -> list[UsageRecord]:
    """Finds the sessions under the claim's reservation.

    Operators use a number again, so what lies further off than the window is under another reservation.
    """
    return [
        record
        for record in usage
        if claim.reservation_id
        and record.reservation_id == claim.reservation_id
        and distance(record, claim.first_seen_at) <= reservation_window(policy)
    ]


def is_sound(record: UsageRecord) -> bool:
    """Checks whether the record can be a witness for "nothing of the kind": whole, and without findings."""
    return not weighty(record.findings) and record.energy_kwh is not None and record.ended_at is not None


def distance(record: UsageRecord, moment: datetime) -> timedelta:
    """Returns how far the nearer end of a session lies from a moment."""
    start, end = record.started_at, record.ended_at
    if start is not None and end is not None:
        return min(abs(start - moment), abs(end - moment))
    known = start or end
    return timedelta.max if known is None else abs(known - moment)


def nearness(record: UsageRecord, claim: Claim) -> tuple[bool, timedelta, str, str]:
    """Sorts records by how well they can corroborate the fault; ties are broken deterministically."""
    return (
        not on_connector(record, claim),
        distance(record, claim.first_seen_at),
        record.session_id,
        record.key,
    )


def nearest(records: Sequence[UsageRecord], claim: Claim) -> UsageRecord:
    """Returns the record that can corroborate the fault best."""
    return min(records, key=lambda record: nearness(record, claim))
