"""Has claims verified again when more becomes known of their spot: a late usage record, a registration, a key."""

from collections.abc import Sequence
from typing import Final

from adapters.postgres.statements import Execute
from adapters.postgres.steps.steps import WAKE_RELAY
from domain.claims.lifecycle import JUDGED

# Which claims these are is said by `domain.claims.lifecycle.JUDGED`.
_SCHEDULE: Final = """
INSERT INTO steps (kind, subject_ids, due_at)
SELECT 'verify', array_agg(id), now() FROM claims
WHERE spot_id = ANY(%s) AND status = ANY(%s) AND closed_at IS NULL
HAVING count(*) > 0
"""


def verify_again(execute: Execute, spots: Sequence[str]) -> None:
    """Schedules a new verification of these spots' claims that nobody has decided yet."""
    if execute(_SCHEDULE, list(spots), list(JUDGED)).rowcount:
        execute(WAKE_RELAY)
