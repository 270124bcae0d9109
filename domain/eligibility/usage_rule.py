"""Evaluates whether usage records corroborate a claim."""

from domain.eligibility.allocation import allocation
from domain.eligibility.discrepancy import discrepancy
from domain.eligibility.evaluation import INSUFFICIENT, PASS, EvaluationInput, RuleResult
from domain.eligibility.question import SESSIONS_AT_MOST
from domain.eligibility.usage_answer import answer
from domain.policy.error_codes import ALLOCATION_FAILURE, EQUIPMENT
from domain.policy.policy import Policy


def usage_corroborates(case: EvaluationInput, policy: Policy) -> RuleResult:
    """Demands that usage records corroborate the claim, if its error leaves a trace."""
    if case.claim.claim_type == EQUIPMENT:
        return answer(PASS, "NOT_DEMANDED", "An equipment fault needs no usage record.")
    if case.too_much_usage:
        sentence = f"More than {SESSIONS_AT_MOST} sessions lie around the fault: too many to tell by them."
        return answer(INSUFFICIENT, "TOO_MANY_SESSIONS", sentence)
    if case.claim.claim_type == ALLOCATION_FAILURE:
        return allocation(case, policy)
    return discrepancy(case, policy)
