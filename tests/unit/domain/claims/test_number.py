"""Numbers that people say: how they are spelled, and what is read as one."""

import pytest

from domain.claims.number import as_number, identities
from tests.builders import NOW, ids


def test_a_claim_has_the_number_that_was_drawn_for_it() -> None:
    """With the year in which it opens, and six digits or more."""
    named = identities(["a", "b"], [4711, 1_000_000], NOW)

    assert list(named) == [("a", "SC-2026-004711"), ("b", "SC-2026-1000000")]


def test_too_few_numbers_are_an_error() -> None:
    """No claim opens without one."""
    with pytest.raises(ValueError, match="shorter"):
        list(identities(["a", "b"], [1], NOW))


@pytest.mark.parametrize("text", ["SC-2026-004711", " sc-2026-004711 ", "Sc-2026-004711"])
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    """In capitals or not."""
    assert as_number(text) == "SC-2026-004711"


@pytest.mark.parametrize(
    "text", ["", "4711", "SC-2026-4711", "SC-26-004711", "SC-2026-00471x", next(ids()), "SC-٢٠٢٦-004711"]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    """They may be ids."""
    assert as_number(text) is None
