"""What is odd about a table as a whole is said once, with its share."""

import pytest

from ingest.tables.survey import Survey


def warnings(energies: list[float]) -> list[str]:
    survey = Survey()
    for energy in energies:
        survey.note({"spot_id": "S1", "energy_kwh": energy}, None)
    return survey.warnings()


@pytest.mark.parametrize(
    ("odd", "share", "words"),
    [
        (-1.0, 2, "2 of 100 energies (2.0%) are negative."),
        (0.0, 30, "30 of 100 energies (30.0%) are zero."),
        (1500.0, 2, "2 of 100 energies (2.0%) are above 1,000 kWh"),
    ],
)
def test_energies_that_are_odd_in_numbers(odd: float, share: int, words: str) -> None:
    """A few are the field; many are the mapping, or one meter."""
    [warning] = warnings([odd] * share + [12.5] * (100 - share))
    assert warning.startswith(words)


def test_energies_as_the_field_has_them() -> None:
    """Some cars take nothing."""
    assert warnings([0.0] * 4 + [12.5] * 96) == []


def test_few_energies_tell_nothing() -> None:
    """Nine rows of zero may well be."""
    assert warnings([0.0] * 9) == []


def test_cells_that_cannot_be_read() -> None:
    """By column, with the first few."""
    survey = Survey()
    for row in range(2, 9):
        survey.note_unread("kWh", "n/a", row)
    [warning] = survey.warnings()
    assert warning == (
        "Column kWh: 7 cells cannot be read ('n/a' in row 2, 'n/a' in row 3, 'n/a' in row 4, 'n/a' in row 5,"
        " 'n/a' in row 6); their rows are kept, marked VALUE_UNREADABLE."
    )


@pytest.mark.parametrize(("connectors", "warned"), [([None, None], True), ([0, None], True), ([None, 1], False)])
def test_sessions_of_which_none_states_a_connector(connectors: list[int | None], warned: bool) -> None:
    """Whether two overlap cannot be told by them."""
    survey = Survey()
    for number, connector in enumerate(connectors):
        survey.note({"spot_id": "S1", "session_id": f"{number}", "connector_id": connector}, None)

    assert any("states a connector" in warning for warning in survey.warnings()) == warned
