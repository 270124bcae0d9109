"""Statements are spelled from the types of their tables."""

from dataclasses import dataclass
from types import SimpleNamespace

import orjson
from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from adapters.postgres.statements import Deletion, as_array, insert, or_update, selected, update

things = Table(
    "things",
    MetaData(),
    Column("id", UUID(as_uuid=False)),
    Column("to", Text),
    Column("size", Integer),
    Column("open", Boolean),
    Column("at", DateTime(timezone=True)),
    Column("hash", LargeBinary),
    Column("data", JSONB),
    Column("owners", ARRAY(UUID(as_uuid=False))),
    Column("words", ARRAY(Text)),
)


@dataclass
class Thing:
    id: str
    hash: str
    owners: list[str]
    size: int


def test_an_insert_reads_each_value_from_its_place_as_its_column_is() -> None:
    """Names are quoted, since some are words of SQL."""
    write = insert(things, ("id", "to", "size", "open", "at", "hash", "data", "owners", "words"))

    assert " ".join(write.sql.split()) == (
        'INSERT INTO things ("id", "to", "size", "open", "at", "hash", "data", "owners", "words") '
        "SELECT (r->>0)::uuid, r->>1, (r->>2)::integer, (r->>3)::boolean, (r->>4)::timestamptz, "
        "decode(r->>5, 'hex'), r->6, "
        "CASE r->7 WHEN '[]' THEN '{}' ELSE ARRAY(SELECT jsonb_array_elements_text(r->7))::uuid[] END, "
        "CASE r->8 WHEN '[]' THEN '{}' ELSE ARRAY(SELECT jsonb_array_elements_text(r->8))::text[] END "
        "FROM jsonb_array_elements(%s::jsonb) AS r"
    )


def test_a_value_may_be_spelled_otherwise() -> None:
    """A step without a due time is due at once."""
    write = insert(things, ("id", "at"), spelled={"at": "coalesce((r->>{})::timestamptz, now())"})

    assert "SELECT (r->>0)::uuid, coalesce((r->>1)::timestamptz, now()) FROM" in write.sql


def test_an_insert_may_write_some_columns_anew() -> None:
    """Where the id is known."""
    write = insert(things, ("id", "size"), or_update(("size",)))

    assert write.sql.endswith("AS r ON CONFLICT (id) DO UPDATE SET size = excluded.size")


def test_an_update_finds_its_rows_by_their_ids() -> None:
    """The id comes first in a row, whatever else changes."""
    write = update(things, ("size", "open"))

    assert write.columns == ("id", "size", "open")
    assert write.sql == (
        "UPDATE things t SET size = (r->>1)::integer, open = (r->>2)::boolean "
        "FROM jsonb_array_elements(%s::jsonb) AS r WHERE t.id = (r->>0)::uuid"
    )


def test_rows_hold_the_values_in_the_order_of_the_columns() -> None:
    """Whatever the items have besides."""
    items = [SimpleNamespace(size=1, id="a", to="x"), SimpleNamespace(size=2, id="b", to="y")]

    assert orjson.loads(str(update(things, ("size", "to")).rows(items))) == [["a", 1, "x"], ["b", 2, "y"]]


def test_a_deletion_takes_a_list() -> None:
    """Of the values of its column."""
    deletion = Deletion("DELETE FROM things WHERE size = ANY(%s)", ("size",))

    assert deletion.rows([SimpleNamespace(size=1), SimpleNamespace(size=2)]) == [1, 2]


def test_ids_are_read_as_text_and_digests_as_digits() -> None:
    """In the order of the dataclass, and under the alias that the statement uses."""
    assert selected(things, Thing) == (
        'things."id"::text, encode(things."hash", \'hex\'), things."owners"::text[], things."size"'
    )
    assert (
        selected(things, Thing, alias="t", but=("owners",), as_is=("id", "hash")) == 't."id", t."hash", t."size"'
    )


def test_ids_are_one_array_literal() -> None:
    """None of them is an empty array."""
    assert as_array(["a", "b"]) == "{a,b}"
    assert as_array([]) == "{}"
