"""The policy's file: every mistake is told at once, with its line."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from adapters.policy_file import load_policy
from domain.errors import SetupError

BUILT_IN = files("domain").joinpath("policy.yaml").read_text()

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        (tmp_path / "policy.yaml").write_text(text)
        return tmp_path / "policy.yaml"

    return written


def complaint(path: Path) -> str:
    with pytest.raises(SetupError) as told:
        load_policy(path)
    return str(told.value)


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(BUILT_IN.splitlines(), 1) if text in line)


def test_a_copy_of_the_built_in_policy_is_the_same_policy(write: Write) -> None:
    """Copying it is how an operator begins."""
    assert load_policy(write(BUILT_IN)) == load_policy()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "OTHER: {severity: low}",
            "OTHER: {severity: mild}",
            "codes.OTHER.severity: Input should be 'low'",
        ),
        ("low: [operator]", "low: []", "stages.low: List should have at least 1 item"),
        ("low: 336", "low: 0", "resolve_hours.low: Input should be greater than 0"),
        ("low: 336", "low: soon", "resolve_hours.low: Input should be a valid number"),
        (
            "evidence_wait_hours: 72",
            "evidence_wait_hours: -1",
            "eligibility.evidence_wait_hours: Input",
        ),
        (
            "unknown_spot_passes: true",
            "unknown_spot_passes: maybe",
            "unknown_spot_passes: Input should",
        ),
        ("to: [ops]}", "to: []}", "notifications.0.to: List should have at least 1 item"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(write: Write, before: str, after: str, told: str) -> None:
    """File, line, place and what would be right."""
    complained = complaint(write(BUILT_IN.replace(before, after, 1)))

    assert f"policy.yaml, line {line_of(before)}: " in complained
    assert told in complained
    assert "\n" not in complained


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("low: [operator]", "low: [king]", "role 'king' is unknown; there are operator, reviewer"),
        ("  OTHER: {severity: low}\n", "", "codes lacks OTHER"),
        ("OTHER: {severity: low}", "OTHR: {severity: low}", "code 'OTHR' is unknown"),
        ("  critical: 24\n", "", "resolve_hours lacks critical"),
        ("  low: [operator]\n", "", "stages lacks low"),
        ("claim.resolved", "claim.born", "event 'claim.born' is unknown"),
        ("severities: [high, critical]", "claim_types: [theft]", "claim type 'theft' is unknown"),
        ("unknown_spot_passes: true", "unknown_spots_pass: true", "unknown_spot_passes: Field required"),
    ],
)
def test_a_name_that_is_not_there_is_refused(write: Write, before: str, after: str, told: str) -> None:
    """A rule that names nothing would silently do nothing."""
    assert told in complaint(write(BUILT_IN.replace(before, after, 1)))


def test_all_mistakes_are_told_at_once(write: Write) -> None:
    """A line for each."""
    wrong = BUILT_IN.replace("low: 336", "low: 0").replace("low: [operator]", "low: []")

    lines = complaint(write(wrong)).splitlines()

    assert [line.split(": ")[1] for line in lines] == ["stages.low", "resolve_hours.low"]
    assert [line.split(",")[1].split(":")[0] for line in lines] == [
        f" line {line_of('low: [operator]')}",
        f" line {line_of('low: 336')}",
    ]


@pytest.mark.parametrize("text", ["", "just text", "[1, 2]", "a: [", "a: 1\n\tb: 2", "a: \x00"])
def test_what_is_no_policy_at_all_is_told_in_one_line(write: Write, text: str) -> None:
    """Empty, of another shape, or no YAML."""
    complained = complaint(write(text))

    assert "policy.yaml, line " in complained
    assert "\n" not in complained


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Somebody named the wrong file."""
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")

    assert "photo.jpg" in complaint(tmp_path / "photo.jpg")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With its name."""
    assert "missing.yaml" in complaint(tmp_path / "missing.yaml")
