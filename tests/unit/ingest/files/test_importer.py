"""An import delivers what it reads in batches, once, and accounts for every row."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import FileDamaged, MalformedMessage, TransientError
from domain.field.batch import Batch
from ingest.files.importer import Importer, ImportTally
from ingest.files.items import IGNORED, Item, RefusedItem, Translated

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


class Recipient:
    """Keeps what is delivered, and knows it from then on."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.heard: list[ImportTally] = []

    def importer(self, batch_size: int = 500) -> Importer:
        def hear(tally: ImportTally) -> None:
            self.heard.append(replace(tally))

        return Importer(self.batches.append, self.known, lambda: NOW, hear, batch_size)

    def known(self, batch: Batch) -> set[str]:
        return keys(batch) & {key for taken in self.batches for key in keys(taken)}


def keys(batch: Batch) -> set[str]:
    return {message.key for message in (*batch.faults, *batch.usage, *batch.spots, *batch.quarantined)}


def import_(items: Iterable[Item], batch_size: int = 500) -> tuple[ImportTally, list[Batch], list[ImportTally]]:
    recipient = Recipient()
    tally = recipient.importer(batch_size).run(items)
    return tally, recipient.batches, recipient.heard


def test_every_row_is_counted_once() -> None:
    """A row with several events is one row, and so is one of which an event fails."""
    # Given one row of each kind
    items = [
        Translated([spot("S1"), spot("S2")]),
        Translated([spot("S3"), spot("S4", max_power_kw="much")]),
        RefusedItem(b"row", MalformedMessage("NOT_CSV", "Not CSV.")),
        IGNORED,
    ]
    # When they are imported
    tally, [batch], _ = import_(items)
    # Then the tally adds up, and every event that could be understood is there
    assert tally == ImportTally(read=4, accepted=1, refused=2, ignored=1)
    assert [each.spot_id for each in batch.spots] == ["S1", "S2", "S3"]
    assert len(batch.quarantined) == 2


def test_a_refused_row_is_quarantined_with_its_bytes() -> None:
    """The reason, the original and the endpoint."""
    _, [batch], _ = import_([RefusedItem(b"a,\xff", MalformedMessage("NOT_UTF8", "The row is not UTF-8."))])
    [kept] = batch.quarantined
    assert base64.b64decode(kept.body) == b"a,\xff"
    assert (kept.reason, kept.sentence, kept.door) == ("NOT_UTF8", "The row is not UTF-8.", "import")


@pytest.mark.parametrize("odd", [-1, 10**30, "no number"])
def test_an_event_the_wire_refuses_is_quarantined_as_an_event(odd: Any) -> None:
    """Whatever it holds, so that it can be replayed."""
    event = spot("") | {"odd": odd}
    _, [batch], _ = import_([Translated([event])])
    assert json.loads(base64.b64decode(batch.quarantined[0].body)) == event


def test_a_row_of_which_an_event_is_refused_is_quarantined_as_the_row() -> None:
    """Once, with its original bytes and its place in the file, however many of its events are refused."""
    # Given a row of three events, two of them wrong
    row = Translated([spot("S1"), spot(""), spot("S2", max_power_kw="much")], None, b"S1,,much\n", 17)
    # When it is imported
    tally, [batch], _ = import_([row])
    # Then the row is kept, and so is the event that is right
    [kept] = batch.quarantined
    assert base64.b64decode(kept.body) == b"S1,,much\n"
    assert kept.sentence.startswith("Row 17: ")
    assert [each.spot_id for each in batch.spots] == ["S1"]
    assert tally == ImportTally(read=1, refused=1)


def test_what_came_before_is_counted_and_not_handed_over() -> None:
    """Importing a file twice changes nothing, says so, and of one that has grown only the new rows go."""
    # Given a file that was imported
    recipient = Recipient()
    rows: list[Item] = [Translated([spot("S1")]), RefusedItem(b"x", MalformedMessage("NOT_CSV", "No.")), IGNORED]
    recipient.importer().run(rows)
    # When it is imported again, and then with one row more
    again = recipient.importer().run(rows)
    grown = recipient.importer().run([*rows, Translated([spot("S1"), spot("S2")])])
    # Then only that row's new event is delivered
    assert again == ImportTally(read=3, known=1, refused=1, ignored=1)
    assert grown == ImportTally(read=4, accepted=1, known=1, refused=1, ignored=1)
    assert [[each.spot_id for each in batch.spots] for batch in recipient.batches] == [["S1"], ["S2"]]


@pytest.mark.parametrize("batch_size", [1, 500])
def test_a_row_that_repeats_another_of_its_file_is_known(batch_size: int) -> None:
    """In one batch or in two."""
    tally, batches, _ = import_([Translated([spot("S1")]), Translated([spot("S1")])], batch_size)
    assert tally == ImportTally(read=2, accepted=1, known=1)
    assert len(batches) == 1


def test_what_stands_before_the_damage_is_imported() -> None:
    """The tally tells it, and the error reaches the caller."""

    # Given a file that cannot be read after its second row
    def items() -> Iterator[Item]:
        yield Translated([spot("S1")])
        yield Translated([spot("S2")])
        raise FileDamaged("cut short")

    # When it is imported
    recipient = Recipient()
    importer = recipient.importer()
    with pytest.raises(FileDamaged, match="cut short"):
        importer.run(items())
    # Then the two rows are in
    assert importer.tally == recipient.heard[-1] == ImportTally(read=2, accepted=2)
    assert len(recipient.batches[0].spots) == 2


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
    importer = Importer(fail, lambda _: set(), lambda: NOW, lambda _: None, 1)
    with pytest.raises(TransientError, match="away"):
        importer.run([Translated([spot(str(n))]) for n in range(10)])
    # Then only the first was tried, and no row is called durable
    assert len(tried) == 1
    assert importer.tally == ImportTally()
