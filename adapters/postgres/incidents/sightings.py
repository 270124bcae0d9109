"""Reads claims as sightings of their errors, with the zones and models of their spots."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapters.postgres.field.spots import SPOT_MODEL, SPOT_ZONE
from adapters.postgres.statements import Executor, as_array
from domain.incidents.windows import Sighting

_SIGHTINGS: Final = f"""
SELECT c.code, c.spot_id, c.last_seen_at, coalesce(c.zone, s.zone), s.model, c.id::text
FROM claims c CROSS JOIN LATERAL (
    SELECT {SPOT_ZONE} AS zone, {SPOT_MODEL} AS model FROM spots WHERE spots.spot_id = c.spot_id
) s
"""
_OF_CLAIMS: Final = f"{_SIGHTINGS} WHERE c.id = ANY(%s::uuid[])"
_SINCE: Final = f"{_SIGHTINGS} WHERE c.last_seen_at >= %s"


class SightingReads(Executor):
    """Reads sightings within a transaction."""

    def sightings(self, claim_ids: Sequence[str]) -> list[Sighting]:
        return [Sighting(*row) for row in self._execute(_OF_CLAIMS, as_array(claim_ids))]

    def sightings_since(self, moment: datetime) -> list[Sighting]:
        return [Sighting(*row) for row in self._execute(_SINCE, moment)]
