"""The policy file: all mistakes are reported together, each with its line."""

from collections.abc import Callable
from datetime import date, time
from importlib.resources import files
from pathlib import Path

import pytest

from adapters.policy.reader import load_policy, read_policy, restore_policy
from domain.errors import SetupError
from domain.policy.policy import GroupPolicy, NotificationRule

BUILT_IN = files("domain.policy").joinpath("policy.yaml").read_text()

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        (tmp_path / "policy.yaml").write_text(text)
        return tmp_path / "policy.yaml"

    return written


def complaint(path: Path) -> str:
    with pytest.raises(SetupError) as raised:
        load_policy(path)
    return str(raised.value)


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(BUILT_IN.splitlines(), 1) if text in line)


def test_a_copy_of_the_built_in_policy_is_the_same_policy(write: Write) -> None:
    """Copying it is how an operator begins."""
    assert load_policy(write(BUILT_IN)) == load_policy()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "OTHER: {severity: low,",
            "OTHER: {severity: mild,",
            "codes.OTHER.severity: Input should be 'low'",
        ),
        ("stage_hours: 336", "stage_hours: 0", "approval.0.stage_hours: Input should be greater than 0"),
        (
            "resolve_hours: 24",
            "resolve_hours: soon",
            "sla.targets.0.resolve_hours: this must be a plain number",
        ),
        ("warn_share: 0.75", "warn_share: 75", "sla.warn_share: Input should be less than 1"),
        ("  NOT_COVERED: The", "  not_covered: The", "rejections.not_covered: String should match pattern"),
        ("currency: EUR", "currency: Euro", "currency: String should match pattern"),
        (
            "time_zone: UTC",
            "time_zone: Mars/Olympus",
            "time_zone: 'Mars/Olympus' is no IANA time zone",
        ),
        (
            'monday: ["08:00-18:00"]',
            'monday: ["08:00"]',
            "calendars.business.monday.0: hours are written like 08:00-18:00",
        ),
        ('monday: ["08:00-18:00"]', 'monday: ["18:00-08:00"]', "monday.0: the hours end before they"),
        ('"2026-12-25"', '"2026-25-12"', "calendars.business.holidays.0: a holiday is a date, such as 2026-12-25"),
        (
            "OTHER: {severity: low,",
            "OTHER: {severity: low, evidence: [gossip],",
            "kind of evidence 'gossip' is unknown",
        ),
        (
            "OTHER: {severity: low,",
            "OTHER: {severity: low, evidence: [photo, [note, gossip]],",
            "codes.OTHER.evidence.1: kind of evidence 'gossip' is unknown",
        ),
        ("OTHER: {severity: low,", "OTHER: {severity: low, evidence: [[]],", "names at least one kind"),
        ("OTHER: {severity: low,", "OTHER: {severity: low, evidence: [5],", "kind of evidence '5' is unknown"),
        (
            "OTHER: {severity: low,",
            "OTHER: {severity: low, evidence: [usage_record],",
            "codes.OTHER.evidence: usage records say nothing of equipment",
        ),
        (
            "resolve_hours: 24",
            "resolve_hours: 1.0e-9",
            "sla.targets.0.resolve_hours: Input should be greater than or",
        ),
        (
            "resolve_hours: 24",
            "resolve_hours: .inf",
            "sla.targets.0.resolve_hours: Input should be a finite number",
        ),
        ("mappings: {}", "mappings: {acme: {}}", "mappings.acme: String should match pattern"),
        (
            "evidence_wait_hours: 72",
            "evidence_wait_hours: -1",
            "eligibility.evidence_wait_hours: Input",
        ),
        (
            "unknown_spot_passes: false",
            "unknown_spot_passes: maybe",
            "unknown_spot_passes: this must be true or false",
        ),
        ("to: [ops]}", "to: []}", "notifications.0.to: List should have at least 1 item"),
        ("to: [ops]}", "to: [ops], codes: [E42]}", "notifications.0.codes.0: code 'E42' is unknown"),
        ("to: [ops]}", "to: [ops], hours: night}", "notifications.0.hours: calendar 'night' is unknown"),
        ("to: [ops]}", "to: [ops], at_once: [high]}", "notifications.0: at_once names what does not wait"),
        ("to: [ops]}", "to: [ops], escalate_to: boss}", "notifications.0: a rule that escalates names both"),
        (
            "to: [ops]}",
            "to: [ops], escalate_to: ops, escalate_after_hours: 1}",
            "notifications.0: ops is notified at once, so nothing can be escalated to it",
        ),
        ("to: [ops]}", "to: [ops], repeat_hours: 0}", "notifications.0.repeat_hours: Input should be greater"),
        ("event: claim.escalated", "event: claim.eaten", "notifications.1.event: event 'claim.eaten' is unknown"),
        ("pace: {digest_seconds: 30,", "pace: {digest_seconds: -1,", "pace.digest_seconds: Input should be"),
        ("per_minute: 60}", "per_minute: 0}", "pace.per_minute: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_reported_with_its_line(write: Write, before: str, after: str, expected: str) -> None:
    """File, line, place and what would be right."""
    complained = complaint(write(BUILT_IN.replace(before, after, 1)))

    assert f"policy.yaml, line {line_of(before)}: " in complained
    assert expected in complained
    assert "\n" not in complained


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("stages: [operator]", "stages: [king]", "role 'king' is unknown; there are operator, reviewer"),
        ("  OTHER: {severity: low, cost: 60}\n", "", "codes lacks OTHER"),
        ("OTHER: {severity: low", "OTHR: {severity: low", "code 'OTHR' is unknown"),
        ("- {stages: [reviewer, manager]", "- {severities: [critical], stages: [manager]", "must fit every claim"),
        ("- {acknowledge_hours: 20", "- {severities: [low], acknowledge_hours: 20", "must fit every claim"),
        ("stages: [operator],", "stages: [operator], automatic: true,", "names stages or is automatic"),
        ("stages: [operator], ", "", "names stages or is automatic"),
        ("calendar: business}", "calendar: lunar}", "calendar 'lunar' is unknown; there are always, business"),
        ('monday: ["08:00-18:00"]', 'monday: ["08:00-12:00", "11:00-18:00"]', "the hours of a day overlap"),
        ("mappings: {}", 'mappings: {"vendor:acme": {E1: BROKEN}}', "code 'BROKEN' is unknown"),
        ("claim.resolved", "claim.born", "event 'claim.born' is unknown"),
        ("severities: [high, critical]", "claim_types: [theft]", "claim type 'theft' is unknown"),
        (
            "resolve_hours: 120",
            "resolve_hours: 80000",
            "sla.targets.3.resolve_hours: 80000 hours of business take over ten years",
        ),
        (
            "resolve_hours: 24",
            "resolve_hours: 90000",
            "sla.targets.0.resolve_hours: Input should be less than or equal to 87672",
        ),
        ("unknown_spot_passes: false", "unknown_spots_pass: true", "unknown_spot_passes: is missing"),
    ],
)
def test_a_name_that_is_not_there_is_refused(write: Write, before: str, after: str, expected: str) -> None:
    """A rule that names nothing would silently do nothing."""
    assert expected in complaint(write(BUILT_IN.replace(before, after, 1)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("calendar: business}", "calendar: lunar}", "sla.targets.2.calendar: calendar 'lunar' is unknown"),
        ("  OTHER: {", "  OTHR: {", "codes.OTHR: code 'OTHR' is unknown"),
        ("mappings: {}", 'mappings: {"vendor:acme": {E1: BAD}}', "mappings.vendor:acme.E1: code 'BAD' is unknown"),
        ("resolve_hours: 120", "resolve_hours: 80000", "sla.targets.3.resolve_hours: 80000 hours of business"),
        ('"2026-12-25", ', '"2027-01-01", ', "calendars.business.holidays.1: the holiday 2027-01-01"),
        ('tuesday: ["08:00-18:00"]', 'tuesday: ["08:00-12:00", "11:00-18:00"]', "business.tuesday: the hours of"),
        ("claim.resolved,", "claim.born,", "notifications.2.event: event 'claim.born' is unknown"),
    ],
)
def test_a_contradiction_is_reported_with_its_line(write: Write, before: str, after: str, expected: str) -> None:
    """And not in the line in which the file begins."""
    complained = complaint(write(BUILT_IN.replace(before, after, 1)))

    assert expected in complained
    assert f"policy.yaml, line {line_of(before)}: " in complained


def test_all_contradictions_are_reported_together(write: Write) -> None:
    """Each with its own line."""
    wrong = BUILT_IN.replace("  OTHER: {severity: low, cost: 60}\n", "").replace("  business:\n", "  always:\n")
    text = wrong.replace("- {stages: [reviewer, manager]", "- {severities: [critical], stages: [manager]")

    lines = complaint(write(text)).splitlines()

    assert [line.split(": ")[1] for line in lines] == [
        "codes",
        "calendars.always",
        "sla.targets.2.calendar",
        "sla.targets.3.calendar",
        "approval.3",
    ]
    assert f"line {line_of('codes:')}: codes: codes lacks OTHER" in lines[0]


@pytest.mark.parametrize(
    ("before", "given", "right"),
    [
        ("cost: 600", '"40"', "a plain number"),
        ("cost: 600", '"no"', "a plain number"),
        ("cost: 600", "no", "a plain number"),
        ("cost: 600", "1e3", "a plain number"),
        ("stage_hours: 168", "true", "a plain number"),
        ("warn_share: 0.75", '"0.75"', "a plain number"),
        ("episodes: 5", "true", "a whole number"),
        ("episodes: 5", '"5"', "a whole number"),
        ("four_eyes: true", '"yes"', "true or false"),
        ("four_eyes: true", "1", "true or false"),
        ("currency: EUR", "978", "a text"),
        ('tuesday: ["08:00-18:00"]', '"08:00-18:00"', "a list"),
    ],
)
def test_a_value_of_another_kind_is_not_taken_for_what_it_looks_like(
    write: Write, before: str, given: str, right: str
) -> None:
    """A text is no number, and yes is no cost."""
    name = before.partition(":")[0]

    complained = complaint(write(BUILT_IN.replace(before, f"{name}: {given}", 1)))

    assert f"policy.yaml, line {line_of(before)}: " in complained
    assert f"{name}: this must be {right}" in complained


def test_what_was_stored_when_less_was_demanded_is_still_restored() -> None:
    """Claims are bound to it."""
    _, content = read_policy()

    restored = restore_policy(content.replace('"cost":600', '"cost":"600"'))

    assert restored == load_policy()


def test_all_mistakes_are_reported_together(write: Write) -> None:
    """A line for each."""
    wrong = BUILT_IN.replace("resolve_hours: 24", "resolve_hours: 0").replace("stage_hours: 336", "stage_hours: 0")

    lines = complaint(write(wrong)).splitlines()

    assert [line.split(": ")[1] for line in lines] == ["approval.0.stage_hours", "sla.targets.0.resolve_hours"]
    assert [line.split(",")[1].split(":")[0] for line in lines] == [
        f" line {line_of('stage_hours: 336')}",
        f" line {line_of('resolve_hours: 24')}",
    ]


@pytest.mark.parametrize("text", ["", "just text", "[1, 2]", "a: [", "a: 1\n\tb: 2", "a: \x00"])
def test_what_is_no_policy_at_all_is_reported_in_one_line(write: Write, text: str) -> None:
    """Empty, of another shape, or no YAML."""
    complained = complaint(write(text))

    assert "policy.yaml, line " in complained
    assert "\n" not in complained


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Somebody named the wrong file."""
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")

    assert "photo.jpg" in complaint(tmp_path / "photo.jpg")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """With its name."""
    assert "missing.yaml" in complaint(tmp_path / "missing.yaml")


def test_a_calendar_is_read_as_it_is_written(write: Write) -> None:
    """Hours in order, midnight as the end of a day, days that are left out closed."""
    text = BUILT_IN.replace('monday: ["08:00-18:00"]', 'monday: ["13:00-24:00", "06:30-12:00"]')

    business = load_policy(write(text)).calendars["business"]

    assert business.week[0] == ((time(6, 30), time(12)), (time(13), time.min))
    assert business.week[1] == ((time(8), time(18)),)
    assert business.week[5:] == ((), ())
    assert date(2026, 12, 25) in business.holidays


def test_a_policy_is_restored_from_its_content(write: Write) -> None:
    """To the last detail, hours and holidays included."""
    policy, content = read_policy(write(BUILT_IN.replace('"2026-12-25"', "2026-12-24")))

    assert restore_policy(content) == policy
    assert date(2026, 12, 24) in policy.calendars["business"].holidays


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("# Every error code must be listed.", "# Another comment.", True),
        ("{severity: low, cost: 60}", "{cost: 60, severity: low}", True),
        ('"2026-12-25"', "2026-12-25", True),
        ("resolve_hours: 24", "resolve_hours: 25", False),
        ("# The default", "# A", True),
        ('holidays: ["2026-12-25", ', "holidays: [", False),
    ],
)
def test_files_that_say_the_same_have_the_same_content(write: Write, before: str, after: str, same: bool) -> None:
    """A comment may change without a new version, a target may not."""
    assert before in BUILT_IN
    changed = read_policy(write(BUILT_IN.replace(before, after, 1)))[1]

    assert (changed == read_policy()[1]) is same


def test_a_key_that_is_given_twice(write: Write) -> None:
    """YAML would let the last one win, and nobody would know."""
    path = write(
        BUILT_IN.replace("  OTHER: {", "  POWER_FAILURE: {severity: low}\n  OTHER: {") + "\ncurrency: USD\n"
    )
    last = len(path.read_text().splitlines())
    assert complaint(path).splitlines() == [
        f"{path}, line {last}: currency is given twice, first in line {line_of('currency: EUR')}; keep one.",
        f"{path}, line {line_of('  OTHER: {')}: POWER_FAILURE is given twice,"
        f" first in line {line_of('  POWER_FAILURE: {')}; keep one.",
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("currency: EUR", "currncy: EUR", "currncy: is no setting; here there are version, currency, time_zone,"),
        (
            "warn_share: 0.75",
            "warn: 0.75\n  warn_share: 0.75",
            "sla.warn: is no setting; here there are warn_share,",
        ),
        (
            "stage_hours: 336",
            "hours: 336",
            "approval.0.hours: is no setting; here there are severities, claim_types,",
        ),
        (
            "OTHER: {severity:",
            "OTHER: {bad: 1, severity:",
            "codes.OTHER.bad: is no setting; here there are severity,",
        ),
        ("- {event: claim.resolved,", "- {evnt: claim.resolved,", "notifications.2.event: is missing"),
    ],
)
def test_a_setting_that_does_not_exist(write: Write, before: str, after: str, expected: str) -> None:
    """It says which ones do."""
    assert expected in complaint(write(BUILT_IN.replace(before, after, 1)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("cost: 600}", "cost: .inf}", "cost: Input should be"),
        ("cost: 600}", "cost: 600, filing_days: .inf}", "filing_days: Input should be"),
        ("cost: 600}", "cost: 600, hold_down_seconds: 1.0e+18}", "hold_down_seconds: Input should be less than"),
        ("stage_hours: 168", "stage_hours: 1.0e+300", "stage_hours: Input should be less than or equal to 87672"),
        ("window_days: 30", "window_days: 1.0e+300", "corroboration_window_days: Input should be less than"),
        ("wait_hours: 72", "wait_hours: .nan", "evidence_wait_hours: Input should be"),
        ('["08:00-18:00"]', '["08:00+02:00-18:00"]', "hours are local to the site and state no offset"),
        ('["08:00-18:00"]', '["08:00Z-18:00Z"]', "hours are local to the site and state no offset"),
        ("  business:\n", "  always:\n", "the calendar always runs around the clock"),
        ('["2026-12-25", ', "[0, ", "a holiday is a date, such as 2026-12-25"),
        ('["2026-12-25", ', '["2027-01-01", ', "the holiday 2027-01-01 is given twice"),
        ('"2026-12-02"', "2026-12-02", "version: this must be a text; write it in quotes"),
        ("medium, cost: 40,", "medium, severity: low, cost: 40,", "severity is given twice"),
    ],
)
def test_what_would_stop_claims_later_is_refused_now(write: Write, before: str, after: str, expected: str) -> None:
    """No clock, sum or calendar that cannot be reckoned gets past the check."""
    assert expected in complaint(write(BUILT_IN.replace(before, after, 1)))


@pytest.mark.parametrize("text", ["", "[]", "7"])
def test_a_file_without_settings(write: Write, text: str) -> None:
    """It tells what there must be."""
    assert "there must be settings here: version, currency" in complaint(write(text))


def test_a_rule_may_say_when_and_how_often(write: Write) -> None:
    """All that it says is in the policy, and what it does not say is as ever."""
    said = (
        "to: [ops], codes: [OTHER], zones: [north], hours: business, at_once: [critical], repeat_hours: 2,"
        " escalate_to: boss, escalate_after_hours: 6.5}"
    )

    policy = load_policy(write(BUILT_IN.replace("to: [ops]}", said, 1)))

    assert policy.notifications[0] == NotificationRule(
        "claim.under_review",
        ("ops",),
        codes=("OTHER",),
        zones=("north",),
        hours="business",
        at_once=("critical",),
        repeat_hours=2,
        escalate_to="boss",
        escalate_after_hours=6.5,
    )
    assert policy.notifications[1] == NotificationRule("claim.escalated", ("ops",))
    assert policy.destinations == {"ops", "boss"}


def test_a_policy_of_before_there_was_a_pace_has_the_usual_one(write: Write) -> None:
    """And its rules notify around the clock."""
    before = "".join(line for line in BUILT_IN.splitlines(keepends=True) if not line.startswith("pace:"))

    assert load_policy(write(before)).pace == GroupPolicy()
