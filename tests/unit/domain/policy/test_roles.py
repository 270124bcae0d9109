"""Who may do what, beside the decisions that belong to a claim's stage."""

import pytest

from domain.errors import NotAllowed
from domain.policy import roles
from domain.policy.roles import ROLES, Right

EVERYBODY_BUT_AUDITORS = {"operator", "reviewer", "manager", "admin"}
OTHERS = {"CHANGE_DESTINATIONS": {"admin"}, "READ_ADMINISTRATION": {"auditor", "admin"}}
RIGHTS = {name: right for name, right in vars(roles).items() if isinstance(right, Right)}


@pytest.mark.parametrize("name", RIGHTS)
def test_who_has_a_right(name: str) -> None:
    """Auditors read, also what administrators do; destinations, which hold secrets, are the administrator's."""
    having = {role for role in ROLES if may(RIGHTS[name], role)}

    assert having == OTHERS.get(name, EVERYBODY_BUT_AUDITORS)


def may(right: Right, role: str) -> bool:
    try:
        right.demand(role)
    except NotAllowed:
        return False
    return True


def test_a_refusal_names_the_role() -> None:
    """And who may."""
    sentence = "The role auditor handles no incidents; operator, reviewer, manager, admin do."
    with pytest.raises(NotAllowed, match=f"^{sentence}$"):
        roles.HANDLE_INCIDENTS.demand("auditor")
