"""The import loop hands over what it reads in batches and accounts for every row."""

import base64
import json
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import MalformedMessage, TransientError
from domain.intake import Batch
from ingest.importer import Tally, run_import
from ingest.items import IGNORED, Item, Refused, Translated

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOGGED = datetime(2025, 10, 1, 8, tzinfo=UTC)


def spot(spot_id: str = "S1", **more: Any) -> dict[str, Any]:
    """A registration, the shortest event there is."""
    return {
        "specversion": "1.0",
        "source": "test",
        "id": spot_id,
        "type": "spotclaim.spot.registered.v1",
        "data": {"spot_id": spot_id} | more,
    }


def import_(items: list[Item], batch_size: int = 500) -> tuple[Tally, list[Batch], list[Tally]]:
    batches: list[Batch] = []
    heard: list[Tally] = []
    tally = run_import(items, batches.append, lambda: NOW, lambda tally: heard.append(replace(tally)), batch_size)
    return tally, batches, heard


def test_every_row_is_counted_once() -> None:
    """A row with several events is one row, and so is one of which an event fails."""
    # Given one row of each kind
    items = [
        Translated([spot("S1"), spot("S2")]),
        Translated([spot("S3"), spot("S4", max_power_kw="much")]),
        Refused(b"row", MalformedMessage("NOT_CSV", "Not CSV.")),
        IGNORED,
    ]
    # When they are imported
    tally, [batch], _ = import_(items)
    # Then the tally adds up, and every event that could be understood is there
    assert astuple(tally) == (4, 1, 2, 1)
    assert [each.spot_id for each in batch.spots] == ["S1", "S2", "S3"]
    assert len(batch.quarantined) == 2


def test_a_refused_row_is_quarantined_with_its_bytes() -> None:
    """The reason and the original, by the door it came."""
    _, [batch], _ = import_([Refused(b"a,\xff", MalformedMessage("NOT_UTF8", "The row is not UTF-8."))])
    [kept] = batch.quarantined
    assert base64.b64decode(kept.body) == b"a,\xff"
    assert (kept.reason, kept.sentence, kept.door) == ("NOT_UTF8", "The row is not UTF-8.", "import")


@pytest.mark.parametrize("odd", [-1, 10**30, "no number"])
def test_an_event_the_wire_refuses_is_quarantined_as_an_event(odd: Any) -> None:
    """Whatever it holds, so that it can be replayed."""
    event = spot("") | {"odd": odd}
    _, [batch], _ = import_([Translated([event])])
    assert json.loads(base64.b64decode(batch.quarantined[0].body)) == event


def test_messages_are_received_when_the_log_says_or_now() -> None:
    """Where the file tells no moment, the clock does."""
    _, [batch], _ = import_([Translated([spot("A")], LOGGED), Translated([spot("B")])])
    assert [each.received_at for each in batch.spots] == [LOGGED, NOW]


def test_batches_go_when_full_and_at_the_end() -> None:
    """A row's events stay together; the last batch holds what is left; ignored rows make no batch."""
    # Given seven rows, one with two events, and a batch size of three
    items: list[Item] = [Translated([spot(str(n))]) for n in range(6)]
    items.insert(2, Translated([spot("x"), spot("y")]))
    # When they are imported
    _, batches, heard = import_([*items, IGNORED, IGNORED], batch_size=3)
    # Then the sizes are these, and the last tally heard is the whole
    assert [len(batch) for batch in batches] == [4, 3, 1]
    assert heard[-1].read == 9


def test_progress_is_heard_where_nothing_is_handed_over() -> None:
    """A fortnight of heartbeats must not look like a standstill."""
    _, batches, heard = import_([IGNORED] * 10, batch_size=4)
    assert batches == []
    assert [tally.read for tally in heard] == [4, 8, 10]


def test_an_import_stops_where_nothing_can_be_made_durable() -> None:
    """The error reaches the caller, and no later batch is tried."""
    # Given a store that is away
    tried = []

    def fail(batch: Batch) -> None:
        tried.append(batch)
        raise TransientError("away")

    # When ten batches would be due
    with pytest.raises(TransientError, match="away"):
        run_import([Translated([spot(str(n))]) for n in range(10)], fail, lambda: NOW, lambda _: None, 1)
    # Then only the first was tried
    assert len(tried) == 1
