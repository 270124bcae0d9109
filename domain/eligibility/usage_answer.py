"""Answers the question whether usage corroborates a claim, with the figures of the records that decide."""

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
    } | _kept(record)


def _kept(record: UsageRecord) -> dict[str, Any]:
    """Returns the digest of the whole row, and what was signed of the session if the claim asks for it."""
    stated: dict[str, Any] = {"digest": record.digest} if record.digest else {}
    if not record.checked:
        return stated
    energy = signed_energy(record)
    return stated | {
        "signed_kwh": None if energy is None else round(energy.kwh, 6),
        "signatures": [f"{one.outcome}: {one.reason}" if one.reason else one.outcome for one in record.checked],
    }
