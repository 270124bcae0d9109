"""Has the signed meter values of a claim checked, and marks its usage records by them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from domain.claims.claim import Claim
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.question import is_anothers, on_connector
from domain.eligibility.signed.findings import findings
from domain.eligibility.wording import minute
from domain.field.signed_value import UNVERIFIED, VERIFIED, CheckedValue, CheckSigned
from domain.field.usage import UsageRecord
from domain.policy.error_codes import USAGE_DISCREPANCY

KeyOf = Callable[[int], str | None]
"""Returns the public key that is pinned for a connector; None where none is."""

# The clocks of a meter and of its station may differ by this much.
_CLOCK_TOLERANCE: Final = timedelta(minutes=15)


def mark_signed(
    case: EvaluationInput, filed: Sequence[Mapping[str, Any]], key_of: KeyOf, check: CheckSigned
) -> None:
    """Checks the signed values of the records that the claim is about, and those `filed` for it, and marks these.

    What was filed bears on a record only if it is verified and signed for its time: nobody may shake a record, or
    a claim, by a text that proves nothing.
    """
    about = [record for record in case.usage if _perhaps_meant(record, case.claim)]
    for record in about:
        for value in record.signed or ():
            record.checked += [_placed(one, record) for one in check(value, key_of(record.connector_id))]
    for brought in filed:
        connectors = {record.connector_id for record in about} or {case.claim.connector_id}
        by_connector = {connector: check(brought, key_of(connector)) for connector in sorted(connectors)}
        case.filed += _best(list(by_connector.values()))
        for record in about:
            fitting = (one for one in by_connector[record.connector_id] if _is_of(one, record))
            record.checked += [one for one in fitting if one not in record.checked]
    for record in about:
        if record.checked:
            record.findings = [*record.findings, *findings(record)]


def _perhaps_meant(record: UsageRecord, claim: Claim) -> bool:
    """Checks whether a claim about a meter may be about this record; no other claim asks what was signed."""
    if claim.claim_type != USAGE_DISCREPANCY:
        return False
    if claim.session_id:
        return record.session_id == claim.session_id
    reserved = claim.reservation_id is not None and record.reservation_id == claim.reservation_id
    return (reserved or on_connector(record, claim)) and not is_anothers(record, claim)


def _best(tried: Sequence[list[CheckedValue]]) -> list[CheckedValue]:
    """Returns what came of a value with the key that fits it best."""
    return max(tried, key=lambda values: sum(one.outcome == VERIFIED for one in values))


def _is_of(value: CheckedValue, record: UsageRecord) -> bool:
    timed = bool(value.readings) and all(reading.at is not None for reading in value.readings)
    return timed and value.outcome == VERIFIED and _fits(value, record)


def _placed(value: CheckedValue, record: UsageRecord) -> CheckedValue:
    """Sets aside a value that came with a record and was signed at another time: it is of another session."""
    if _fits(value, record):
        return value
    times = sorted(reading.at for reading in value.readings if reading.at is not None)
    reason = f"it was signed for another time, {minute(times[0])} to {minute(times[-1])} UTC"
    return replace(value, outcome=UNVERIFIED, reason=reason, readings=())


def _fits(value: CheckedValue, record: UsageRecord) -> bool:
    """Checks whether readings lie within the session, as far as their times and its own are known."""
    start, end = record.started_at, record.ended_at
    times = [reading.at for reading in value.readings if reading.at is not None]
    return all(
        (start is None or start - at <= _CLOCK_TOLERANCE) and (end is None or at - end <= _CLOCK_TOLERANCE)
        for at in times
    )
