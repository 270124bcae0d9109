"""Signed meter values beside what was billed: what proves something, what shakes a record, what is only said."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.eligibility.evaluation import EvaluationInput, RuleResult
from domain.eligibility.evidence_rule import evidence_complete, kinds_on_file
from domain.eligibility.question import is_sound
from domain.eligibility.signed.marking import mark_signed
from domain.eligibility.usage_rule import usage_corroborates
from domain.field.signed_value import INVALID, UNVERIFIED, VERIFIED, CheckedValue, SignedReading
from domain.field.usage import UsageRecord
from tests.builders import FAULT_TIME, a_claim, a_policy, a_usage_record

HOUR, POLICY = timedelta(hours=1), a_policy()
START = FAULT_TIME - HOUR
NO_KEY = "no public key is pinned for the spot"


def readings(begin: float, end: float, **more: Any) -> tuple[SignedReading, ...]:
    both = (SignedReading("1-b:1.8.0", begin, True, START), SignedReading("1-b:1.8.0", end, False, FAULT_TIME))
    return tuple(replace(one, **more) for one in both)


def verified(begin: float = 100.0, end: float = 111.0, **more: Any) -> CheckedValue:
    return CheckedValue(VERIFIED, "", readings(begin, end, **more))


def unverified(begin: float = 100.0, end: float = 111.0, **more: Any) -> CheckedValue:
    return CheckedValue(UNVERIFIED, NO_KEY, readings(begin, end, **more))


FORGED = CheckedValue(INVALID, "its signature does not fit the pinned key")
UNREADABLE = CheckedValue(UNVERIFIED, "the format ALFEN is not known")


def case(
    *came: CheckedValue,
    record: UsageRecord | None = None,
    filed: Sequence[CheckedValue] = (),
    code: str = "METER_MISREAD",
    others: Sequence[UsageRecord] = (),
    **claim: Any,
) -> EvaluationInput:
    """A claim that names a session with these signed values, checked."""
    results = [*came, *filed]
    record = record or a_usage_record(energy_kwh=31.0, meter_stop_kwh=131.0)
    record.signed = [{"text": str(number)} for number in range(len(came))] or None
    claimed = a_claim(**({"code": code, "session_id": record.session_id} | claim))
    made = EvaluationInput(claimed, None, [record, *others])
    brought = [{"text": str(number)} for number in range(len(came), len(results))]
    mark_signed(made, brought, lambda _: "the key", lambda value, _: [results[int(value["text"])]])
    return made


def corroborated(made: EvaluationInput) -> RuleResult:
    return usage_corroborates(made, POLICY)


@pytest.mark.parametrize(
    "code", ["METER_MISREAD", "ENERGY_IMPLAUSIBLE", "UNIT_MISMATCH", "METER_REGRESSION", "METER_UNREADABLE"]
)
def test_a_verified_value_that_disagrees_decides(code: str) -> None:
    """Signed 11 kWh against 31 kWh billed."""
    found = corroborated(case(verified(), code=code))

    assert (found.result, found.reason) == ("pass", "SIGNED_VALUE_DISAGREES")
    assert "states 31 kWh, while its meter signed 11 kWh (100 to 111 kWh)." in found.sentence
    assert found.facts["findings"] == ["SIGNED_VALUE_DISAGREES"]
    assert (found.facts["signed_kwh"], found.facts["signatures"]) == (11.0, ["verified"])


def test_one_that_nobody_verified_shakes_the_record_and_decides_nothing() -> None:
    """Both findings are named, and the reason."""
    found = corroborated(case(unverified()))

    assert (found.result, found.reason) == ("insufficient", "NO_SOUND_WITNESS")
    assert "SIGNATURE_UNVERIFIED, SIGNED_VALUE_DISAGREES" in found.sentence
    assert "Its meter signed 11 kWh (100 to 111 kWh); the record states 31 kWh." in found.sentence
    assert f"A signature is not verified: {NO_KEY}." in found.sentence


def test_an_invalid_one_shakes_the_record() -> None:
    """Its numbers count for nothing."""
    found = corroborated(case(FORGED))

    assert (found.result, found.reason, found.facts["findings"]) == (
        "insufficient", "NO_SOUND_WITNESS", ["SIGNATURE_INVALID"],
    )  # fmt: skip
    assert "A signed value is invalid: its signature does not fit the pinned key." in found.sentence


@pytest.mark.parametrize("value", [unverified(100.0, 131.0), UNREADABLE])
def test_a_signature_that_nobody_verified_is_no_worse_than_none(value: CheckedValue) -> None:
    """The record is as sound as it was; that it is not verified is said."""
    made = case(value)
    found = corroborated(made)

    assert is_sound(made.usage[0])
    assert (found.result, found.reason) == ("fail", "USAGE_CONSISTENT")
    assert found.facts["findings"] == ["SIGNATURE_UNVERIFIED"]
    assert f"A signature is not verified: {value.reason}." in found.sentence


def test_a_verified_value_that_agrees_is_a_sound_witness() -> None:
    """Without any finding."""
    found = corroborated(case(verified(100.0, 131.0)))

    assert (found.result, found.facts["findings"], found.facts["signed_kwh"]) == ("fail", [], 31.0)
    assert "signature" not in found.sentence


@pytest.mark.parametrize(("end", "disagrees"), [(130.99, False), (131.01, False), (130.98, True), (131.02, True)])
def test_rounding_is_no_disagreement(end: float, disagrees: bool) -> None:
    """Up to 0.01 kWh, as elsewhere."""
    made = case(verified(100.0, end))

    assert ("SIGNED_VALUE_DISAGREES" in made.usage[0].findings) == disagrees


@pytest.mark.parametrize(("moved", "disagrees"), [(31.05, False), (31.06, True), (11.0, True)])
def test_the_registers_are_compared_as_well(moved: float, disagrees: bool) -> None:
    """Within what registers may differ from energy elsewhere."""
    record = a_usage_record(energy_kwh=31.0, meter_stop_kwh=100.0 + moved, findings=[])
    made = case(verified(100.0, 131.0), record=record)

    assert ("SIGNED_VALUE_DISAGREES" in made.usage[0].findings) == disagrees


def test_without_energy_on_record_the_registers_are_compared() -> None:
    """And without either nothing is."""
    record = a_usage_record(energy_kwh=None, meter_stop_kwh=131.0)
    assert "SIGNED_VALUE_DISAGREES" in case(verified(), record=record).usage[0].findings
    bare = a_usage_record(energy_kwh=None, meter_start_kwh=None, meter_stop_kwh=None)
    assert "SIGNED_VALUE_DISAGREES" not in case(verified(), record=bare).usage[0].findings


def test_begin_and_end_may_be_signed_apart() -> None:
    """What one text has whole counts before what two have together."""
    begin, end = readings(100.0, 111.0)
    apart = [CheckedValue(VERIFIED, "", (begin,)), CheckedValue(VERIFIED, "", (end,))]
    assert corroborated(case(*apart)).reason == "SIGNED_VALUE_DISAGREES"
    assert corroborated(case(*apart, verified(100.0, 131.0))).reason == "USAGE_CONSISTENT"
    assert corroborated(case(apart[0])).reason == "USAGE_CONSISTENT"


def test_verified_values_count_before_others() -> None:
    """An unverified one beside them changes nothing, whatever it says."""
    assert corroborated(case(verified(), unverified(100.0, 131.0))).result == "pass"
    assert corroborated(case(verified(100.0, 131.0), unverified())).reason == "USAGE_CONSISTENT"


def test_half_verified_is_not_verified() -> None:
    """A verified begin and an end that anybody may have written prove nothing together."""
    begin, end = readings(100.0, 111.0)
    mixed = [CheckedValue(VERIFIED, "", (begin,)), CheckedValue(UNVERIFIED, NO_KEY, (end,))]

    found = corroborated(case(*mixed))

    assert (found.reason, found.facts["findings"]) == (
        "NO_SOUND_WITNESS",
        ["SIGNATURE_UNVERIFIED", "SIGNED_VALUE_DISAGREES"],
    )


def test_of_several_registers_the_one_that_is_billed_is_compared() -> None:
    """A meter signs one before its losses and one after, or one of the session only."""
    of_session = readings(0.0, 31.0, register="01-00:B2.08.00*FF")
    made = case(CheckedValue(VERIFIED, "", (*readings(500.0, 530.0), *of_session)))

    assert made.usage[0].findings == []


@pytest.mark.parametrize("hours", [-2, 2, 24 * 365])
def test_a_value_of_another_time_is_of_another_session(hours: int) -> None:
    """However well it is signed: what was signed once can be sent again."""
    value = verified()
    moved = [replace(one, at=one.at + hours * HOUR) for one in value.readings if one.at]
    found = corroborated(case(replace(value, readings=tuple(moved))))

    assert (found.result, found.facts["findings"]) == ("fail", ["SIGNATURE_UNVERIFIED"])
    assert "it was signed for another time, " in found.sentence


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=23))),
        datetime(1970, 1, 1, tzinfo=UTC),
    ],
)
def test_times_beyond_the_calendar_are_another_time(at: datetime) -> None:
    """No offset leads out of it."""
    assert case(verified(at=at)).usage[0].findings == ["SIGNATURE_UNVERIFIED"]


def test_clocks_may_differ_by_minutes() -> None:
    """And a meter that does not vouch for its clock has no time at all."""
    assert corroborated(case(verified(at=START - timedelta(minutes=15)))).result == "pass"
    assert corroborated(case(verified(at=None))).result == "pass"


def test_only_what_the_claim_is_about_is_checked() -> None:
    """Neither the neighbours of a named session, nor what an allocation failure is judged by."""
    neighbour = a_usage_record(signed=[{"text": "0"}], started_at=START - HOUR, ended_at=START)
    made = case(verified(100.0, 131.0), others=[neighbour])
    assert (neighbour.checked, neighbour.findings) == ([], [])
    assert made.usage[0].checked

    failed = case(FORGED, code="SPOT_OCCUPIED", claim_type="allocation_failure", session_id=None)
    found = corroborated(failed)
    assert (found.facts["findings"], "signatures" in found.facts) == ([], False)


def test_a_record_under_the_reservation_is_meant_on_any_connector() -> None:
    """As the rule itself has it."""
    record = a_usage_record(energy_kwh=31.0, meter_stop_kwh=131.0, connector_id=2, reservation_id="r")
    made = case(verified(), record=record, session_id=None, connector_id=1, reservation_id="r")

    assert corroborated(made).reason == "SIGNED_VALUE_DISAGREES"


class TestFiled:
    """Signed values that somebody filed for a claim."""

    def test_a_verified_one_of_the_session_decides(self) -> None:
        """As if it had come with the record."""
        found = corroborated(case(filed=[verified()]))

        assert (found.result, found.reason) == ("pass", "SIGNED_VALUE_DISAGREES")

    def test_without_a_session_its_time_says_which_it_is_of(self) -> None:
        """Another user's is not meant."""
        assert corroborated(case(filed=[verified()], session_id=None)).result == "pass"
        anothers = a_usage_record(energy_kwh=31.0, meter_stop_kwh=131.0, user="max")
        made = case(record=anothers, filed=[verified()], session_id=None, affected_user="rita")
        assert made.usage[0].findings == []

    @pytest.mark.parametrize(
        "value", [unverified(), FORGED, UNREADABLE, verified(at=None), verified(at=START - 3 * HOUR)]
    )
    def test_nobody_shakes_a_record_by_what_proves_nothing(self, value: CheckedValue) -> None:
        """Unverified, forged, without a time or of another: the record stays as sound as it was."""
        found = corroborated(case(filed=[value]))

        assert (found.result, found.reason, found.facts["findings"]) == ("fail", "USAGE_CONSISTENT", [])

    def test_what_came_of_it_is_said(self) -> None:
        """With the evidence, whether the policy demands any or not."""
        for made in (case(filed=[unverified()]), case(filed=[unverified()], code="SESSION_OVERLAP")):
            assert f"A signature is not verified: {NO_KEY}." in evidence_complete(made, POLICY).sentence

    def test_it_counts_unless_it_is_invalid(self) -> None:
        """Filed, or with the record that the question found."""
        signed = "signed_meter_value"
        for filed, on_file in (([unverified()], True), ([FORGED], False), ([FORGED, verified()], True)):
            made = case(filed=filed)
            made.evidence = frozenset({signed})
            assert (signed in kinds_on_file(made, POLICY)) == on_file
        for came, on_file in (([UNREADABLE], True), ([FORGED], False), ([], False)):
            assert (signed in kinds_on_file(case(*came), POLICY)) == on_file


def test_a_session_under_way_has_no_signed_end_yet() -> None:
    """What is signed so far is behind what is billed, or before it."""
    going_on = a_usage_record(energy_kwh=31.0, meter_stop_kwh=None, ended_at=None, under_way=True)

    assert case(verified(), record=going_on).usage[0].findings == []
