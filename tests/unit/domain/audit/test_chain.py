"""The audit chain: whatever is altered afterwards shows."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit.chain import GENESIS, AuditEvent, append, first_broken, instant, link
from tests.builders import NOW, a_chain, a_claim

OTHER: dict[str, Any] = {
    "subject_id": "00000000-0000-7000-8000-00000000ffff",
    "seq": 99,
    "at": "2026-03-10T12:00:00.000001Z",
    "actor": "somebody else",
    "kind": "claim.approved",
    "body": "{}",
    "hash": "ff" * 32,
}


def test_events_follow_from_each_other() -> None:
    """The claim moves on to each of them: one number further, and the last one's hash."""
    claim = a_claim()
    chain = a_chain(claim)

    assert [event.seq for event in chain] == [1, 2, 3, 4, 5]
    assert (claim.version, claim.head) == (5, chain[-1].hash)
    assert first_broken(chain) is None


def test_a_chain_begins_with_nothing() -> None:
    """No events, nothing broken; and the first event links to sixty-four zeros."""
    claim = a_claim()
    [first] = a_chain(claim, 1)

    assert first_broken([]) is None
    assert first.hash == link(GENESIS, claim.id, 1, first.at, first.actor, first.kind, first.body)


@pytest.mark.parametrize("field", [field.name for field in fields(AuditEvent)])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_change_of_any_field_is_found(field: str, place: int) -> None:
    """At the very event, wherever it stands."""
    chain = a_chain(a_claim())
    chain[place] = replace(chain[place], **{field: OTHER[field]})

    assert first_broken(chain) is chain[place]


@pytest.mark.parametrize("place", range(4))
def test_a_removed_event_is_found(place: int) -> None:
    """The one after it no longer follows. (A removed tail is the claim's head's business.)"""
    chain = a_chain(a_claim())
    del chain[place]

    assert first_broken(chain) is chain[place]


@pytest.mark.parametrize("place", range(4))
def test_swapped_events_are_found(place: int) -> None:
    """Order is part of the record."""
    chain = a_chain(a_claim())
    chain[place], chain[place + 1] = chain[place + 1], chain[place]

    assert first_broken(chain) is chain[place]


@pytest.mark.parametrize("place", range(5))
def test_an_inserted_event_is_found(place: int) -> None:
    """Even one whose own hash is made to fit: the next one gives it away."""
    chain = a_chain(a_claim())
    forged = replace(chain[place], actor="forger")
    previous = chain[place - 1].hash if place else GENESIS
    forged.hash = link(previous, forged.subject_id, forged.seq, forged.at, "forger", forged.kind, forged.body)
    chain.insert(place, forged)

    assert first_broken(chain) is chain[place + 1]


def test_an_event_of_another_claim_does_not_fit() -> None:
    """Chains cannot be mixed."""
    one, other = a_chain(a_claim()), a_chain(a_claim())

    assert first_broken([*one[:2], *other[2:]]) is other[2]


def test_the_fields_do_not_run_into_each_other() -> None:
    """The same characters divided otherwise give another hash."""
    assert link(GENESIS, "c", 1, "t", "ab", "c", "{}") != link(GENESIS, "c", 1, "t", "a", "bc", "{}")


def test_an_actor_with_line_ends_cannot_pass_for_another() -> None:
    """Names come from outside; how one is written into the hash must be its own."""

    def hash_by(actor: str) -> str:
        return link(GENESIS, "c", 1, "t", actor, "k", "{}")

    assert hash_by("a\nb") != hash_by('"a\\nb"')


def test_bodies_are_canonical() -> None:
    """The order in which somebody wrote the keys leaves no trace."""
    one, other = a_claim(id="c"), a_claim(id="c")

    first = append(one, NOW, "a", "k", {"b": [1, 2.5], "a": "ü"})
    second = append(other, NOW, "a", "k", {"a": "ü", "b": [1, 2.5]})

    assert first == second
    assert first.body == '{"a":"ü","b":[1,2.5]}'


def test_one_moment_has_one_spelling() -> None:
    """UTC with microseconds, from whatever zone, in any year."""
    moment = datetime(2026, 3, 10, 13, 0, tzinfo=timezone(timedelta(hours=2)))

    assert instant(moment) == instant(moment.astimezone(UTC)) == "2026-03-10T11:00:00.000000Z"
    assert instant(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
kinds = texts.map(lambda kind: kind.replace("\n", ""))
actions = st.tuples(texts, kinds, st.dictionaries(texts, texts, max_size=3))


@given(
    said=st.lists(actions, min_size=1, max_size=6),
    place=st.integers(min_value=0),
    field=st.sampled_from(["at", "actor", "kind", "body", "hash", "seq", "subject_id"]),
    data=st.data(),
)
def test_any_single_change_breaks_any_chain(
    said: list[tuple[str, str, dict[str, str]]], place: int, field: str, data: st.DataObject
) -> None:
    """Whatever was recorded, and whatever one field is changed to, the replay stops there."""
    claim = a_claim()
    chain = [append(claim, NOW, actor, kind, body) for actor, kind, body in said]
    assert first_broken(chain) is None

    place %= len(chain)
    before = getattr(chain[place], field)
    values = st.integers() if field == "seq" else st.binary(min_size=32, max_size=32).map(bytes.hex)
    strategy = values if field in ("seq", "hash") else texts
    chain[place] = replace(chain[place], **{field: data.draw(strategy.filter(lambda value: value != before))})

    assert first_broken(chain) is chain[place]
