"""Sessions follow one another, their registers go on, and a meter fault is what it is said to be."""

from collections import Counter, defaultdict
from itertools import pairwise, takewhile

import pytest

from domain.eligibility import record_findings, session_findings
from domain.field.usage import UsageRecord
from ingest.simulator import reports
from ingest.simulator.errors import COMPLAINTS
from ingest.simulator.fleet import build_fleet, by_zone
from ingest.simulator.moments import DAY
from ingest.simulator.reports import Raised, Session
from ingest.simulator.sessions import sessions
from tests.unit.ingest.simulator.plans import START, a_plan, ingested, lines

DAYS = 40
FINDINGS = {
    reports.NEGATIVE_ENERGY: {record_findings.NEGATIVE_ENERGY, record_findings.REGISTERS_DISAGREE},
    reports.UNIT_SLIP: {record_findings.UNIT_SLIP, record_findings.REGISTERS_DISAGREE},
    reports.MISSING_END: {record_findings.END_MISSING},
    reports.REGRESSION: set(),
}


@pytest.fixture(scope="module")
def of_spots() -> dict[str, list[Session]]:
    """The sessions of each spot of a zone over weeks, in the order they were held."""
    [zone, spots], *_ = by_zone(build_fleet(7, 200, 2026)).items()
    activities = takewhile(lambda activity: activity[0] < START + DAYS * DAY, sessions(7, zone, spots, START))
    held: dict[str, list[Session]] = defaultdict(list)
    for _, made in activities:
        for report in made:
            if isinstance(report, Session):
                held[report.spot.spot_id].append(report)
    return held


def test_a_register_goes_on_unless_it_has_a_fault(of_spots: dict[str, list[Session]]) -> None:
    """Each session begins where the one before it ended; a regression begins lower."""
    fell_back = 0
    for held in of_spots.values():
        for before, after in pairwise(held):
            left = before.register_wh + before.moved_wh
            if after.flaw == reports.REGRESSION:
                fell_back += 1
                assert after.register_wh < left
            else:
                assert after.register_wh == left
    assert fell_back > 5


def test_no_two_sessions_share_a_spot(of_spots: dict[str, list[Session]]) -> None:
    """One ends before the next begins, or is reserved."""
    for held in of_spots.values():
        assert all(before.ended < (after.reserved or after.started) for before, after in pairwise(held))
    assert sum(map(len, of_spots.values())) > 2 * DAYS * len(of_spots)


def test_energy_fits_the_spot(of_spots: dict[str, list[Session]]) -> None:
    """No meter but a faulty one tells of more than the spot's power over the time."""
    for held in of_spots.values():
        for session in held:
            hours = (session.ended - session.started) / 3_600_000
            assert 0 < session.moved_wh <= session.spot.model.power_kw * 1000 * hours


def test_flaws_are_few_and_of_every_kind(of_spots: dict[str, list[Session]]) -> None:
    """About four in a thousand sessions."""
    flaws = Counter(session.flaw for held in of_spots.values() for session in held)
    sound = flaws.pop(None)
    assert set(flaws) == set(FINDINGS) == set(COMPLAINTS)
    assert flaws.total() / sound == pytest.approx(0.004, rel=0.3)


def test_spotclaim_finds_the_flaws_and_no_others() -> None:
    """As usage records, sessions with a meter fault have the findings of that fault; sound ones have none."""
    # Given the usage records of a fortnight, and what is wrong with each session
    plan = a_plan(duration=14 * DAY, errors=0)
    flaws = {
        str(report.transaction): report.flaw
        for zone, spots in by_zone(plan.fleet).items()
        for at, made in takewhile(lambda activity: activity[0] < plan.end, sessions(7, zone, spots, START))
        for report in made
        if isinstance(report, Session)
    }
    # When Spotclaim reads them
    records = {record.key: record for record in ingested(lines(plan)).usage}.values()
    # Then it finds what is wrong
    found: dict[str | None, set[str]] = defaultdict(set)
    for record in records:
        assert set(record.findings) >= FINDINGS.get(flaws[record.session_id] or "", set())
        found[flaws[record.session_id]].update(record.findings)
    assert found[None] <= {record_findings.OVER_24_HOURS}
    assert _below_previous(list(records)) == {
        session for session, flaw in flaws.items() if flaw == reports.REGRESSION
    } & {record.session_id for record in records}


def _below_previous(records: list[UsageRecord]) -> set[str]:
    by_spot: dict[str, list[UsageRecord]] = defaultdict(list)
    for record in records:
        by_spot[record.spot_id].append(record)
    return {
        finding.record.session_id
        for held in by_spot.values()
        for finding in session_findings.findings(held, None, (session_findings.REGISTER_BELOW_PREVIOUS,))
    }


def test_drivers_complain_of_the_fault_that_the_record_has() -> None:
    """In the code for it, after the session is on record, and of some that are sound."""
    [zone, spots], *_ = by_zone(build_fleet(7, 200, 2026)).items()
    activities = takewhile(lambda activity: activity[0] < START + DAYS * DAY, sessions(7, zone, spots, START))
    of_sound = of_flawed = 0
    for _, made in activities:
        match made:
            case [Session() as session, Raised() as complaint]:
                assert complaint.session == str(session.transaction)
                assert complaint.at > session.at
                of_sound += session.flaw is None
                of_flawed += session.flaw is not None
                assert complaint.kind in ([COMPLAINTS[session.flaw]] if session.flaw else COMPLAINTS.values())
    assert of_flawed > of_sound > 0
