"""What an incident's audit events say that its row must be."""

from collections.abc import Mapping
from typing import Any, Final

from domain.incidents.incident import CLOSED, OPEN, QUIET

_STATED: Final = frozenset(
    """
    code kind place threshold first_seen_at last_seen_at claim_count peak told_peak
    root_cause acknowledged_at closed_why merged_into split_from
    """.split()  # noqa: SIM905
)
# Kinds after which it stands otherwise than before.
_STATUS_AFTER: Final = {
    "incident.opened": OPEN,
    "incident.counted": OPEN,
    "incident.quiet": QUIET,
    "incident.closed": CLOSED,
}


def apply(row: dict[str, Any], seq: int, at: str, kind: str, data: Mapping[str, Any]) -> None:
    """Takes the next event into `row`, as `domain.claims.projection.apply` does for claims.

    Besides what its columns must be, `claims` has those that belong to it, each with the number of the event that
    took it. That another incident took one after this was closed is on the other's record alone.
    """
    for name in _STATED & data.keys():
        row[name] = data[name]
    if kind in _STATUS_AFTER:
        row["status"] = _STATUS_AFTER[kind]
    if kind == "incident.opened":
        row["opened_at"] = row["touched_at"] = at
    elif kind == "incident.counted":
        row["touched_at"] = at
    elif kind == "incident.closed":
        row["closed_at"] = at
    _hold(row.setdefault("claims", {}), seq, kind, data)


def _hold(held: dict[str, int], seq: int, kind: str, data: Mapping[str, Any]) -> None:
    if kind == "incident.split":
        for claim_id in data["claims"]:
            held.pop(claim_id, None)
    elif data.get("merged_into"):
        held.clear()
    else:
        held.update(dict.fromkeys(data.get("claims", ()), seq))
