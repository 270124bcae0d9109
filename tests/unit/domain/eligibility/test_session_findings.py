"""What shows only beside other sessions, or against the power of the spot."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.eligibility import record_findings as meter
from domain.eligibility import session_findings as history
from domain.eligibility.corroboration import CORROBORATING
from domain.eligibility.usage_rule import usage_corroborates
from domain.field.usage import UsageRecord
from tests.builders import NOW, a_claim, a_policy, a_spot, a_usage_record, an_input

EVERY = (history.REGISTER_BELOW_PREVIOUS, history.SESSIONS_OVERLAP, history.POWER_ABOVE_SPOT)
NOON = NOW - timedelta(days=2)
POLICY = a_policy()


def session(name: str, begin: float, end: float | None, **changes: Any) -> UsageRecord:
    """A session between two hours of a day, without registers or energy unless said."""
    figures = {"energy_kwh": None, "meter_start_kwh": None, "meter_stop_kwh": None}
    times = {
        "started_at": NOON + timedelta(hours=begin),
        "ended_at": None if end is None else NOON + timedelta(hours=end),
    }
    return a_usage_record(**(figures | times | {"session_id": name, "connector_id": 1} | changes))


def with_registers(
    name: str, begin: float, start: float | None, stop: float | None, **changes: Any
) -> UsageRecord:
    return session(name, begin, begin + 1, meter_start_kwh=start, meter_stop_kwh=stop, **changes)


def found(*records: UsageRecord, power: float | None = None) -> list[tuple[str, str, str | None]]:
    """Name, session and the other session of each finding."""
    findings = history.findings(records, power, EVERY)
    return [(each.name, each.record.session_id, each.other and each.other.session_id) for each in findings]


@pytest.mark.parametrize(
    ("stop", "start", "fell"),
    [
        (111.0, 111.0, False),
        (111.0, 110.95, False),
        (111.0, 110.9, True),
        (111.0, 150.0, False),
        (111.0, 0.1, True),
    ],
)
def test_a_register_may_not_begin_below_where_it_was_left(stop: float, start: float, fell: bool) -> None:
    """Rounding of 50 watt hours is let pass."""
    first, second = with_registers("a", 0, 100.0, stop), with_registers("b", 2, start, 200.0)

    assert found(first, second) == ([("REGISTER_BELOW_PREVIOUS", "b", "a")] if fell else [])


def test_registers_that_were_not_read_are_passed_over() -> None:
    """The session before them is the one to compare with."""
    records = [
        with_registers("a", 0, 100.0, 111.0),
        with_registers("b", 2, -1, 2**63 - 1),
        with_registers("c", 4, None, None),
        with_registers("d", 6, 90.0, 95.0),
    ]

    assert found(*records) == [("REGISTER_BELOW_PREVIOUS", "d", "a")]


def test_registers_of_single_sessions_are_no_fall() -> None:
    """Each begins at 0, also where those of a lifetime come between."""
    records = [
        with_registers("a", 0, 0.0, 11.0),
        with_registers("b", 2, 0.0, 4.0),
        with_registers("c", 4, 9.0, 12.0),
        with_registers("d", 6, 0.0, 3.0),
        with_registers("e", 8, 12.0, 20.0),
    ]

    assert found(*records) == []
    assert found(*records, with_registers("f", 10, 19.0, 21.0)) == [("REGISTER_BELOW_PREVIOUS", "f", "e")]


def test_every_connector_has_a_register_of_its_own() -> None:
    """And sessions of its own."""
    assert found(with_registers("a", 0, 100.0, 111.0), with_registers("b", 0.5, 5.0, 9.0, connector_id=2)) == []


@pytest.mark.parametrize(
    ("begin", "end", "overlap"),
    [
        (2, 3, False),
        (1, 3, False),
        (59 / 60, 3, False),
        (57 / 60, 3, True),
        (0, 1, True),
        (0.25, 0.5, True),
        (0.25, 0.26, False),
        (0.5, None, False),
        (0.5, 0.4, False),
    ],
)
def test_two_sessions_of_a_connector_may_not_overlap(begin: float, end: float | None, overlap: bool) -> None:
    """Two minutes are let pass, for clocks of whole minutes; a session without a true end proves nothing."""
    expected = [("SESSIONS_OVERLAP", "b", "a")] if overlap else []

    assert found(session("a", 0, 1), session("b", begin, end)) == expected


def test_a_long_session_overlaps_all_that_began_in_it() -> None:
    """Whatever ended meanwhile."""
    records = [session("long", 0, 9), session("b", 1, 2), session("c", 3, 4), session("after", 9.5, 10)]

    assert found(*records) == [("SESSIONS_OVERLAP", "b", "long"), ("SESSIONS_OVERLAP", "c", "long")]


def test_a_session_of_1970_overlaps_nothing() -> None:
    """Its clock was not set."""
    unset = a_usage_record(connector_id=1, started_at=datetime(1970, 1, 1, tzinfo=UTC), energy_kwh=1.0)

    assert found(unset, session("b", 0, 1)) == []


@pytest.mark.parametrize(
    ("energy", "hours", "power", "above"),
    [
        (22.0, 1.0, 22.0, False),
        (24.5, 1.0, 22.0, False),
        (24.7, 1.0, 22.0, True),
        (0.4, 0.0, 22.0, False),
        (0.5, 0.0, 22.0, True),
        (90.0, 1.0, None, False),
        (90.0, 1.0, 0.0, False),
        (90.0, 1.0, -22.0, False),
        (90.0, -1.0, 22.0, False),
        (-90.0, 1.0, 22.0, False),
        (2**63 - 1, 1.0, 22.0, False),
        (None, 1.0, 22.0, False),
    ],
)
def test_no_session_takes_more_than_the_spot_can_give(
    energy: float | None, hours: float, power: float | None, above: bool
) -> None:
    """A tenth and a minute more are let pass; where the power is unknown, nothing is measured against it."""
    record = session("a", 0, hours, energy_kwh=energy)

    assert found(record, power=power) == ([("POWER_ABOVE_SPOT", "a", None)] if above else [])


@pytest.mark.parametrize(
    ("records", "power", "words"),
    [
        (
            [with_registers("a", 0, 100.0, 111.0), with_registers("b", 2, 90.5, 95.0)],
            None,
            "began at 90.5 kWh, lower than session a before it had left the register: 111 kWh",
        ),
        (
            [session("a", 0, 1), session("b", 0.5, 2)],
            None,
            "began while session a was running on the same connector, until 2026-03-08 13:00 UTC",
        ),
        (
            [session("a", 0, 1, energy_kwh=90.0)],
            22.0,
            "recorded 90 kWh in 1.00 hours: more than the spot's 22 kW can give",
        ),
    ],
)
def test_each_finding_has_a_sentence_with_its_figures(
    records: list[UsageRecord], power: float | None, words: str
) -> None:
    """A reviewer can check it against both records."""
    [finding] = history.findings(records, power, EVERY)

    sentence = finding.describe()
    assert sentence.startswith(f"Session {finding.record.session_id} (connector 1, 2026-03-08 ")
    assert sentence.endswith(words + ".")


def test_findings_of_a_record_alone_are_told_in_their_own_words() -> None:
    """Those that were stored with it."""
    record = session("a", 0, 1, energy_kwh=-5.0)

    [finding] = history.findings([record], None, (meter.NEGATIVE_ENERGY,))

    assert finding.describe() == meter.describe(record, meter.NEGATIVE_ENERGY)


def test_only_what_is_wanted_is_found() -> None:
    """Every code has findings of its own."""
    assert list(history.findings([session("a", 0, 1, energy_kwh=-5.0)], 22.0, (meter.ZERO_ENERGY,))) == []


_finite = st.floats(allow_nan=False, allow_infinity=False)
_figures = st.none() | _finite | st.sampled_from([-1, -0.001, 0, 2**63 - 1])
_times = st.none() | st.datetimes(timezones=st.just(UTC))
_near = st.none() | st.integers(-300, 300).map(lambda minutes: NOW + timedelta(minutes=minutes))
_records = st.builds(
    a_usage_record,
    session_id=st.sampled_from(["s-1", "s-2", "s-3"]),
    connector_id=st.integers(0, 2),
    started_at=_times | _near,
    ended_at=_times | _near,
    received_at=st.datetimes(timezones=st.just(UTC)) | st.just(NOW),
    recorded_at=st.datetimes(timezones=st.just(UTC)) | st.just(NOW),
    energy_kwh=_figures,
    meter_start_kwh=_figures,
    meter_stop_kwh=_figures,
    reservation_id=st.sampled_from([None, "r-1"]),
)


@settings(deadline=None)
@given(_records)
def test_no_figures_break_the_judgement(record: UsageRecord) -> None:
    """Whatever a station sends, it is judged, the same each time, and every finding has a sentence."""
    assert record.findings == meter.findings(record)
    for finding in record.findings:
        assert meter.describe(record, finding).endswith(".")


_CODES = (*CORROBORATING, "DOUBLE_ALLOCATION", "SPOT_OCCUPIED", "CONNECTOR_LOCK_FAILURE")


@settings(deadline=None)
@given(
    st.lists(_records, min_size=2, max_size=4),
    st.none() | _finite,
    st.sampled_from(_CODES),
)
def test_the_order_of_the_records_does_not_matter(
    records: list[UsageRecord], power: float | None, code: str
) -> None:
    """The same answer, sentence and facts, however the database hands them over."""
    kind = "usage_discrepancy" if code in CORROBORATING else "allocation_failure"
    claim = a_claim(code=code, claim_type=kind, reservation_id="r-1", first_seen_at=NOW)
    spot = a_spot(max_power_kw=power)

    answers = [usage_corroborates(an_input(claim, *order, spot=spot), POLICY) for order in permutations(records)]

    assert all(answer == answers[0] for answer in answers)
    assert answers[0].sentence.endswith(".")


def named(name: str, *records: UsageRecord) -> list[str]:
    return [each.record.session_id for each in history.findings(records, None, (name,))]


@pytest.mark.parametrize(("energy", "added"), [(18.313, True), (18.32, True), (11.0, False), (18.4, False)])
def test_energy_that_holds_that_of_the_session_before_is_a_finding(energy: float, added: bool) -> None:
    """What the register moved, and the energy before it on top."""
    before = with_registers("a", 0, 100.0, 107.313, energy_kwh=7.313)
    record = with_registers("b", 2, 107.313, 118.313, energy_kwh=energy)
    assert named("ENERGY_ADDED", before, record) == (["b"] if added else [])


@pytest.mark.parametrize(
    ("start", "stop", "advanced"), [(120.0, 120.0, True), (111.01, 111.01, False), (120.0, 125.0, False)]
)
def test_a_register_that_advanced_between_sessions_and_stood_in_one_is_a_doubt(
    start: float, stop: float, advanced: bool
) -> None:
    """A session between them may not be on file, so it proves nothing."""
    before, record = with_registers("a", 0, 100.0, 111.0), with_registers("b", 2, start, stop)
    assert named("REGISTER_ADVANCED_BETWEEN", before, record) == (["b"] if advanced else [])
    assert "REGISTER_ADVANCED_BETWEEN" in history.DOUBTS
