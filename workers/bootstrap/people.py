"""Who may do what: tokens with their roles, and authority that is lent."""

from dataclasses import dataclass

from adapters.postgres.people.delegations import Delegations
from adapters.postgres.people.tokens import Tokens
from workers.bootstrap.foundation import Foundation


@dataclass(frozen=True, slots=True)
class People:
    """The people and programs that are known."""

    delegations: Delegations
    tokens: Tokens


def build(base: Foundation) -> People:
    """Builds the part."""
    return People(delegations=Delegations(base.engine), tokens=Tokens(base.engine))
