"""`spotclaim verify`: what verification would find of a claim as things stand now. It changes nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from domain.eligibility.rules import RULES
from tests.builders import a_fault, a_spot, a_usage_record
from tests.integration.parts import Spotclaim
from workers.cli import app

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def verify(emptied_database_url: str, tmp_path: Path) -> Callable[..., Result]:
    """The command on the test's database."""
    environment = {
        "SPOTCLAIM_DATABASE_URL": emptied_database_url,
        "SPOTCLAIM_DATA": str(tmp_path),
        "SPOTCLAIM_POLICY": "lenient",
    }
    return lambda *arguments: CliRunner().invoke(app, ["verify", *map(str, arguments)], env=environment)


@pytest.fixture
def waiting(spotclaim: Spotclaim) -> dict[str, Any]:
    """A claim of yesterday that waits for its usage record."""
    spotclaim.clock.now = YESTERDAY
    spotclaim.take_in(faults=[a_fault(occurred_at=YESTERDAY)], spots=[a_spot(max_power_kw=22.0)])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    assert claim["status"] == "awaiting_evidence"
    return claim


def the_telling_record() -> Any:
    begin = YESTERDAY - timedelta(minutes=30)
    figures = {"energy_kwh": 90.0, "meter_start_kwh": 100.0, "meter_stop_kwh": 190.0}
    return a_usage_record(session_id="s-7", started_at=begin, ended_at=begin + timedelta(hours=1), **figures)


def everything(spotclaim: Spotclaim) -> list[Any]:
    """All of the claims; that a policy was loaded is an event of its own."""
    events = spotclaim.rows("SELECT * FROM audit_events WHERE subject_kind = 'claim' ORDER BY subject_id, seq")
    return [spotclaim.claims(), spotclaim.steps(), events]


def test_every_rule_is_shown_with_its_facts(
    spotclaim: Spotclaim, waiting: dict[str, Any], verify: Callable[..., Result]
) -> None:
    """The present verdict beside the one on record: meanwhile the usage record has come."""
    spotclaim.take_in(usage=[the_telling_record()])

    shown = verify(waiting["id"][-8:], "--explain", "--json")

    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert (found["claim"], found["status"]) == (waiting["id"], "awaiting_evidence")
    assert found["verdict_on_record"]["outcome"] == "insufficient"
    assert found["verdict"]["outcome"] == "eligible"
    assert [answer["rule"] for answer in found["verdict"]["answers"]] == [rule.__name__ for rule in RULES]
    usage = found["verdict"]["answers"][-1]
    assert (usage["reason"], usage["facts"]["session_id"]) == ("POWER_ABOVE_SPOT", "s-7")


def test_the_table_names_rule_reason_sentence_and_facts(
    spotclaim: Spotclaim, waiting: dict[str, Any], verify: Callable[..., Result]
) -> None:
    """Facts only with --explain."""
    spotclaim.take_in(usage=[the_telling_record()])

    short, whole = verify(waiting["id"]), verify(waiting["id"], "--explain")

    for words in (
        "pass",
        "usage_corroborates",
        "POWER_ABOVE_SPOT",
        "more than",
        "Now, by policy",
        "On record: insu",
    ):
        assert words in short.stdout
        assert words in whole.stdout
    assert "meter stop kwh 190.0" in whole.stdout
    assert "meter stop kwh 190.0" not in short.stdout


def test_it_changes_nothing(spotclaim: Spotclaim, waiting: dict[str, Any], verify: Callable[..., Result]) -> None:
    """No claim, no step, no audit event, whatever it finds."""
    spotclaim.take_in(usage=[the_telling_record()])
    before = everything(spotclaim)

    assert verify(waiting["id"], "--explain").exit_code == 0

    assert everything(spotclaim) == before


def test_another_policy_can_be_tried(
    waiting: dict[str, Any], verify: Callable[..., Result], tmp_path: Path
) -> None:
    """One under which the error is not covered."""
    text = files("domain.policy").joinpath("policy.yaml").read_text()
    other = tmp_path / "other.yaml"
    other.write_text(text.replace("METER_MISREAD: {", "METER_MISREAD: {covered: false, ", 1))

    found = json.loads(verify(waiting["id"], "--policy", other, "--json").stdout)

    reasons = {answer["rule"]: answer["reason"] for answer in found["verdict"]["answers"]}
    assert (found["verdict"]["outcome"], reasons["error_covered"]) == ("ineligible", "NOT_COVERED")


def test_a_claim_that_is_not_there_is_said(verify: Callable[..., Result]) -> None:
    """By the end of its id."""
    assert "No claim is called abcdef" in str(verify("abcdef").exception)
