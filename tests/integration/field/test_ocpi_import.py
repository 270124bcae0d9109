"""What a partner hands over, in the database: twice is once, words in any order, and claims that it bears out."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from adapters.postgres.field.known_messages import KnownMessages
from domain.field.usage import UsageRecord
from ingest.files.importer import Importer, ImportTally
from ingest.ocpi.reader import Hints, Partner
from tests.builders import a_claim, a_fault, a_policy
from tests.integration.parts import Spotclaim
from tests.unit.ingest.ocpi.objects import (
    NOW,
    a_cdr,
    a_location,
    a_patch,
    a_session,
    an_active_session,
    at,
    in_lines,
    period,
    reserve_now,
)


@pytest.fixture(autouse=True)
def later(spotclaim: Spotclaim) -> None:
    """After everything that the objects tell."""
    spotclaim.clock.now = NOW


HANDED_OVER = (
    a_location(),
    a_session(),
    a_cdr(total_energy=12.0),
    reserve_now(authorization_reference="A-1"),
    {"result": "EVSE_OCCUPIED"},
    {"id": "nothing known"},
)


def bring_in(spotclaim: Spotclaim, *objects: Any) -> ImportTally:
    """As `spotclaim import ocpi` does."""
    items = Partner(Hints(party="FR*ABC")).items([in_lines(*objects)])
    known = KnownMessages(spotclaim.engine)
    return Importer(spotclaim.intake, known, lambda: NOW, lambda _: None).run(items)


def current(spotclaim: Spotclaim) -> UsageRecord:
    """What the only session is judged by."""
    claim = a_claim(spot_id="FR*ABC*E1", session_id="s-1")
    with spotclaim.store.transaction() as transaction:
        [case] = transaction.cases([claim], a_policy())
    [record] = case.usage
    return record


def test_importing_twice_changes_nothing(spotclaim: Spotclaim) -> None:
    """Every message keeps its identity, and is known the second time."""
    tables = {"spots": 1, "usage_records": 2, "faults": 1, "claims": 1}
    for accepted, known in ((4, 0), (0, 4)):
        tally = bring_in(spotclaim, *HANDED_OVER)
        assert tally == ImportTally(read=6, accepted=accepted, known=known, ignored=1, refused=1)
        counts = {table: spotclaim.value(f"SELECT count(*) FROM {table}") for table in tables}
        assert counts == tables
    assert spotclaim.value("SELECT fault_count FROM claims") == 1


WORDS = (
    an_active_session(),
    a_patch(30, kwh=6.0),
    a_session(kwh=12.0),
    a_patch(70, charging_periods=[period(50, 1.0)]),
)


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_the_latest_word_on_a_session_counts(spotclaim: Spotclaim, order: tuple[int, ...]) -> None:
    """However its words are shuffled in the file."""
    bring_in(spotclaim, *(WORDS[place] for place in order))

    record = current(spotclaim)
    assert (record.energy_kwh, record.periods_kwh, record.under_way, record.findings) == (12.0, 12.0, False, [])


def test_a_later_import_is_a_later_word(spotclaim: Spotclaim) -> None:
    """The whole session, which comes after its beginning or before it."""
    for words in ((an_active_session(), a_session()), (a_session(), an_active_session())):
        for word in words:
            bring_in(spotclaim, word)
        assert (current(spotclaim).energy_kwh, current(spotclaim).under_way) == (11.0, False)


@pytest.mark.parametrize(
    ("code", "session", "reason"),
    [
        ("UNIT_MISMATCH", a_session(charging_periods=[period(0, 11_000)]), "UNIT_SLIP"),
        ("METER_MISREAD", a_session(charging_periods=[period(0, 9.0)]), "PERIODS_DISAGREE"),
        ("ENERGY_IMPLAUSIBLE", a_session(charging_periods=[period(0, 9.0)]), "PERIODS_DISAGREE"),
        ("DURATION_MISMATCH", a_session(last_updated=at(30)), "RECORDED_BEFORE_END"),
    ],
)
def test_a_contradiction_bears_out_a_claim_on_the_spot(
    spotclaim: Spotclaim, code: str, session: dict[str, Any], reason: str
) -> None:
    """The verdict names it, with the figures that contradict each other."""
    # Given a session that contradicts itself
    bring_in(spotclaim, session)
    # When a fault on its spot says so
    fault = a_fault(
        spot_id="FR*ABC*E1",
        raw_code=code,
        session_id="s-1",
        occurred_at=datetime.fromisoformat(at(65)),
        received_at=NOW,
    )
    spotclaim.take_in(faults=[fault])
    spotclaim.carry_out()
    # Then the record bears the claim out
    [claim] = spotclaim.claims()
    [answer] = [answer for answer in spotclaim.verdict(claim)["answers"] if answer["rule"] == "usage_corroborates"]
    assert (answer["result"], answer["reason"]) == ("pass", reason)
    assert answer["facts"]["periods_kwh"] == sum(
        dimension["volume"] for each in session["charging_periods"] for dimension in each["dimensions"]
    )
