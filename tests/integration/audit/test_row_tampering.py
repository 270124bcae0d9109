"""Whatever a superuser does to any row that the record covers, in any column, `audit verify` finds it.

SPOTCLAIM_TAMPERINGS says how many random tamperings are tried, 160 unless it is set; each that was not found is
named with its seed.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from sqlalchemy import Integer, LargeBinary, Table
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.audit.snapshot import AUDITED
from adapters.postgres.claims.claims import claims
from adapters.postgres.evidence.files import evidence_files
from adapters.postgres.evidence.items import claim_evidence
from adapters.postgres.field.faults import faults
from adapters.postgres.field.usage import usage_records
from tests.integration.audit.test_administration import _OTHER as _OF_ADMINISTERED
from tests.integration.audit.test_administration import NOT_AUDITED, Administered
from tests.integration.audit.test_administration import administered as administered
from tests.integration.audit.test_audit_columns import other
from tests.integration.audit.test_named_rows import filed as filed
from tests.integration.parts import Spotclaim

TAMPERINGS = int(os.environ.get("SPOTCLAIM_TAMPERINGS", "160"))


@dataclass(frozen=True)
class Covered:
    """A table with the rows that the record covers, and the columns that it does not, each with the reason."""

    table: Table
    rows: str
    key: str
    but: dict[str, str] = field(default_factory=dict)
    overriding: str = ""

    @property
    def columns(self) -> list[str]:
        return [column.name for column in self.table.c if column.name not in self.but]

    def changed(self, name: str) -> str:
        """Spells another value of a column."""
        column = self.table.c[name]
        if column.identity is not None:
            return "DEFAULT"
        if self.table.name in AUDITED_TABLES and name in _OF_ADMINISTERED:
            return _OF_ADMINISTERED[name]
        if isinstance(column.type, JSONB):
            return f"""'[{{"kind": "note"}}]'::jsonb || coalesce("{name}", '[]'::jsonb)"""
        changed = other(self.table, name)
        if isinstance(column.type, LargeBinary | Integer):
            nothing = "1" if isinstance(column.type, Integer) else "'x'::bytea"
            return f"coalesce({changed}, {nothing})"
        return changed


OPENING = """key IN (
    SELECT k::uuid FROM audit_events e CROSS JOIN json_array_elements_text(e.body::json->'faults') AS k
    WHERE e.kind = 'claim.opened' AND EXISTS (
        SELECT FROM audit_events v WHERE v.subject_id = e.subject_id AND v.kind = 'claim.verified'
    )
)"""
DECIDED = """key IN (
    SELECT (a->'facts'->>'key')::uuid FROM audit_events e CROSS JOIN json_array_elements(e.body::json->'answers') a
    WHERE e.kind = 'claim.verified' AND a->'facts'->>'key' IS NOT NULL
)"""
AUDITED_TABLES = {audited.table.name for audited in AUDITED.values()}
COVERED = [
    Covered(claims, "true", "id"),
    Covered(faults, OPENING, "key"),
    Covered(
        usage_records, DECIDED, "key", {"current": "which record of a session counts is settled as others come"}
    ),
    Covered(claim_evidence, "true", "id"),
    Covered(
        evidence_files, "true", "sha256", {"stored_at": "when its bytes came; they are known by their digest"}
    ),
    *(
        Covered(
            audited.table,
            f"{audited.version} > 0",
            audited.key,
            NOT_AUDITED.get(audited.table.name, {}),
            "OVERRIDING SYSTEM VALUE" if audited.table.name == "destinations" else "",
        )
        for audited in AUDITED.values()
    ),
]


@pytest.fixture
def whole(administered: Administered, filed: Spotclaim) -> Iterator[Administered]:
    """An installation with something in every table that the record covers."""
    tables = [covered.table.name for covered in COVERED]
    for name in tables:
        filed.rows(f"CREATE TABLE {name}_as_it_was AS SELECT * FROM {name}")
    try:
        yield administered
    finally:
        for name in tables:
            filed.rows(f"DROP TABLE {name}_as_it_was")


def restore(whole: Administered, covered: Covered) -> None:
    name = covered.table.name
    whole.tamper(f"DELETE FROM {name}")
    whole.tamper(f"INSERT INTO {name} {covered.overriding} SELECT * FROM {name}_as_it_was")


def tamper(whole: Administered, covered: Covered, random: Random) -> str:
    """Alters a column of a row, or deletes the row; says what was done."""
    name, column = covered.table.name, random.choice(covered.columns)
    kept = whole.spotclaim.rows(f"SELECT {covered.key}::text AS key FROM {name} WHERE {covered.rows} ORDER BY 1")
    row = f"{covered.key}::text = '{random.choice(kept)['key']}'"
    if random.random() < 0.2:
        whole.tamper(f"DELETE FROM {name} WHERE {row}")
        return f"deleted from {name} where {row}"
    whole.tamper(f'UPDATE {name} SET "{column}" = {covered.changed(column)} WHERE {row}')
    return f"altered {column} of {name} where {row}"


def test_every_column_of_a_covered_row_is_audited(whole: Administered) -> None:
    """One altered alone is found, but for those that stand above with their reasons."""
    assert whole.findings() == []
    missed = []
    for covered in COVERED:
        table = covered.table
        assert whole.spotclaim.value(f"SELECT count(*) FROM {table.name} WHERE {covered.rows}"), table.name
        for column in table.c:
            one = f"SELECT {covered.key} FROM {table.name} WHERE {covered.rows} ORDER BY 1 LIMIT 1"
            changed = covered.changed(column.name)
            whole.tamper(f'UPDATE {table.name} SET "{column.name}" = {changed} WHERE {covered.key} = ({one})')
            if not whole.findings():
                missed.append(f"{table.name}.{column.name}")
            restore(whole, covered)

    assert sorted(missed) == sorted(f"{covered.table.name}.{name}" for covered in COVERED for name in covered.but)


def test_random_tampering_is_found(whole: Administered) -> None:
    """In any table, row and column, by one statement behind the triggers."""
    missed = []
    for seed in range(TAMPERINGS):
        random = Random(seed)
        covered = random.choice(COVERED)
        done = tamper(whole, covered, random)
        if not whole.findings():
            missed.append(f"{seed}: {done}")
        restore(whole, covered)

    assert missed == []
    assert whole.findings() == []
