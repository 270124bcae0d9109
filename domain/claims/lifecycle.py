"""Where a claim can go from where it is: one table, and nothing moves a claim but this table."""

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
)

# A new fault on the same spot and code opens a new claim only when the last one ended like this. An ineligible
# claim goes on counting: otherwise a flapping spot without cover would open a claim with every message.
CLOSED: Final = (REJECTED, RESOLVED, WITHDRAWN)
WAITING_FOR_VERDICT: Final = (SUBMITTED, AWAITING_EVIDENCE)
# Until somebody decides, what becomes known later counts as if it had been known at once.
JUDGED: Final = (*WAITING_FOR_VERDICT, VERIFYING, INELIGIBLE, UNDER_REVIEW)

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
    **{(status, "withdraw"): WITHDRAWN for status in STATUSES if status not in CLOSED},
    **{(status, "reopen"): SUBMITTED for status in CLOSED},
}


# What people do; the others follow from rules. Besides, anybody may note, and acknowledge while a claim is open.
_BY_PEOPLE: Final = ("approve", "reject", "resolve", "withdraw", "reopen")


def allowed(status: str) -> list[str]:
    """What people may do with a claim in this status."""
    moves = [action for (origin, action) in _TRANSITIONS if origin == status and action in _BY_PEOPLE]
    return [*moves, *(() if status in CLOSED else ("acknowledge",)), "note"]


def after(status: str, action: str) -> str:
    """The status that follows. Raises `Conflict`, naming what is allowed, for anything not in the table."""
    try:
        return _TRANSITIONS[status, action]
    except KeyError:
        options = ", ".join(allowed(status))
        raise Conflict(
            f"A claim that is {status} cannot take the action {action}; allowed from here: {options}."
        ) from None


def diagram() -> str:
    """The table as a state diagram in Mermaid's language, without what changes nothing, and without withdrawal,
    which is possible from every open state."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (origin, action), target in _TRANSITIONS.items():
        if action != "withdraw" and origin != target:
            arrows.setdefault((origin, target), []).append(action.replace("_", " "))
    lines = [f"    {origin} --> {target}: {' / '.join(actions)}" for (origin, target), actions in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {OBSERVED}", f"    [*] --> {SUBMITTED}", *lines])
