"""What lies in quarantine is taken in after all, or discarded: once, and on record."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.claims.queries import Reports
from adapters.postgres.field.reconciliation import ReconciliationQueries
from adapters.postgres.store import PostgresStore
from adapters.rabbitmq.batch_codec import from_batch
from domain.errors import Conflict, MalformedMessage, NotAllowed, NotFound, TransientError
from domain.field.batch import Batch
from domain.ports.store import Identity, Transaction
from ingest.cloudevents import decode as wire
from ingest.cloudevents.ledger import LedgerEntries
from ingest.cloudevents.types import USAGE_RECORDED
from tests.builders import NOW, a_fault, a_key, a_quarantined, a_usage_record, an_event
from tests.integration.parts import PATIENCE_SECONDS, Spotclaim
from tests.servers.waiting import wait_until
from workers.audit.verify import audit
from workers.health.reconcile import reconcile

WHO = Identity("Ada", "operator")
BAD = an_event({"spot_id": "E1"}, id="m-1")
MENDED = orjson.dumps(an_event(id="m-1"))


def put(spotclaim: Spotclaim, body: bytes) -> str:
    """Sends bytes that are refused; returns their key."""
    batch = Batch()
    wire.ingest_message(batch, body, wire.Reception(NOW, "rabbitmq", "controller-7"))
    spotclaim.intake(batch)
    return batch.quarantined[0].key


def entry(spotclaim: Spotclaim, key: str) -> dict[str, Any]:
    found = Reports(spotclaim.engine).find_quarantined(key[:12])
    assert found is not None
    return found


def faults(spotclaim: Spotclaim) -> list[tuple[str, str, str]]:
    rows = spotclaim.rows("SELECT source, message_id, filed_by FROM faults")
    return [(row["source"], row["message_id"], row["filed_by"]) for row in rows]


def test_an_edited_message_becomes_its_claim(spotclaim: Spotclaim) -> None:
    """As the message that it was, with who mended it, when and why."""
    key = put(spotclaim, orjson.dumps(BAD))

    assert spotclaim.quarantine.replay(key, WHO, MENDED, "the error was missing")

    assert faults(spotclaim) == [("controller:7", "m-1", "controller-7")]
    assert [claim["fault_count"] for claim in spotclaim.claims()] == [1]
    kept = entry(spotclaim, key)
    assert (kept["state"], kept["settled_by"], kept["settled_why"], kept["settled_at"]) == (
        "replayed",
        "Ada",
        "the error was missing",
        NOW,
    )
    assert (bytes(kept["body"]), bytes(kept["edited"])) == (orjson.dumps(BAD), MENDED)


def test_who_edits_a_message_files_it_as_well(spotclaim: Spotclaim) -> None:
    """Everybody who did, also in a replay that was refused; the claim's opening says so, with what came."""
    key = put(spotclaim, orjson.dumps(BAD))
    with pytest.raises(MalformedMessage):
        spotclaim.quarantine.replay(key, replace(WHO, name="Eve"), orjson.dumps(BAD | {"data": {}}))

    spotclaim.quarantine.replay(key, WHO, MENDED)

    [claim] = spotclaim.claims()
    assert (claim["filed_by"], claim["also_filed_by"]) == ("controller-7", ["Ada", "Eve"])
    opened = json.loads(spotclaim.events(claim["id"])[0].body)
    [edit] = opened["edited"].values()
    assert edit == {"by": ["Eve", "Ada"], "original": sha256(orjson.dumps(BAD)).hexdigest()}
    spotclaim.demand_sound_chains()


def test_who_edits_a_usage_record_files_the_claim_that_rests_on_it(spotclaim: Spotclaim, engine: Engine) -> None:
    """The verdict names them with what came; of claims that rest on other records they may decide."""
    spotclaim.take_in(faults=[a_fault(spot_id="E7", session_id="s-7"), a_fault(spot_id="E8", session_id="s-8")])
    ended = {"started_at": "2026-03-10T10:00:00Z", "ended_at": "2026-03-10T11:00:00Z"}
    record = {"spot_id": "E7", "session_id": "s-7", "energy_kwh": -8.0} | ended
    original = orjson.dumps(an_event(record | {"energy_kwh": "x"}, id="u-1", type=USAGE_RECORDED))
    key = put(spotclaim, original)

    mended = orjson.dumps(an_event(record, id="u-1", type=USAGE_RECORDED))
    spotclaim.quarantine.replay(key, WHO, mended)
    spotclaim.take_in(usage=[a_usage_record(spot_id="E8", session_id="s-8", energy_kwh=-8.0)])
    spotclaim.carry_out()

    claims = {claim["spot_id"]: claim for claim in spotclaim.claims()}
    assert (claims["E7"]["also_filed_by"], claims["E8"]["also_filed_by"]) == ([WHO.name], [])
    facts = spotclaim.verdict(claims["E7"])["answers"][-1]["facts"]
    assert facts["edited"] == {"by": [WHO.name], "original": sha256(original).hexdigest()}
    spotclaim.demand_sound_chains()
    with open_snapshot(engine) as snapshot:
        assert audit(snapshot).findings == []


def test_who_replays_a_message_as_it_came_files_nothing(spotclaim: Spotclaim) -> None:
    """The words are the sender's."""
    row = a_quarantined(MENDED)
    spotclaim.take_in(quarantined=[row])

    spotclaim.quarantine.replay(row.key, WHO)

    [claim] = spotclaim.claims()
    assert claim["also_filed_by"] == []
    assert "edited" not in json.loads(spotclaim.events(claim["id"])[0].body)


@pytest.mark.parametrize("door", ["import", "ocpp"])
def test_a_row_or_a_frame_is_no_event(spotclaim: Spotclaim, door: str) -> None:
    """Its reason stays the one that helps; the event that it should have been may be replayed in its place."""
    row = a_quarantined(b"S1;yesterday;9 kWh", door=door, reason="MISSING_FIELD")
    spotclaim.take_in(quarantined=[row])

    with pytest.raises(Conflict, match="is no event"):
        spotclaim.quarantine.replay(row.key, WHO)
    assert (entry(spotclaim, row.key)["state"], entry(spotclaim, row.key)["reason"]) == ("open", "MISSING_FIELD")

    assert spotclaim.quarantine.replay(row.key, WHO, orjson.dumps(an_event(id="row-1")))
    assert entry(spotclaim, row.key)["state"] == "replayed"


def test_what_follows_for_the_claim_is_done(spotclaim: Spotclaim) -> None:
    """A replayed fault is checked and routed as any other."""
    spotclaim.quarantine.replay(put(spotclaim, orjson.dumps(BAD)), WHO, MENDED)

    spotclaim.carry_out()

    assert spotclaim.claims()[0]["status"] != "submitted"
    spotclaim.demand_sound_chains()


def test_a_message_is_replayed_once(spotclaim: Spotclaim) -> None:
    """Whatever the second edit says."""
    key = put(spotclaim, orjson.dumps(BAD))
    spotclaim.quarantine.replay(key, WHO, MENDED)

    with pytest.raises(Conflict, match="replayed by Ada at 2026-03-10 12:00 UTC"):
        spotclaim.quarantine.replay(key, WHO, orjson.dumps(an_event(id="m-1", time="2026-03-10T10:00:00Z")))
    assert len(faults(spotclaim)) == 1


def test_two_who_replay_at_once_take_it_in_once(spotclaim: Spotclaim) -> None:
    """Eight, each with an edit of their own."""
    key = put(spotclaim, orjson.dumps(BAD))
    edits = [orjson.dumps(an_event(id="m-1", time=f"2026-03-10T10:0{n}:00Z")) for n in range(8)]

    def replay(edited: bytes) -> bool:
        try:
            return spotclaim.quarantine.replay(key, WHO, edited)
        except Conflict:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(replay, edits)) == 1
    assert len(faults(spotclaim)) == 1


def test_a_duplicate_of_what_is_there_changes_nothing(spotclaim: Spotclaim) -> None:
    """The controller had sent it again meanwhile, mended."""
    key = put(spotclaim, orjson.dumps(BAD))
    batch = Batch()
    wire.ingest_message(batch, MENDED, wire.Reception(NOW, "rabbitmq", "controller-7"))
    spotclaim.intake(batch)

    assert not spotclaim.quarantine.replay(key, WHO, MENDED)

    assert [claim["fault_count"] for claim in spotclaim.claims()] == [1]
    assert entry(spotclaim, key)["state"] == "replayed"


def test_what_is_refused_again_stays_with_the_new_reason(spotclaim: Spotclaim) -> None:
    """The original bytes stay as they came; what was tried is kept beside them."""
    key, tried = put(spotclaim, b"nonsense"), orjson.dumps(BAD)

    with pytest.raises(MalformedMessage):
        spotclaim.quarantine.replay(key, WHO, tried)

    kept = entry(spotclaim, key)
    assert (kept["state"], kept["reason"], bytes(kept["body"])) == ("open", "MISSING_FIELD", b"nonsense")
    assert bytes(kept["edited"]) == tried
    assert spotclaim.quarantine.replay(key, WHO, MENDED)


def test_an_unchanged_message_is_taken_in_once_it_is_understood(spotclaim: Spotclaim) -> None:
    """It was refused by a door that knew less; usage as well as faults."""
    usage = orjson.dumps(an_event({"spot_id": "E1", "session_id": "s"}, type="spotclaim.usage.recorded.v1"))
    spotclaim.take_in(quarantined=[a_quarantined(usage), a_quarantined(MENDED)])

    for row in Reports(spotclaim.engine).list_quarantine():
        assert spotclaim.quarantine.replay(row["key"], WHO)

    assert spotclaim.value("SELECT count(*) FROM usage_records") == 1
    assert len(faults(spotclaim)) == 1
    assert Reports(spotclaim.engine).list_quarantine(state="open") == []


def test_a_message_of_which_only_the_beginning_was_kept_must_be_given(spotclaim: Spotclaim) -> None:
    """Half a message is none."""
    spotclaim.take_in(quarantined=[kept := a_quarantined(b"{", size=5_000_000)])

    with pytest.raises(Conflict, match="Only 1 of its 5000000 bytes were kept"):
        spotclaim.quarantine.replay(kept.key, WHO)
    assert spotclaim.quarantine.replay(kept.key, WHO, MENDED)


def test_what_the_store_refuses_stays(spotclaim: Spotclaim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is there, and the reason names the store."""
    key = put(spotclaim, orjson.dumps(BAD))
    spotclaim.rows("ALTER TABLE faults ADD CONSTRAINT nothing CHECK (spot_id <> 'DE*ABC*E1')")
    try:
        with pytest.raises(MalformedMessage) as refused:
            spotclaim.quarantine.replay(key, WHO, MENDED)
    finally:
        spotclaim.rows("ALTER TABLE faults DROP CONSTRAINT nothing")

    assert (refused.value.code, entry(spotclaim, key)["reason"]) == ("NOT_STORABLE", "NOT_STORABLE")
    assert (faults(spotclaim), spotclaim.claims()) == ([], [])
    assert spotclaim.quarantine.replay(key, WHO, MENDED)


def test_what_the_store_once_refused_is_replayed_as_it_was_understood(spotclaim: Spotclaim) -> None:
    """Its bytes are gone; nobody can edit what no door would check."""
    batch = Batch()
    wire.ingest_message(batch, MENDED, wire.Reception(NOW, "rabbitmq", "controller-7"))
    body = orjson.dumps(from_batch(batch))
    spotclaim.take_in(quarantined=[kept := a_quarantined(body, door="worker", reason="NOT_STORABLE")])

    with pytest.raises(Conflict, match="replayed as it was"):
        spotclaim.quarantine.replay(kept.key, WHO, MENDED)
    assert spotclaim.quarantine.replay(kept.key, WHO)
    assert faults(spotclaim) == [("controller:7", "m-1", "controller-7")]


def test_a_discarded_message_stays_on_record(spotclaim: Spotclaim) -> None:
    """It is listed no more, and cannot be replayed."""
    key = put(spotclaim, b"nonsense")

    spotclaim.quarantine.discard(key, WHO, "a test by the installer")

    reports = Reports(spotclaim.engine)
    assert reports.list_quarantine(state="open") == []
    [kept] = reports.list_quarantine(state="discarded")
    assert (kept["settled_by"], kept["settled_why"]) == ("Ada", "a test by the installer")
    with pytest.raises(Conflict, match="discarded by Ada"):
        spotclaim.quarantine.replay(key, WHO, MENDED)


def test_bytes_that_come_again_stay_settled(spotclaim: Spotclaim) -> None:
    """They are counted, and whoever dealt with them is not asked again."""
    key = put(spotclaim, b"nonsense")
    spotclaim.quarantine.discard(key, WHO, "noise")
    put(spotclaim, b"nonsense")

    kept = entry(spotclaim, key)
    assert (kept["state"], kept["times"]) == ("discarded", 2)


def test_auditors_only_read(spotclaim: Spotclaim) -> None:
    """They neither replay nor discard."""
    key, auditor = put(spotclaim, b"nonsense"), Identity("Eve", "auditor")
    with pytest.raises(NotAllowed):
        spotclaim.quarantine.replay(key, auditor, MENDED)
    with pytest.raises(NotAllowed):
        spotclaim.quarantine.discard(key, auditor, "because")
    assert entry(spotclaim, key)["state"] == "open"


def test_what_is_not_there_is_not_found(spotclaim: Spotclaim) -> None:
    """Nor made."""
    with pytest.raises(NotFound):
        spotclaim.quarantine.replay(a_key("nothing"), WHO, MENDED)


def test_a_replayed_message_is_no_surprise_to_reconciliation(spotclaim: Spotclaim) -> None:
    """Its publisher was confirmed other bytes; they are neither lost nor doubled."""
    key = put(spotclaim, orjson.dumps(BAD))
    known = LedgerEntries(attempts=[key], confirmed={key}, sources={"controller:7"})
    spotclaim.quarantine.replay(key, WHO, MENDED)

    result = reconcile(ReconciliationQueries(spotclaim.engine), None, known, patience_seconds=0)
    assert result.clean
    counted = reconcile(ReconciliationQueries(spotclaim.engine), None, None, patience_seconds=0)
    assert (counted.in_database, counted.in_quarantine) == (1, 0)


def test_open_messages_are_a_figure_by_reason(spotclaim: Spotclaim) -> None:
    """Settled ones are not in it."""
    for body in (b"one", b"two", orjson.dumps(BAD)):
        key = put(spotclaim, body)
    spotclaim.quarantine.replay(key, WHO, MENDED)

    assert Reports(spotclaim.engine).figures()["quarantine_open"] == [(("NOT_JSON",), 2)]


class CutStore:
    """The real store, of which one transaction is cut off just before or just after its commit."""

    def __init__(self, engine: Engine, *, after: bool) -> None:
        self._store, self._after = PostgresStore(engine), after

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._store.transaction() as transaction:
            yield transaction
            if not self._after:
                raise TransientError("cut off")
        raise TransientError("cut off")


@pytest.mark.parametrize("after", [False, True])
def test_a_replay_that_was_cut_off_is_whole_or_nothing(
    spotclaim: Spotclaim, set_up: Callable[..., Spotclaim], engine: Engine, after: bool
) -> None:
    """Whoever got no answer asks again: one fault in either case."""
    key = put(spotclaim, orjson.dumps(BAD))
    cut = set_up(store=CutStore(engine, after=after))
    with pytest.raises(TransientError):
        cut.quarantine.replay(key, WHO, MENDED)

    assert (entry(spotclaim, key)["state"], len(faults(spotclaim))) == (("replayed", 1) if after else ("open", 0))
    if after:
        with pytest.raises(Conflict):
            spotclaim.quarantine.replay(key, WHO, MENDED)
    else:
        spotclaim.quarantine.replay(key, WHO, MENDED)
    assert len(faults(spotclaim)) == 1


def test_a_replay_that_is_killed_leaves_the_message_open(
    spotclaim: Spotclaim, emptied_database_url: str, tmp_path: Any
) -> None:
    """kill -9 of the command between taking the message in and settling it; the next replay is the only one."""
    key = put(spotclaim, orjson.dumps(BAD))
    (tmp_path / "mended.json").write_bytes(MENDED)
    with spotclaim.engine.begin() as held:
        held.exec_driver_sql("LOCK TABLE faults IN SHARE MODE")
        command = [
            sys.executable,
            "-c",
            "from workers.cli import main; main()",
            "quarantine",
            "replay",
            key[:8],
            "--file",
        ]
        environment = os.environ | {
            "SPOTCLAIM_DATABASE_URL": emptied_database_url,
            "SPOTCLAIM_DATA": str(tmp_path),
        }
        process = subprocess.Popen([*command, str(tmp_path / "mended.json")], env=environment)
        assert wait_until(lambda: spotclaim.waiting() > 0, PATIENCE_SECONDS)
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL

    assert wait_until(lambda: spotclaim.waiting() == 0, PATIENCE_SECONDS)
    assert (entry(spotclaim, key)["state"], faults(spotclaim)) == ("open", [])
    assert spotclaim.quarantine.replay(key, WHO, MENDED)
    assert len(faults(spotclaim)) == 1
