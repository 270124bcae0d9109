"""Defines what is done about people: tokens with their roles, and delegations."""

from typing import Final

from domain.administration.act import Act
from domain.administration.things import LentAuthority, Token


class _OfDelegation(Act):
    __slots__ = ()
    RECORD, THING = LentAuthority, "delegation"

    @property
    def _who(self) -> str:
        return "the authority of the {role} {of} to {to}".format_map(self.columns)


class DelegationGiven(_OfDelegation):
    """Somebody lent their authority to another."""

    __slots__ = ()
    KIND = "administration.delegation_given"

    @property
    def sentence(self) -> str:
        return f"lent {self._who} until {self._minute('until')}"


class DelegationEnded(_OfDelegation):
    """A delegation was ended before its time."""

    __slots__ = ()
    KIND = "administration.delegation_ended"

    @property
    def sentence(self) -> str:
        return f"ended the loan of {self._who}"


class DelegationRestated(_OfDelegation):
    """A delegation from before such acts were on record."""

    __slots__ = ()
    KIND = "administration.delegation_restated"


class _OfToken(Act):
    __slots__ = ()
    RECORD, THING = Token, "token"


class TokenAdded(_OfToken):
    """Somebody was given a token and a role."""

    __slots__ = ()
    KIND = "administration.token_added"

    @property
    def sentence(self) -> str:
        return "added {name} as {role}".format_map(self.columns)


class TokenReplaced(_OfToken):
    """Somebody was given a new token, with the same role."""

    __slots__ = ()
    KIND = "administration.token_replaced"

    @property
    def sentence(self) -> str:
        return "gave {name}, still {role}, a new token".format_map(self.columns)


class RoleChanged(_OfToken):
    """Somebody was given another role, with a new token."""

    __slots__ = ()
    KIND = "administration.role_changed"

    @property
    def sentence(self) -> str:
        return "gave {name} another role, {role}, and a new token".format_map(self.columns)


class TokenDisabled(_OfToken):
    """Somebody's token was disabled."""

    __slots__ = ()
    KIND = "administration.token_disabled"

    @property
    def sentence(self) -> str:
        return "disabled the token of {name}, {role}".format_map(self.columns)


class TokenRestated(_OfToken):
    """A token from before such acts were on record."""

    __slots__ = ()
    KIND = "administration.token_restated"


EVENTS: Final[tuple[type[Act], ...]] = (
    DelegationGiven,
    DelegationEnded,
    DelegationRestated,
    TokenAdded,
    TokenReplaced,
    RoleChanged,
    TokenDisabled,
    TokenRestated,
)
