"""The floor of the bench writes into today's tables, so that what is measured beside it stays comparable."""

from collections.abc import Callable, Iterator

import pytest

from tests.benchmarks.intake import floor, loads
from tests.integration.parts import Spotclaim

_COUNTS = """
SELECT (SELECT count(*) FROM faults) AS faults, (SELECT count(*) FROM claims) AS claims,
    (SELECT count(*) FROM audit_events) AS events, (SELECT sum(fault_count) FROM claims) AS counted,
    (SELECT cardinality(subject_ids) FROM steps WHERE kind = 'verify') AS verified
"""


@pytest.mark.parametrize(
    ("sql", "rows", "load", "claims"),
    [(floor.INSERT, floor.new_rows, loads.new_spots, 40), (floor.UPSERT, floor.repeated_rows, loads.repeats, 2)],
)
def test_the_floor_writes_what_intake_writes(
    spotclaim: Spotclaim,
    sql: str,
    rows: Callable[[list[bytes]], floor.Rows],
    load: Callable[[int], Iterator[bytes]],
    claims: int,
) -> None:
    spotclaim.rows(sql, *floor.spelled(rows(list(load(40)))))

    [counts] = spotclaim.rows(_COUNTS)
    assert counts == {"faults": 40, "claims": claims, "events": claims, "counted": 40, "verified": claims}
