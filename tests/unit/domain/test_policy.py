"""The built-in policy: whole, and sane."""

from domain.approval import ROLES
from domain.catalogue import CLAIM_TYPES
from domain.policy import SEVERITIES
from tests.builders import a_policy


def test_every_code_of_the_catalogue_has_a_severity() -> None:
    """A fault of any code can open a claim."""
    policy = a_policy()

    assert set(policy.codes) == set(CLAIM_TYPES)
    assert {code.severity for code in policy.codes.values()} <= set(SEVERITIES)


def test_every_severity_has_stages_that_somebody_can_pass() -> None:
    """At least one stage, each with a role that may decide."""
    policy = a_policy()

    assert set(policy.stages) == set(SEVERITIES)
    assert all(roles and set(roles) <= set(ROLES) - {"auditor"} for roles in policy.stages.values())


def test_the_worse_a_claim_the_sooner_it_is_due() -> None:
    """Targets tighten from low to critical."""
    hours = [a_policy().resolve_hours[severity] for severity in SEVERITIES]

    assert hours == sorted(hours, reverse=True)
    assert len(set(hours)) == len(hours)


def test_claims_that_wait_for_somebody_are_announced() -> None:
    """Out of the box a person hears of them."""
    assert "claim.under_review" in {rule.event for rule in a_policy().notifications}
