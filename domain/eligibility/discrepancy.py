"""Evaluates whether usage records corroborate that what was recorded is not what happened."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from domain.claims.claim import Claim
from domain.eligibility import session_findings
from domain.eligibility.corroboration import CORROBORATING, METER_CODES, decides
from domain.eligibility.evaluation import FAIL, INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.question import (
    is_anothers,
    is_sound,
    is_users,
    nearest,
    nearness,
    on_connector,
    touches,
    under_reservation,
)
from domain.eligibility.session_findings import Finding
from domain.eligibility.signed.findings import remarks, weighty
from domain.eligibility.usage_answer import answer
from domain.field.usage import UsageRecord
from domain.policy.policy import Policy
from domain.text import count


def discrepancy(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Passes if the session that the claim is about shows what it says; fails if that is sound.

    A claim that names a session, or a reservation with one, is judged by that record and its neighbours on the
    connector. One that names none is judged by what its connector recorded around the fault.
    """
    claim = case.claim
    claimed = _claimed(case, policy)
    if claim.code == "SESSION_MISSING":
        return _missing(case, claimed, policy)
    if claimed:
        return _by_session(case, claimed)
    if claim.session_id:
        sentence = f"Session {claim.session_id}, which the claim names, is not on file yet."
        return answer(INSUFFICIENT, "USAGE_MISSING", sentence)
    return _by_time(case)


def _claimed(case: EvaluationInput, policy: Policy) -> list[UsageRecord]:
    """Finds the record of the session that the claim names, or those under its reservation.

    A station may use the number of a session again; then the one that is nearest in time is meant.
    """
    claim = case.claim
    if claim.session_id:
        named = [record for record in case.usage if record.session_id == claim.session_id]
        return [nearest(named, claim)] if named else []
    under = under_reservation(case.usage, claim, policy)
    return [record for record in under if not is_anothers(record, claim)]


def _by_session(case: EvaluationInput, claimed: Sequence[UsageRecord]) -> RuleResult:
    telling = _most_telling(case, claimed)
    if telling is not None:
        return answer(PASS, telling.name, telling.describe(), telling.record, telling.other)
    record = nearest(claimed, case.claim)
    return _sound(case, claimed, f"Session {record.session_id} shows nothing of the kind.")


def _by_time(case: EvaluationInput) -> RuleResult:
    """Judges by all that the connector recorded around the fault, but for what is another user's.

    Only the session that was running, or the affected user's own, can show that nothing of the kind happened.
    """
    claim = case.claim
    near = [
        record
        for record in case.usage
        if touches(record, claim.first_seen_at) and on_connector(record, claim) and not is_anothers(record, claim)
    ]
    telling = _most_telling(case, near)
    if telling is not None:
        return answer(PASS, telling.name, telling.describe(), telling.record, telling.other)
    own = [record for record in near if record.running_at(claim.first_seen_at) or is_users(record, claim)]
    if own:
        show = "shows" if len(own) == 1 else "show"
        sentence = f"The {count(len(own), 'usage record')} of the time of the fault {show} nothing of the kind."
        return _sound(case, own, sentence)
    sentence = "No usage record of the time of the fault is on file yet, and the claim names no session."
    return answer(INSUFFICIENT, "USAGE_MISSING", sentence)


def _sound(case: EvaluationInput, records: Sequence[UsageRecord], sentence: str) -> RuleResult:
    """Fails the claim by sound records. One with findings of its own, or without energy or end, is no witness."""
    claim = case.claim
    if unsound := [one for one in records if not is_sound(one)]:
        one = nearest(unsound, claim)
        why = f"has other findings ({', '.join(one.findings)})" if weighty(one.findings) else "is not complete yet"
        sentence = f"The record of session {one.session_id} {why}, so it says nothing for or against the claim."
        return answer(INSUFFICIENT, "NO_SOUND_WITNESS", sentence + remarks(one), one)
    wrong = _most_telling(case, records, session_findings.OF_ONE_RECORD)
    if wrong is not None:
        sentence = f"{wrong.describe()} So it says nothing for or against the claim."
        return answer(INSUFFICIENT, "NO_SOUND_WITNESS", sentence, wrong.record)
    doubt = _most_telling(case, records, session_findings.DOUBTS)
    if doubt is not None and claim.code in METER_CODES:
        sentence = f"{doubt.describe()} That may be chance, so it says nothing for or against the claim."
        return answer(INSUFFICIENT, "NO_SOUND_WITNESS", sentence, doubt.record, doubt.other)
    record = nearest(records, claim)
    return answer(FAIL, "USAGE_CONSISTENT", sentence + remarks(record), record)


def _missing(case: EvaluationInput, claimed: Sequence[UsageRecord], policy: Policy) -> RuleResult:
    """Fails a missing session that is on record, whole; passes if the spot recorded later ones, and not this one.

    Without any later one its record may still come.
    """
    claim, wanted = case.claim, CORROBORATING[case.claim.code]
    if not (claim.session_id or claim.reservation_id):
        claimed = [one for one in case.usage if on_connector(one, claim) and _of_the_moment(one, claim)]
    if whole := [record for record in claimed if not any(finding in wanted for finding in record.findings)]:
        record = nearest(whole, claim)
        known = "and its source says that it goes on" if record.under_way else "with its end and its energy"
        sentence = f"Session {record.session_id} is on record, {known}."
        return answer(FAIL, "SESSION_RECORDED", sentence, record)
    telling = _most_telling(case, claimed)
    if telling is not None:
        return answer(PASS, telling.name, telling.describe(), telling.record)
    moment, window = claim.first_seen_at, timedelta(days=policy.corroboration_window_days)
    if not any(one.started_at and moment < one.started_at <= moment + window for one in case.usage):
        sentence = "No usage record of the spot after the fault is on file yet."
        return answer(INSUFFICIENT, "USAGE_MISSING", sentence)
    sentence = "The session is not on record, though the spot has recorded others since."
    return answer(PASS, "SESSION_NOT_RECORDED", sentence)


def _of_the_moment(record: UsageRecord, claim: Claim) -> bool:
    return record.running_at(claim.first_seen_at) and not is_anothers(record, claim)


def _most_telling(
    case: EvaluationInput, about: Sequence[UsageRecord], wanted: Sequence[str] | None = None
) -> Finding | None:
    """Finds what is wrong with these records; of several findings the most telling, nearest in time.

    `wanted` are those that corroborate the claim's code, unless others are named.
    """
    claim = case.claim
    wanted = CORROBORATING.get(claim.code, ()) if wanted is None else wanted
    power = case.spot.max_power_kw if case.spot else None
    keys = {record.key for record in about}
    found = session_findings.findings(case.usage, power, wanted)

    def order(finding: Finding) -> tuple[Any, ...]:
        return wanted.index(finding.name), *nearness(finding.record, claim)

    return min((finding for finding in found if decides(finding, keys)), key=order, default=None)
