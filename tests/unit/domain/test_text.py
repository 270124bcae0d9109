"""Numbers with their nouns, and texts that can be stored."""

import pytest

from domain.text import count, measure, storable


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 claims"), (1, "1 claim"), (2, "2 claims"), (1200, "1,200 claims")]
)
def test_a_number_has_its_noun(number: int, said: str) -> None:
    """In the singular for one only, and with its thousands apart."""
    assert count(number, "claim") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    """Used for every number but one."""
    assert [count(number, "batch", "batches") for number in (0, 1, 2)] == ["0 batches", "1 batch", "2 batches"]


@pytest.mark.parametrize(
    ("number", "said"), [(0.5, "0.5 hours"), (1.0, "1 hour"), (1.5, "1.5 hours"), (3650.0, "3650 hours")]
)
def test_a_measure_has_its_unit(number: float, said: str) -> None:
    """Spelled as short as it can be; verdicts on record hold such texts."""
    assert measure(number, "hour") == said


def test_what_no_database_can_hold_is_not_storable() -> None:
    """U+0000 and halves of surrogate pairs; a whole pair is a character."""
    assert [storable(text) for text in ("bell", "\0", "\ud83d", "\udd14", "🔔")] == [
        True,
        False,
        False,
        False,
        True,
    ]
