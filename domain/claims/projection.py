"""What the audit events of a claim, or of an incident, say that its row must be."""

from collections.abc import Mapping
from typing import Any, Final

from domain.claims.lifecycle import CLOSED, STATUSES, SUBMITTED, UNDER_REVIEW, WITHDRAWN, after
from domain.eligibility.rules import ACTIONS
from domain.incidents import projection as incident_fold

# Columns that an event of any kind states under their own names, and those that only the opening does.
_STATED: Final = frozenset(
    {
        "severity",
        "connector_id",
        "zone",
        "affected_user",
        "reservation_id",
        "session_id",
        "also_filed_by",
        "fault_count",
        "first_seen_at",
        "last_seen_at",
        "cleared_at",
        "resolve_due_at",
        "stages",
        "four_eyes",
        "stage_hours",
        "evidence_digest",
    }
)
# What verification and people did to the clocks, under the names of the columns.
_STATED_OF_CLOCKS: Final = ("time_zone", "acknowledge_due_at", "resolve_due_at", "acknowledged_at")
_STATED_AT_OPENING: Final = ("spot_id", "code")

# Kinds that move a claim and do not name where to; any other `claim.<status>` names it.
_STATUS_AFTER: Final = {
    **{f"claim.{status}": status for status in STATUSES},
    "claim.routed": UNDER_REVIEW,
    "claim.reopened": SUBMITTED,
    "claim.lapsed": WITHDRAWN,
}


def apply(row: dict[str, Any], seq: int, at: str, kind: str, data: Mapping[str, Any]) -> None:
    """Takes the next event into `row`: what the claim's columns must be by now, as far as events state them.

    Moments are spelled as `domain.audit.chain.instant` does. `row` is empty before the first event. Raises
    `Conflict` for a verdict on a claim that could not be judged.
    """
    if kind.startswith("incident."):
        return incident_fold.apply(row, seq, at, kind, data)
    for name in _STATED & data.keys():
        row[name] = data[name]
    if "clocks" in data:
        _bind(row, data["clocks"])
    if kind == "claim.opened":
        row.update({name: data[name] for name in _STATED_AT_OPENING if name in data})
        row["opened_at"], row["policy_version"] = at, data.get("policy")
    elif kind == "claim.verified":
        row["verdict_seq"] = seq
        _judge(row, data["outcome"])
    elif kind == "claim.stage_passed":
        row["stage"], row["escalated_to"] = data["stage"] + 1, None
    elif kind == "claim.escalated":
        row["escalated_to"] = data["to"]
    elif kind in _STATUS_AFTER:
        _move(row, at, _STATUS_AFTER[kind])
        if kind == "claim.reopened":
            row["stage"], row["stages"], row["reopened"] = 0, [], row.get("reopened", 0) + 1
    return None


def _bind(row: dict[str, Any], clocks: Mapping[str, Any]) -> None:
    row.update({name: clocks[name] for name in _STATED_OF_CLOCKS if name in clocks})
    if "policy" in clocks:
        row["policy_version"] = clocks["policy"]


def _judge(row: dict[str, Any], outcome: str) -> None:
    before = row.get("status", SUBMITTED)
    row["status"] = after(before, ACTIONS[outcome])
    if before == UNDER_REVIEW != row["status"]:
        row["stage"], row["stages"], row["escalated_to"] = 0, [], None


def _move(row: dict[str, Any], at: str, status: str) -> None:
    row["status"] = status
    row["closed_at"] = at if status in CLOSED else None
    row["escalated_to"] = None
    if status == UNDER_REVIEW:
        row["stage"] = 1
