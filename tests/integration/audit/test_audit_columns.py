"""Whatever a superuser alters of a claim or an incident, each column alone, `audit verify` finds."""

from dataclasses import fields
from datetime import timedelta

import pytest
from sqlalchemy import Boolean, DateTime, Double, Engine, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.claims.claims import claims
from adapters.postgres.incidents.incidents import incidents
from domain.claims.claim import Claim
from domain.claims.decide import Wanted
from domain.incidents.incident import Incident
from domain.ports.store import Identity
from tests.builders import NOW, a_clear, a_fault, a_usage_record
from tests.integration.parts import Spotclaim
from workers.audit.verify import audit
from workers.services.decisions import Decide

# Columns that no event leads to, each with the reason. There is none.
NOT_AUDITED: dict[str, str] = {}

_OTHER = {
    Text: "coalesce({0}, '') || 'x'",
    Integer: "{0} + 1",
    Double: "coalesce({0}, 0) + 1",
    Boolean: "NOT {0}",
    DateTime: "coalesce({0}, now()) + interval '1 second'",
    LargeBinary: "sha256({0})",
    UUID: "gen_random_uuid()",
}
_OTHER_ARRAY = {Text: "{0} || 'eve'::text", DateTime: "{0} || now()"}


def other(table: Table, name: str) -> str:
    """SQL for another value of a column."""
    kind = table.c[name].type
    if isinstance(kind, ARRAY):
        return _OTHER_ARRAY[type(kind.item_type)].format(f'"{name}"')
    return _OTHER[type(kind)].format(f'"{name}"')


@pytest.fixture
def lived(spotclaim: Spotclaim) -> Spotclaim:
    """A claim that was counted, verified, paused, approved and closed, and an incident that grew."""
    filed = {"spot_id": "E9", "filed_by": "olga", "affected_user": "user 7", "zone": "hz", "session_id": "s-1"}
    spotclaim.take_in(usage=[a_usage_record(spot_id="E9", energy_kwh=-1.0)], faults=[a_fault(**filed)])
    spotclaim.take_in(faults=[a_fault(spot_id="E9", filed_by="paul"), a_clear(spot_id="E9", occurred_at=NOW)])
    spotclaim.carry_out()
    decide = Decide(spotclaim.store, spotclaim.policy, spotclaim.policies, spotclaim.clock, lambda *_: None)
    claim = next(row for row in spotclaim.claims() if row["spot_id"] == "E9")
    for name, role, action in (
        ("rita", "reviewer", "approve"),
        ("max", "manager", "approve"),
        ("max", "manager", "resolve"),
    ):
        decide(Wanted(claim["id"]), action, Identity(name, role), "seen")
    for spots in (range(4), range(4, 9)):
        spotclaim.take_in(
            faults=[
                a_fault(spot_id=f"N{n}", zone="north", raw_code="POWER_FAILURE", occurred_at=NOW) for n in spots
            ]
        )
        spotclaim.carry_out()
        spotclaim.clock.now += timedelta(minutes=1)
    return spotclaim


def not_found(spotclaim: Spotclaim, engine: Engine, table: Table, record: type) -> set[str]:
    """The columns that can be altered alone and unseen, one row at a time."""
    missed = set()
    for name in (field.name for field in fields(record)):
        row = spotclaim.value(f"SELECT id::text AS id FROM {table.name} ORDER BY version DESC, id LIMIT 1")
        changed = f'UPDATE {table.name} SET "{name}" = {other(table, name)} WHERE id = %s'
        with engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(changed, (row,))
        with open_snapshot(engine) as altered:
            found = audit(altered).findings
        if not any(row in (finding.subject_id, finding.claim_id) for finding in found):
            missed.add(name)
        _restore(spotclaim, table)
    return missed


def _restore(spotclaim: Spotclaim, table: Table) -> None:
    spotclaim.rows(f"DELETE FROM {table.name}")
    spotclaim.rows(f"INSERT INTO {table.name} SELECT * FROM {table.name}_as_it_was")


@pytest.mark.parametrize(("table", "record"), [(claims, Claim), (incidents, Incident)], ids=["claim", "incident"])
def test_every_column_is_audited(lived: Spotclaim, engine: Engine, table: Table, record: type) -> None:
    """Four eyes, and that nobody approves what they filed, rest on some of them."""
    with open_snapshot(engine) as honest:
        assert audit(honest).clean
    lived.rows(f"CREATE TABLE {table.name}_as_it_was AS SELECT * FROM {table.name}")
    try:
        assert not_found(lived, engine, table, record) == NOT_AUDITED.keys()
    finally:
        lived.rows(f"DROP TABLE {table.name}_as_it_was")
