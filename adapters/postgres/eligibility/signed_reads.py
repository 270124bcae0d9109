"""Reads the signed meter values and public keys of claims, and has the values checked."""

from collections.abc import Sequence
from typing import Any, Final

from adapters.postgres.field.meter_keys import read_meter_keys
from adapters.postgres.statements import Execute, as_array
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.signed.marking import mark_signed
from domain.field.signed_value import CheckSigned
from domain.policy.policy import SIGNED_METER_VALUE

FILED_AT_MOST: Final = 64
"""How many signed values filed for one claim are checked, the earliest; what else is filed stays on file."""

# Only claims that have some are asked about.
_FILED: Final = f"""
SELECT w.id::text, s.value FROM unnest(%s::uuid[]) AS w(id) CROSS JOIN LATERAL (
    (SELECT added_at AS at, content::jsonb->'data' AS value FROM claim_evidence
        WHERE claim_id = w.id AND kind = '{SIGNED_METER_VALUE}' AND withdrawn_at IS NULL
            AND evidence_item_typed(kind, content::jsonb))
    UNION ALL
    (SELECT f.received_at, piece FROM faults f
        CROSS JOIN LATERAL jsonb_array_elements(evidence_that_counts(f.evidence)) AS piece
        WHERE f.claim_id = w.id AND f.evidence <> '[]'::jsonb AND piece->>'kind' = '{SIGNED_METER_VALUE}')
    ORDER BY at, value LIMIT {FILED_AT_MOST}
) AS s ORDER BY s.at
"""


def check_signed_values(execute: Execute, cases: Sequence[EvaluationInput], check: CheckSigned) -> None:
    """Marks the usage records of these cases by their signed values, and by those filed for the claims."""
    filed = _filed(execute, [case.claim.id for case in cases if SIGNED_METER_VALUE in case.evidence])
    signed = [
        case for case in cases if case.claim.id in filed or any(record.signed is not None for record in case.usage)
    ]
    if not signed:
        return
    keys = read_meter_keys(execute, [case.claim.spot_id for case in signed])
    for case in signed:
        mark_signed(case, filed.get(case.claim.id, ()), _KeysOf(keys, case.claim.spot_id), check)


class _KeysOf:
    """Finds the key of a spot's connector, or else that of the whole spot."""

    def __init__(self, keys: dict[tuple[str, int], str], spot_id: str) -> None:
        self._keys, self._spot_id = keys, spot_id

    def __call__(self, connector_id: int) -> str | None:
        return self._keys.get((self._spot_id, connector_id)) or self._keys.get((self._spot_id, 0))


def _filed(execute: Execute, claim_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    filed: dict[str, list[dict[str, Any]]] = {}
    if claim_ids:
        for claim_id, value in execute(_FILED, as_array(claim_ids)):
            filed.setdefault(claim_id, []).append(value)
    return filed
