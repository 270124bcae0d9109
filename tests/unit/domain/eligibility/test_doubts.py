"""What other sessions show that may be chance: no more than a doubt."""

import pytest

from domain.eligibility import session_findings as history
from tests.unit.domain.eligibility.test_session_findings import found, named, session, with_registers


def test_a_register_that_begins_at_zero_after_one_of_a_lifetime_is_a_doubt() -> None:
    """It may be that of the session, or one that was reset."""
    lifetime, zero = with_registers("a", 0, 100.0, 111.0), with_registers("b", 2, 0.0, 4.0)

    assert named("REGISTER_BEGAN_AT_ZERO", lifetime, zero) == ["b"]
    assert named("REGISTER_BEGAN_AT_ZERO", zero, with_registers("c", 4, 0.0, 5.0)) == []
    assert named("REGISTER_ADVANCED_BETWEEN", zero, with_registers("c", 4, 50.0, 50.0)) == []
    assert "REGISTER_BEGAN_AT_ZERO" in history.DOUBTS


def test_a_register_that_goes_on_from_zero_was_reset() -> None:
    """The session after it begins where it stopped."""
    records = (
        with_registers("a", 0, 100.0, 111.0),
        with_registers("b", 2, 0.0, 4.0),
        with_registers("c", 4, 4.0, 9.0),
    )

    assert found(*records) == [("REGISTER_BELOW_PREVIOUS", "b", "a")]
    assert named("REGISTER_BEGAN_AT_ZERO", *records) == []


@pytest.mark.parametrize(
    ("energy", "usual", "max_power_kw", "unusual"),
    [
        (60.0, 11.0, None, True),
        (60.0, 11.0, 150.0, False),
        (60.0, 22.0, None, False),
        (60.0, 60.0, None, False),
        (45.0, 11.0, None, False),
        (60.0, 0.5, None, False),
    ],
    ids=["far more", "rated", "not three times", "as usual", "an AC spot's", "others say nothing"],
)
def test_far_more_power_than_usual_is_a_doubt_without_a_rating(
    energy: float, usual: float, max_power_kw: float | None, unusual: bool
) -> None:
    """Beside two sound sessions of the connector at least; of a spot that is rated, its rating decides."""
    others = [session("a", 0, 1, energy_kwh=usual), session("c", 4, 5, energy_kwh=usual - 0.1)]
    record = session("b", 2, 3, energy_kwh=energy)
    found = [f.record.session_id for f in history.findings([record, *others], max_power_kw, ["POWER_UNUSUAL"])]

    assert found == (["b"] if unusual else [])
    assert list(history.findings([record, others[0]], max_power_kw, ["POWER_UNUSUAL"])) == []
    assert "POWER_UNUSUAL" in history.DOUBTS
