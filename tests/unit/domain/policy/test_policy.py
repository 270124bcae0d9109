"""The built-in policy: whole, and sane."""

import pytest

from domain.policy.error_codes import CLAIM_TYPES
from domain.policy.policy import SEVERITIES, ApprovalRule, Target
from domain.policy.roles import ROLES
from tests.builders import a_policy


def test_every_code_of_the_catalogue_has_a_severity() -> None:
    """A fault of any code can open a claim."""
    policy = a_policy()

    assert set(policy.codes) == set(CLAIM_TYPES)
    assert {code.severity for code in policy.codes.values()} <= set(SEVERITIES)


EVERY_KIND = [(severity, kind) for severity in SEVERITIES for kind in sorted(set(CLAIM_TYPES.values()))]


@pytest.mark.parametrize(("severity", "claim_type"), EVERY_KIND)
def test_every_claim_has_somebody_to_decide_it(severity: str, claim_type: str) -> None:
    """Whatever it costs: at least one stage, each with a role that may decide."""
    for cost in (0, 1e9):
        stages = a_policy().approval_for(severity, claim_type, cost).stages

        assert stages
        assert set(stages) <= set(ROLES) - {"auditor"}


@pytest.mark.parametrize("claim_type", sorted(set(CLAIM_TYPES.values())))
def test_the_worse_a_claim_the_sooner_it_is_due(claim_type: str) -> None:
    """Targets tighten from low to critical."""
    targets = [a_policy().target_for(severity, claim_type) for severity in SEVERITIES]

    for hours in ([t.acknowledge_hours for t in targets], [t.resolve_hours / _hours_a_day(t) for t in targets]):
        assert hours == sorted(hours, reverse=True)
        assert len(set(hours)) == len(hours)


def _hours_a_day(target: Target) -> float:
    """Ten on a business day, with a seventh less for weekends, a day around the clock being one."""
    return 1.0 if target.calendar == "always" else 10 / 24 * 5 / 7


def test_the_first_rule_that_fits_counts() -> None:
    """By severity, type and cost; a rule without conditions fits everything."""
    cheap = ApprovalRule(automatic=True, severities=("low",), claim_types=("equipment",), cost_up_to=50)
    rest = ApprovalRule(("manager",))
    policy = a_policy(approval=(cheap, rest))

    assert policy.approval_for("low", "equipment", 50) is cheap
    assert policy.approval_for("low", "equipment", 50.01) is rest
    assert policy.approval_for("low", "usage_discrepancy", 1) is rest
    assert policy.approval_for("high", "equipment", 1) is rest


def test_claims_that_wait_for_somebody_are_announced() -> None:
    """Out of the box a person hears of them."""
    assert "claim.under_review" in {rule.event for rule in a_policy().notifications}
