"""Defines the statuses of a claim and their transitions, in one table.

A claim changes its status by this table alone.
"""

from typing import Final

from domain.errors import Conflict

OBSERVED: Final = "observed"
SUBMITTED: Final = "submitted"
VERIFYING: Final = "verifying"
AWAITING_EVIDENCE: Final = "awaiting_evidence"
INELIGIBLE: Final = "ineligible"
UNDER_REVIEW: Final = "under_review"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
RESOLVED: Final = "resolved"
WITHDRAWN: Final = "withdrawn"
DUPLICATE: Final = "duplicate"

STATUSES: Final = (
    OBSERVED,
    SUBMITTED,
    VERIFYING,
    AWAITING_EVIDENCE,
    INELIGIBLE,
    UNDER_REVIEW,
    APPROVED,
    REJECTED,
    RESOLVED,
    WITHDRAWN,
    DUPLICATE,
)

# A new fault on the same spot and code opens a new claim only when the last one ended like this. An ineligible
# claim goes on counting: otherwise a flapping spot without cover would open a claim with every message.
CLOSED: Final = (REJECTED, RESOLVED, WITHDRAWN, DUPLICATE)
WAITING_FOR_VERDICT: Final = (SUBMITTED, AWAITING_EVIDENCE)
JUDGED: Final = (*WAITING_FOR_VERDICT, VERIFYING, INELIGIBLE, UNDER_REVIEW)
"""The statuses in which a claim is verified again when a usage record or a registration of its spot arrives.

Until somebody decides, what becomes known later counts as if it had been known at once. A claim that is being
verified just now is among them: its verifier may have read before the record came.
"""

_TRANSITIONS: Final[dict[tuple[str, str], str]] = {
    (OBSERVED, "submit"): SUBMITTED,
    (OBSERVED, "lapse"): WITHDRAWN,
    **{(status, "find_eligible"): VERIFYING for status in JUDGED},
    **{(status, "await_evidence"): AWAITING_EVIDENCE for status in JUDGED},
    **{(status, "find_ineligible"): INELIGIBLE for status in JUDGED},
    (UNDER_REVIEW, "find_eligible"): UNDER_REVIEW,
    (VERIFYING, "route"): UNDER_REVIEW,
    (VERIFYING, "approve_by_rule"): APPROVED,
    (UNDER_REVIEW, "approve"): APPROVED,
    (UNDER_REVIEW, "reject"): REJECTED,
    (APPROVED, "resolve"): RESOLVED,
    (INELIGIBLE, "reopen"): SUBMITTED,
    **{(status, "judge_afresh"): SUBMITTED for status in (*JUDGED, APPROVED)},
    **{(status, "withdraw"): WITHDRAWN for status in STATUSES if status not in CLOSED},
    **{(status, "mark_duplicate"): DUPLICATE for status in STATUSES if status not in CLOSED},
    **{(status, "reopen"): SUBMITTED for status in CLOSED},
}

# What each outcome of a verification does to a claim.
ELIGIBLE: Final = "eligible"
INSUFFICIENT: Final = "insufficient"
VERDICTS: Final = {ELIGIBLE: "find_eligible", INSUFFICIENT: "await_evidence", INELIGIBLE: "find_ineligible"}

# What people do; the others follow from rules. Anybody may also add a note, and acknowledge an open claim.
_BY_PEOPLE: Final = ("approve", "reject", "resolve", "withdraw", "reopen")


def allowed(status: str) -> list[str]:
    """Lists what people may do with a claim in this status."""
    moves = [action for (origin, action) in _TRANSITIONS if origin == status and action in _BY_PEOPLE]
    return [*moves, *(() if status in CLOSED else ("acknowledge",)), "note"]


def after(status: str, action: str) -> str:
    """Returns the status after an action.

    Raises `Conflict`, naming what is allowed, for an action that is not in the table.
    """
    try:
        return _TRANSITIONS[status, action]
    except KeyError:
        options = ", ".join(allowed(status))
        raise Conflict(
            f"A claim that is {status} cannot take the action {action}; allowed from here: {options}."
        ) from None


def diagram() -> str:
    """Draws the table as a state diagram in Mermaid's language.

    It leaves out transitions to the same status, and those that are possible from every open one.
    """
    arrows: dict[tuple[str, str], list[str]] = {}
    for (origin, action), target in _TRANSITIONS.items():
        if action not in ("withdraw", "mark_duplicate") and origin != target:
            arrows.setdefault((origin, target), []).append(action.replace("_", " "))
    lines = [f"    {origin} --> {target}: {' / '.join(actions)}" for (origin, target), actions in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {OBSERVED}", f"    [*] --> {SUBMITTED}", *lines])
