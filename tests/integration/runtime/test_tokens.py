"""API tokens: who holds one is known by it, and nobody learns one from the database."""

import pytest
from sqlalchemy import Engine

from adapters.postgres.people.tokens import Tokens
from domain.ports.store import Identity
from tests.integration.parts import Spotclaim


@pytest.fixture
def tokens(engine: Engine) -> Tokens:
    return Tokens(engine)


def test_a_token_tells_who_holds_it_and_in_which_role(tokens: Tokens) -> None:
    """And no other text does."""
    tokens.put("billing", "operator", "secret-1")

    assert tokens("secret-1") == Identity("billing", "operator")
    assert [tokens(text) for text in ("secret-2", "", "SECRET-1", "secret-1 ", "billing")] == [None] * 5


def test_nobody_has_a_token_at_first(tokens: Tokens) -> None:
    """So one is made at the first start."""
    assert not tokens.any()
    tokens.put("bootstrap", "admin", "secret-1")
    assert tokens.any()


def test_a_new_token_takes_the_old_ones_place(tokens: Tokens) -> None:
    """With its role."""
    tokens.put("billing", "operator", "secret-1")
    tokens.put("billing", "reviewer", "secret-2")

    assert (tokens("secret-1"), tokens("secret-2")) == (None, Identity("billing", "reviewer"))


def test_putting_the_same_token_again_changes_nothing(tokens: Tokens) -> None:
    """The bootstrap token is put at every start."""
    for _ in range(2):
        tokens.put("bootstrap", "admin", "secret-1")

    assert tokens("secret-1") == Identity("bootstrap", "admin")


def test_a_disabled_token_tells_nobody(tokens: Tokens, spotclaim: Spotclaim) -> None:
    """Until it is given anew."""
    tokens.put("billing", "operator", "secret-1")
    spotclaim.rows("UPDATE api_tokens SET disabled_at = now()")
    assert tokens("secret-1") is None

    tokens.put("billing", "operator", "secret-1")
    assert tokens("secret-1") is not None


def test_the_database_holds_no_token(tokens: Tokens, spotclaim: Spotclaim) -> None:
    """Only what cannot be turned back into one."""
    tokens.put("billing", "operator", "secret-1")

    [row] = spotclaim.rows("SELECT t::text AS whole, digest FROM api_tokens t")
    assert "secret-1" not in row["whole"]
    assert len(bytes(row["digest"])) == 32
    assert tokens(bytes(row["digest"]).hex()) is None
