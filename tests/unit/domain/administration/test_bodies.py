"""The bodies of administrative acts, as they are hashed: what is on record stays readable."""

import json
from pathlib import Path

from domain.administration.things import thing_id
from domain.events import KINDS, read, replay
from tests.builders import NOW
from tests.unit.domain.administration.acts import ACTS

WRITTEN = Path(__file__).parent / "bodies.jsonl"


def test_bodies_are_written_as_they_were() -> None:
    """Each line has the kind of an act and its body."""
    written = [
        json.dumps({"kind": act.KIND, "body": act.body()}, sort_keys=True, ensure_ascii=False) for act, _ in ACTS
    ]

    assert WRITTEN.read_text().splitlines() == written


def test_an_act_leads_to_the_thing_that_it_states() -> None:
    """First in a chain or later: a chain may begin with any."""
    for act, _ in ACTS:
        again = read(act.KIND, act.body())
        thing = replay(None, "7", again, NOW, "ada")

        assert act.of(thing).body() == act.body()
        assert replay(thing, "7", again, NOW, "ada").version == 2


def test_no_secret_stands_in_an_act() -> None:
    """Tokens and URLs are there as digests."""
    stated = {name for act, _ in ACTS for name in act.body()}

    assert not stated & {"url", "token", "body", "edited", "content"}
    assert {act.KIND for act, _ in ACTS} == {kind for kind in KINDS if kind.startswith("administration.")}


def test_the_same_name_has_the_same_id() -> None:
    """Of one kind; it follows from the name for ever."""
    assert thing_id("token", "rita") == "3a28af18-61f0-5cea-bc32-b93db23da7cd"
    assert thing_id("policy", "rita") != thing_id("token", "rita")
