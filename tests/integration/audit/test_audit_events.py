"""The table of audit events takes additions only, and what it holds is what was hashed."""

import pytest
from sqlalchemy.exc import DBAPIError

from domain.audit import chain as audit
from tests.builders import NOW, a_claim, a_fault
from tests.integration.parts import Spotclaim

_COLUMNS = "subject_id, seq, at, actor, kind, body, hash"
_AGAIN = f"INSERT INTO audit_events ({_COLUMNS}) SELECT {_COLUMNS} FROM audit_events"


@pytest.fixture
def with_a_claim(spotclaim: Spotclaim) -> Spotclaim:
    spotclaim.take_in(faults=[a_fault(), a_fault(spot_id="E2")])
    return spotclaim


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor = 'somebody else'",
        "UPDATE audit_events SET body = body WHERE seq = 1",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE seq = 1",
        "TRUNCATE audit_events",
        "TRUNCATE claims, audit_events",
        "TRUNCATE audit_events RESTART IDENTITY CASCADE",
        f"{_AGAIN} ON CONFLICT (subject_id, seq) DO UPDATE SET actor = 'x'",
    ],
)
def test_what_was_recorded_stays(with_a_claim: Spotclaim, statement: str) -> None:
    """Not even the owner changes it by a slip."""
    before = with_a_claim.rows("SELECT * FROM audit_events ORDER BY subject_id, seq")

    with pytest.raises(DBAPIError, match="audit events are append-only"):
        with_a_claim.rows(statement)

    assert with_a_claim.rows("SELECT * FROM audit_events ORDER BY subject_id, seq") == before
    with_a_claim.demand_sound_chains()


def test_a_second_event_with_the_same_number_is_refused(with_a_claim: Spotclaim) -> None:
    """Two writers cannot both write what comes next."""
    with pytest.raises(DBAPIError, match="duplicate key"):
        with_a_claim.rows(_AGAIN)


@pytest.mark.parametrize("actor", ["eve", "üñ\U0001f697", "a\nb", '"a\\nb"', ""])
def test_an_event_comes_back_as_it_was_hashed(spotclaim: Spotclaim, actor: str) -> None:
    """Whatever characters it holds, and to the microsecond."""
    claim = a_claim()
    spotclaim.put_on_record(claim)
    body = {"note": "line\nend \\ \" ' % ü\U0001f697", "figures": [1, 2.5, -1e300, True, None], "": {}}
    events = [audit.append(claim, NOW.replace(microsecond=123456), actor, "claim.noted", body) for _ in range(3)]

    spotclaim.record(claim, *events)

    assert spotclaim.events(claim.id)[1:] == events
    spotclaim.demand_sound_chains()
