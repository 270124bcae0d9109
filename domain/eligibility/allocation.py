"""Evaluates whether usage records corroborate that a spot could not be had."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.claims.claim import Claim
from domain.eligibility import session_findings
from domain.eligibility.evaluation import FAIL, INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.question import (
    LONGEST_SESSION,
    distance,
    is_anothers,
    is_sound,
    is_users,
    nearest,
    on_connector,
    under_reservation,
)
from domain.eligibility.signed.findings import weighty
from domain.eligibility.usage_answer import answer
from domain.field.usage import UsageRecord
from domain.policy.policy import Policy
from domain.text import count, measure

# A reservation that was served in the end contradicts these. A lock can fail in a session as well as before.
_NEVER_SERVED: Final = frozenset(
    {
        "RESERVATION_NOT_CONFIRMED",
        "RESERVATION_REJECTED",
        "RESERVATION_LOST",
        "SPOT_OCCUPIED",
        "DOUBLE_ALLOCATION",
        "AUTHORIZATION_TIMEOUT",
        "SPOT_UNAVAILABLE",
    }
)
# Whoever charges so soon after the failure was served all the same.
_SERVED_WITHIN: Final = timedelta(minutes=30)
# Meters give a few watt hours to a car that takes nothing.
_NOTHING_KWH: Final = 0.01


def allocation(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Passes unless the spot served the very person that it was promised to."""
    claim = case.claim
    if claim.code in _NEVER_SERVED and (served := _reserved(case, policy) or _served(case)):
        return served
    running = [one for one in case.usage if on_connector(one, claim) and one.running_at(claim.first_seen_at)]
    if claim.code == "DOUBLE_ALLOCATION" and (doubled := _doubled(claim, running)):
        return doubled
    if running:
        return _occupied(claim, running)
    return _idle(case, policy)


def _reserved(case: EvaluationInput, policy: Policy) -> RuleResult | None:
    """Looks at the sessions under the reservation, and whose they were."""
    claim = case.claim
    under = under_reservation(case.usage, claim, policy)
    if not under:
        return None
    own = [record for record in under if not is_anothers(record, claim)]
    record = nearest(own or under, claim)
    used = f"Session {record.session_id} used reservation {claim.reservation_id}"
    if not own:
        return answer(PASS, "RESERVATION_USED_BY_ANOTHER", f"{used}, and was another user's.", record)
    if record.energy_kwh is not None and record.ended_at and abs(record.energy_kwh) <= _NOTHING_KWH:
        return answer(PASS, "RESERVATION_WITHOUT_ENERGY", f"{used} and delivered no energy.", record)
    if not is_sound(record):
        return answer(INSUFFICIENT, "RESERVATION_UNCLEAR", f"{used}, but {_lacks(record)}.", record)
    return answer(FAIL, "RESERVATION_HONOURED", f"{used}: it was honoured.", record)


def _served(case: EvaluationInput) -> RuleResult | None:
    """Looks whether the affected user charged at that moment or soon after, on whatever connector."""
    claim, moment = case.claim, case.claim.first_seen_at
    own = [record for record in case.usage if is_users(record, claim) and _at_that_time(record, claim)]
    charged = [one for one in own if one.energy_kwh is None or abs(one.energy_kwh) > _NOTHING_KWH]
    if not charged:
        return None
    record = nearest(charged, claim)
    late = max(timedelta(0), (record.started_at or moment) - moment)
    when = f"{count(round(late.total_seconds() / 60), 'minute')} later" if late else "at that moment"
    sentence = f"The affected user was served {when}, in session {record.session_id}"
    if not is_sound(record):
        return answer(INSUFFICIENT, "SERVICE_UNCLEAR", f"{sentence}, but {_lacks(record)}.", record)
    return answer(FAIL, "USER_SERVED", f"{sentence}.", record)


def _at_that_time(record: UsageRecord, claim: Claim) -> bool:
    """Checks whether a session ran at the moment or began soon after; one without an end may have run."""
    moment, start = claim.first_seen_at, record.started_at
    if start is None or record.running_at(moment):
        return start is not None
    perhaps = record.ended_at is None and moment - LONGEST_SESSION <= start <= moment
    return perhaps or _soon_after(start, moment)


def _soon_after(start: datetime | None, moment: datetime) -> bool:
    return start is not None and moment <= start <= moment + _SERVED_WITHIN


def _lacks(record: UsageRecord) -> str:
    if found := weighty(record.findings):
        return f"its record is not sound ({', '.join(found)})"
    return "its record has no end yet" if record.ended_at is None else "its record states no energy"


def _doubled(claim: Claim, running: Sequence[UsageRecord]) -> RuleResult | None:
    """Finds two sessions at once on one connector, unless both are the same user's."""
    for found in session_findings.findings(running, None, (session_findings.SESSIONS_OVERLAP,)):
        if found.other is None or found.record.user is None or found.record.user != found.other.user:
            return answer(PASS, found.name, found.describe(), found.record, found.other)
    return None


def _occupied(claim: Claim, running: Sequence[UsageRecord]) -> RuleResult:
    others = [record for record in running if is_anothers(record, claim)]
    record = nearest(others or running, claim)
    using = f"Session {record.session_id} was using the spot at that moment"
    if others:
        return answer(PASS, "ANOTHER_SESSION_RUNNING", f"{using}, and was another user's.", record)
    if is_users(record, claim):
        return answer(PASS, "OWN_SESSION_RUNNING", f"{using}; it is the affected user's own.", record)
    return answer(PASS, "SESSION_RUNNING", f"{using}; whose it was is not known.", record)


def _idle(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Nothing ran. That says something only of a spot whose records come in."""
    claim, window = case.claim, timedelta(days=policy.corroboration_window_days)
    unnamed = [
        record
        for record in case.usage
        if record.user is None
        and on_connector(record, claim)
        and _soon_after(record.started_at, claim.first_seen_at)
    ]
    if claim.code in _NEVER_SERVED and claim.affected_user and unnamed:
        record = nearest(unnamed, claim)
        sentence = f"Session {record.session_id} began soon after; whether it is the affected user's is not known."
        return answer(INSUFFICIENT, "PERHAPS_SERVED", sentence, record)
    if any(distance(record, claim.first_seen_at) <= window for record in case.usage):
        return answer(PASS, "NO_SESSION_SERVED", "No session on record used the spot at that moment.")
    sentence = f"No usage record of the spot within {measure(policy.corroboration_window_days, 'day')} is on file"
    if policy.no_usage_passes:
        return answer(PASS, "NO_USAGE_KNOWN", f"{sentence}; the policy lets the claim go on.")
    return answer(INSUFFICIENT, "NO_USAGE_KNOWN", f"{sentence}, so whether it was used is not known.")
