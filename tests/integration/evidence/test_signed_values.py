"""Signed meter values from the source to the verdict: kept, verified by the pinned key, and judged again by it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from adapters.postgres.audit.snapshot import open_snapshot
from adapters.postgres.field.meter_keys import MeterKeys
from domain.errors import EvidenceRefused
from domain.field.signed_value import LONGEST_TEXT
from ingest.files.importer import Importer
from ingest.ocpp.reader import read_log
from tests.builders import FAULT_TIME, a_fault, a_policy, a_usage_record
from tests.integration.parts import Spotclaim
from tests.signed import Meter, a_reading, in_xml
from workers.audit.verify import audit
from workers.cli import app

SAMPLES = Path(__file__).parents[2] / "samples"
KEY = SAMPLES / "meter_key.pem"
METER, OTHER = Meter(), Meter()
NO_KEY = "A signature is not verified: no public key is pinned for the spot"
END = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def command(emptied_database_url: str, tmp_path: Path) -> Callable[..., Result]:
    """The command line on the test's database, in an installation where others carry out the steps."""
    environment = {
        "SPOTCLAIM_DATABASE_URL": emptied_database_url,
        "SPOTCLAIM_DATA": str(tmp_path),
        "SPOTCLAIM_POLICY": "lenient",
        "SPOTCLAIM_AMQP_URL": "amqp://nobody@127.0.0.1:1",
    }
    return lambda *words: CliRunner().invoke(app, list(map(str, words)), env=environment)


def billed(text: str | None = None, **changes: Any) -> Any:
    """A session of 31 kWh, with a signed text."""
    figures = {"session_id": "s-1", "energy_kwh": 31.0, "meter_stop_kwh": 131.0, "connector_id": 1}
    return a_usage_record(**(figures | {"signed": [{"text": text}] if text else None} | changes))


def complained(**changes: Any) -> Any:
    return a_fault(**({"session_id": "s-1", "connector_id": 1} | changes))


def verdict(spotclaim: Spotclaim) -> dict[str, Any]:
    """The latest verdict of the only claim, once nothing is left to do."""
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    events = [event for event in spotclaim.events(claim["id"]) if event.kind == "claim.verified"]
    return dict(json.loads(events[-1].body))


def answer(found: dict[str, Any], rule: str = "usage_corroborates") -> dict[str, Any]:
    [result] = [result for result in found["answers"] if result["rule"] == rule]
    return dict(result)


def test_a_log_with_signed_data_leads_to_the_disagreement(
    spotclaim: Spotclaim, command: Callable[..., Result]
) -> None:
    """Signed 11 kWh against 31 billed: said while nobody verified it, and decisive once the key is pinned."""
    spotclaim.clock.now = END + timedelta(hours=1)
    with (SAMPLES / "signed_ocpp.jsonl").open() as log:
        tally = Importer(spotclaim.intake, lambda _: set(), spotclaim.clock, lambda _: None).run(read_log(log))
    assert (tally.accepted, tally.refused) == (2, 0)
    spotclaim.take_in(faults=[a_fault(spot_id="CH-018", session_id="77", connector_id=1, occurred_at=END)])

    before = verdict(spotclaim)
    assert (before["outcome"], answer(before)["reason"]) == ("insufficient", "NO_SOUND_WITNESS")
    assert answer(before)["facts"]["findings"] == ["SIGNATURE_UNVERIFIED", "SIGNED_VALUE_DISAGREES"]
    assert "Its meter signed 11 kWh (100 to 111 kWh); the record states 31 kWh." in answer(before)["sentence"]

    pinned = command("spots", "key", "CH-018", "--public-key", KEY, "--reason", "from the meter's plate")
    assert pinned.exit_code == 0, pinned.output
    after = verdict(spotclaim)
    assert (after["outcome"], answer(after)["reason"]) == ("eligible", "SIGNED_VALUE_DISAGREES")
    assert "states 31 kWh, while its meter signed 11 kWh (100 to 111 kWh)" in answer(after)["sentence"]
    assert answer(after)["facts"]["signatures"] == ["verified"]
    row = spotclaim.rows("SELECT samples, meter_stop_kwh, findings FROM usage_records")
    assert row == [{"samples": [], "meter_stop_kwh": 131.0, "findings": []}]


def test_a_key_is_shown_replaced_and_removed_on_record(
    spotclaim: Spotclaim, command: Callable[..., Result], engine: Engine
) -> None:
    """Whoever wants to know sees which it was, from whom and why; each act has the claims verified again."""
    spotclaim.take_in(usage=[billed(METER.session())], faults=[complained()])
    assert NO_KEY in answer(verdict(spotclaim))["sentence"]

    def act(*words: str) -> tuple[Result, dict[str, Any]]:
        done = command("spots", "key", "DE*ABC*E1", *words)
        assert done.exit_code == 0, done.output
        return done, answer(verdict(spotclaim))

    _, found = act("--public-key", OTHER.key, "--reason", "a mistake")
    assert found["facts"]["findings"] == ["SIGNATURE_INVALID"]
    shown, found = act("--public-key", METER.pem.decode(), "--reason", "the right one")
    assert found["reason"] == "SIGNED_VALUE_DISAGREES"
    assert METER.key in shown.stdout.splitlines()[0]
    assert "replaced: the right one" in shown.stdout
    removed, found = act("--remove", "--reason", "the meter is gone")
    assert NO_KEY in found["sentence"]
    assert "No public key is pinned for DE*ABC*E1." in removed.stdout
    rows = json.loads(command("spots", "key", "DE*ABC*E1", "--json").stdout)
    assert [(row["public_key"], row["removed_why"]) for row in rows] == [
        (METER.key, "the meter is gone"),
        (OTHER.key, "replaced: the right one"),
    ]
    kinds = spotclaim.rows("SELECT kind FROM audit_events WHERE kind LIKE 'administration.meter%%' ORDER BY at")
    assert [row["kind"].rpartition("_")[2] for row in kinds].count("pinned") == 2
    with open_snapshot(engine) as record:
        assert audit(record).findings == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--public-key", "hello", "--reason", "x"], "That is no public key"),
        (["--public-key", METER.key], "Say why, with --reason"),
        (["--remove", "--reason", " "], "Say why, with --reason"),
        (["--remove", "--public-key", METER.key, "--reason", "x"], "not both"),
        (["--remove", "--reason", "x"], "No public key is pinned for the whole of spot DE*ABC*E1."),
        (["--remove", "--connector", "2", "--reason", "x"], "No public key is pinned for connector 2 of spot"),
    ],
)
def test_what_cannot_be_done_with_a_key_is_said(
    spotclaim: Spotclaim, command: Callable[..., Result], words: list[str], said: str
) -> None:
    """And nothing is changed."""
    answered = command("spots", "key", "DE*ABC*E1", *words)

    assert answered.exit_code != 0
    assert said in str(answered.exception)
    assert spotclaim.rows("SELECT * FROM meter_keys") == []


@pytest.mark.parametrize("order", list(permutations(["record", "fault", "key"])), ids=" ".join)
def test_order_does_not_matter(spotclaim: Spotclaim, engine: Engine, order: tuple[str, ...]) -> None:
    """Whatever comes first, and whatever was judged in between."""
    brings: dict[str, Callable[[], None]] = {
        "record": lambda: spotclaim.take_in(usage=[billed(METER.session())]),
        "fault": lambda: spotclaim.take_in(faults=[complained()]),
        "key": lambda: MeterKeys(engine).pin("DE*ABC*E1", 0, METER.key, "the plate", "ada"),
    }
    for part in order:
        brings[part]()
        spotclaim.carry_out()

    assert answer(verdict(spotclaim))["reason"] == "SIGNED_VALUE_DISAGREES"
    [claim] = spotclaim.claims()
    assert claim["status"] == "under_review"


def test_each_connector_may_have_a_meter(spotclaim: Spotclaim, engine: Engine) -> None:
    """Its key counts before that of the whole spot."""
    keys = MeterKeys(engine)
    keys.pin("DE*ABC*E1", 0, OTHER.key, "the station", "ada")
    keys.pin("DE*ABC*E1", 2, METER.key, "the second meter", "ada")
    spotclaim.take_in(usage=[billed(METER.session(), connector_id=2)], faults=[complained(connector_id=2)])

    assert answer(verdict(spotclaim))["reason"] == "SIGNED_VALUE_DISAGREES"


def test_only_the_claims_of_the_spot_are_verified_again(spotclaim: Spotclaim, engine: Engine) -> None:
    """And only what nobody has decided."""
    spotclaim.take_in(usage=[billed(METER.session())], faults=[complained(), complained(spot_id="E2")])
    spotclaim.carry_out()

    MeterKeys(engine).pin("DE*ABC*E1", 0, METER.key, "the plate", "ada")

    [step] = [
        step for step in spotclaim.steps() if step["kind"] == "verify" and step["due_at"] < FAULT_TIME.now(UTC)
    ]
    spots = {claim["id"]: claim["spot_id"] for claim in spotclaim.claims()}
    assert [spots[subject] for subject in step["subject_ids"]] == ["DE*ABC*E1"]


class TestEvidence:
    """Signed values that come with a fault, or that somebody files."""

    def test_with_a_fault_it_is_verified_and_decides(self, spotclaim: Spotclaim, engine: Engine) -> None:
        """The record has none of its own."""
        MeterKeys(engine).pin("DE*ABC*E1", 0, METER.key, "the plate", "ada")
        piece = {"kind": "signed_meter_value", "format": "OCMF", "text": METER.session()}
        spotclaim.take_in(usage=[billed()], faults=[complained(evidence=[piece])])

        found = verdict(spotclaim)
        assert (found["outcome"], answer(found)["reason"]) == ("eligible", "SIGNED_VALUE_DISAGREES")
        with open_snapshot(engine) as record:
            assert audit(record).findings == []

    def test_it_is_verified_when_it_is_filed_and_when_it_is_withdrawn(
        self, spotclaim: Spotclaim, engine: Engine
    ) -> None:
        """Each time the claim is judged again."""
        MeterKeys(engine).pin("DE*ABC*E1", 0, METER.key, "the plate", "ada")
        spotclaim.take_in(usage=[billed(findings=["OVER_24_HOURS"])], faults=[complained()])
        assert verdict(spotclaim)["outcome"] == "insufficient"
        [claim] = spotclaim.claims()
        data = {"format": "OCMF", "text": METER.session()}

        item, _ = spotclaim.desk.add(claim["id"], "signed_meter_value", who="rita", role="operator", data=data)
        assert answer(verdict(spotclaim))["reason"] == "SIGNED_VALUE_DISAGREES"

        spotclaim.desk.withdraw(claim["id"], item.id, who="rita", role="operator", reason="another meter")
        assert verdict(spotclaim)["outcome"] == "insufficient"

    def test_the_file_of_transparency_software_is_filed_as_its_text(
        self, spotclaim: Spotclaim, engine: Engine, command: Callable[..., Result], tmp_path: Path
    ) -> None:
        """By command; with more of XML around it than other evidence may have."""
        MeterKeys(engine).pin("DE*ABC*E1", 0, METER.key, "the plate", "ada")
        spotclaim.take_in(usage=[billed()], faults=[complained()])
        spotclaim.carry_out()
        file = tmp_path / "values.xml"
        file.write_text(in_xml(METER.session(), METER.key).replace("<values>", f"<values><!--{'x' * 20_000}-->"))
        [claim] = spotclaim.claims()

        added = command("evidence", "add", claim["id"], "--kind", "signed_meter_value", "--file", file)

        assert added.exit_code == 0, added.output
        assert f"OCMF, {len(file.read_text()):,} characters" in command("evidence", "list", claim["id"]).stdout
        assert answer(verdict(spotclaim))["reason"] == "SIGNED_VALUE_DISAGREES"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (METER.session(), NO_KEY),
            ("OCMF|{}|{}", "A signed value is invalid: it cannot be read as OCMF"),
        ],
        ids=["unverified", "invalid"],
    )
    def test_what_is_not_verified_is_said_and_shakes_nothing(
        self, spotclaim: Spotclaim, text: str, said: str
    ) -> None:
        """Nobody keeps a claim alive by a text that proves nothing."""
        piece = {"kind": "signed_meter_value", "format": "OCMF", "text": text}
        spotclaim.take_in(usage=[billed()], faults=[complained(evidence=[piece])])

        found = verdict(spotclaim)
        assert (found["outcome"], answer(found)["reason"]) == ("ineligible", "USAGE_CONSISTENT")
        assert said in answer(found, "evidence_complete")["sentence"]

    def test_it_satisfies_a_demand_for_it(self, set_up: Callable[..., Spotclaim], engine: Engine) -> None:
        """With the record or filed; invalid it is none, which a key shows."""
        policy = a_policy()
        code = replace(policy.codes["METER_MISREAD"], evidence=("signed_meter_value",))
        spotclaim = set_up(policy=replace(policy, codes={**policy.codes, "METER_MISREAD": code}))
        spotclaim.take_in(usage=[billed()], faults=[complained()])
        assert answer(verdict(spotclaim), "evidence_complete")["facts"]["missing"] == ["signed_meter_value"]
        [claim] = spotclaim.claims()

        spotclaim.take_in(usage=[billed(METER.session(end=131.0), recorded_at=FAULT_TIME + timedelta(hours=2))])
        assert answer(verdict(spotclaim), "evidence_complete")["result"] == "pass"
        assert spotclaim.desk.on_file(claim["id"]).missing == []

        MeterKeys(engine).pin("DE*ABC*E1", 0, OTHER.key, "the plate", "ada")
        assert answer(verdict(spotclaim), "evidence_complete")["result"] == "insufficient"
        assert spotclaim.desk.on_file(claim["id"]).missing == ["signed_meter_value"]

    @pytest.mark.parametrize(
        ("data", "pointer"),
        [
            ({"text": "OCMF|{}|{}"}, "/data/format"),
            ({"format": "OCMF"}, "/data/text"),
            ({"format": "OCMF", "text": " "}, "/data/text"),
            ({"format": "OCMF", "text": "x" * (LONGEST_TEXT + 1)}, "/data/text"),
        ],
    )
    def test_a_text_and_its_format_are_demanded(
        self, spotclaim: Spotclaim, data: dict[str, Any], pointer: str
    ) -> None:
        """Whoever brings it."""
        spotclaim.take_in(faults=[complained()])
        [claim] = spotclaim.claims()

        with pytest.raises(EvidenceRefused) as refused:
            spotclaim.desk.add(claim["id"], "signed_meter_value", who="rita", role="operator", data=data)
        assert refused.value.pointer == pointer


def test_records_that_no_claim_asked_about_are_held_against_their_rows(
    spotclaim: Spotclaim, engine: Engine
) -> None:
    """What a verdict states of a neighbour, or of a session that was in the way, has the digest of its row."""
    before = {"started_at": FAULT_TIME - timedelta(hours=3), "ended_at": FAULT_TIME - timedelta(hours=2)}
    signed = [{"text": METER.session()}, {"text": "Zähler"}]
    neighbour = billed(session_id="s-0", signed=signed, meter_start_kwh=150.0, meter_stop_kwh=181.0, **before)
    record = billed(signed=signed, meter_stop_kwh=131.0)
    occupied = complained(raw_code="SPOT_OCCUPIED", session_id=None)
    spotclaim.take_in(usage=[neighbour, record], faults=[complained(raw_code="METER_REGRESSION"), occupied])
    spotclaim.carry_out()

    stated = [
        one
        for claim in spotclaim.claims()
        for event in spotclaim.events(claim["id"])
        if event.kind == "claim.verified"
        for facts in (answer(json.loads(event.body))["facts"],)
        for one in (facts, facts.get("other", {}))
    ]
    assert [one.get("session_id") for one in stated if "digest" in one].count("s-1") == 2
    assert "s-0" in [one.get("session_id") for one in stated if "digest" in one]
    with open_snapshot(engine) as snapshot:
        assert audit(snapshot).findings == []


def test_hostile_texts_stop_no_step(spotclaim: Spotclaim, engine: Engine) -> None:
    """All of them on one record, and a claim that gets its verdict all the same."""
    MeterKeys(engine).pin("DE*ABC*E1", 0, METER.key, "the plate", "ada")
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><values>&b;</values>'
    texts = [laughs, f"OCMF|{'[' * 15_000}|{{}}", "<a>" * 5000, "�" * 1000, "4F" * 9000]
    signed = [{"text": text, "format": "OCMF"} for text in texts]
    future = METER.signs(a_reading("B", 1e308, datetime(9999, 12, 31, 23, tzinfo=UTC)))
    spotclaim.take_in(usage=[billed(signed=[*signed, {"text": future}])], faults=[complained()])

    found = answer(verdict(spotclaim))

    assert (found["reason"], found["facts"]["findings"]) == (
        "NO_SOUND_WITNESS",
        ["SIGNATURE_INVALID", "SIGNATURE_UNVERIFIED"],
    )
