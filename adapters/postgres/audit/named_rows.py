"""Reads the rows that audit events name, within the snapshot in which the events are read."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from adapters.postgres.audit.log import INSTANT
from adapters.postgres.field.faults import FAULT_DIGEST
from adapters.postgres.field.usage import USAGE_DIGEST

_AT_ONCE = 10_000
_FAULTS: Final = """
SELECT replace(key::text, '-', ''), claim_id::text, spot_id, code, cleared FROM faults WHERE key = ANY(%s::uuid[])
"""
_USAGE: Final = f"""
SELECT key::text, spot_id, session_id, connector_id, {INSTANT.format("started_at")},
    {INSTANT.format("ended_at")}, energy_kwh, meter_start_kwh, meter_stop_kwh, periods_kwh, reservation_id, "user",
    {USAGE_DIGEST}
FROM usage_records r WHERE key = ANY(%s::uuid[])
"""
_FAULT_DIGESTS: Final = f"SELECT key::text, {FAULT_DIGEST} FROM faults f WHERE key = ANY(%s::uuid[])"
_ITEMS: Final = f"""
SELECT i.id::text, i.claim_id::text, i.kind, {INSTANT.format("i.added_at")}, i.added_by,
    encode(sha256(convert_to(i.content, 'UTF8')), 'hex'), {INSTANT.format("i.withdrawn_at")}, i.withdrawn_by
FROM claim_evidence i WHERE i.id = ANY(%s::uuid[]) OR i.claim_id = ANY(%s::uuid[])
"""
_FILES: Final = """
SELECT encode(sha256, 'hex'), encode(sha256(content), 'hex') FROM evidence_files
WHERE sha256 IN (SELECT decode(digest, 'hex') FROM unnest(%s::text[]) AS digest)
"""


class NamedRowReads:
    """Implements `workers.audit.named_rows.Rows`."""

    def __init__(self, cursor: Any, *, files_inside: bool) -> None:
        self._cursor = cursor
        self.files_inside = files_inside

    def faults(self, keys: Sequence[str]) -> Iterator[Any]:
        for begin in range(0, len(keys), _AT_ONCE):
            yield from self._rows(_FAULTS, list(keys[begin : begin + _AT_ONCE]))

    def fault_digests(self, keys: Sequence[str]) -> Iterator[Any]:
        for begin in range(0, len(keys), _AT_ONCE):
            yield from self._rows(_FAULT_DIGESTS, list(keys[begin : begin + _AT_ONCE]))

    def usage(self, keys: Sequence[str]) -> Iterator[Any]:
        for begin in range(0, len(keys), _AT_ONCE):
            yield from self._rows(_USAGE, list(keys[begin : begin + _AT_ONCE]))

    def items(self, ids: Sequence[str], claim_ids: Sequence[str]) -> Iterator[Any]:
        return self._rows(_ITEMS, list(ids), list(claim_ids))

    def files(self, digests: Sequence[str]) -> Iterator[Any]:
        return self._rows(_FILES, list(digests))

    def _rows(self, sql: str, *parameters: Any) -> Iterator[Any]:
        self._cursor.execute(sql, parameters)
        yield from self._cursor.fetchall()
