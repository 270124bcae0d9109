"""Answers the question whether usage corroborates a claim, with the figures of the records that decide."""

from collections.abc import Iterable, Iterator
from typing import Any

from domain.audit import chain
from domain.eligibility.evaluation import RuleResult
from domain.eligibility.signed.findings import signed_energy
from domain.field.usage import UsageRecord


def answer(result: str, reason: str, sentence: str, *records: UsageRecord | None) -> RuleResult:
    """Builds the rule's result; a second record, which shows what is wrong with the first, is `other`."""
    given = [_facts(record) for record in records if record is not None]
    facts = given[0] | ({"other": given[1]} if given[1:] else {}) if given else {}
    return RuleResult("usage_corroborates", result, reason, sentence, facts)


def records_stated(answers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields what a verdict's answers state of each usage record that they rest on.

    Earlier verdicts named none. Raises `LookupError` or `TypeError` where they do not state what verdicts do.
    """
    for answer in answers:
        facts = answer["facts"]
        yield from (one for one in (facts, facts.get("other")) if one and "key" in one)


def _facts(record: UsageRecord) -> dict[str, Any]:
    return {
        "key": record.key,
        "session_id": record.session_id,
        "connector_id": record.connector_id,
        "started_at": chain.instant(record.started_at) if record.started_at else None,
        "ended_at": chain.instant(record.ended_at) if record.ended_at else None,
        "energy_kwh": record.energy_kwh,
        "meter_start_kwh": record.meter_start_kwh,
        "meter_stop_kwh": record.meter_stop_kwh,
        "periods_kwh": record.periods_kwh,
        "reservation_id": record.reservation_id,
        "user": record.user,
        "findings": record.findings,
    } | (_edited(record) | _signed(record))


def _edited(record: UsageRecord) -> dict[str, Any]:
    """Returns who edited the message, as the opening of a claim does of its faults."""
    return {"edited": {"by": record.edited_by, "original": record.original_digest}} if record.edited_by else {}


def _signed(record: UsageRecord) -> dict[str, Any]:
    """Returns what was signed of the session, if the claim asks for it."""
    if not record.checked:
        return {}
    energy = signed_energy(record)
    return {
        "signed_kwh": None if energy is None else round(energy.kwh, 6),
        "signatures": [f"{one.outcome}: {one.reason}" if one.reason else one.outcome for one in record.checked],
    }
