"""An incident told as a story: where and how large it is, its claims, what happened in order."""

import json
from collections.abc import Iterator
from typing import Any

from workers.cli.printing import minute

CLAIMS_NAMED = 10


def standing(row: dict[str, Any]) -> str:
    """Its status, and how it ended."""
    return f"closed: {row['closed_why']}" if row["closed_why"] else str(row["status"])


def story(
    row: dict[str, Any], claims: list[dict[str, Any]], events: list[dict[str, Any]], *, intact: bool
) -> Iterator[str]:
    """The lines to print."""
    yield f"Incident {row['id']}"
    yield f"  {row['code']} in {row['kind']} {row['place']}: {standing(row)}"
    size = f"at most {row['peak']} spots at once, an incident from {row['threshold']} on"
    yield f"  {size}; {_claims(row['claim_count'])}"
    yield f"  first seen {minute(row['first_seen_at'])}, last seen {minute(row['last_seen_at'])}"
    if row["acknowledged_at"]:
        yield f"  acknowledged {minute(row['acknowledged_at'])}"
    elif row["closed_at"] is None:
        yield "  nobody has acknowledged it"
    if row["root_cause"]:
        yield f"  root cause: {row['root_cause']}"
    yield ""
    yield "Claims"
    for claim in claims[:CLAIMS_NAMED]:
        status = claim["status"].replace("_", " ")
        yield f"  {minute(claim['first_seen_at'])}  {claim['spot_id']:<22} {status}, claim {claim['id']}"
    if len(claims) > CLAIMS_NAMED:
        yield f"  and {len(claims) - CLAIMS_NAMED} more; --json names them all"
    yield ""
    yield "Timeline"
    for event in events:
        told = _told(event["kind"], json.loads(event["body"]))
        yield f"  {event['at']:%Y-%m-%d %H:%M:%S}  {event['actor']:<22} {told}"
    yield ""
    yield f"Audit chain: {len(events)} events, {'intact' if intact else 'BROKEN'}, head {row['head'][:16]}…"


def _told(kind: str, data: dict[str, Any]) -> str:
    note = f": {data['note']}" if data.get("note") else ""
    match kind:
        case "incident.opened":
            usual = f"usual are fewer than {data['threshold']}"
            return f"opened over {_claims(data['claim_count'])}; {data['peak']} spots, {usual}"
        case "incident.counted" | "incident.linked":
            return (
                f"{_claims(len(data['claims']))} more, {data['claim_count']} in all; at most {data['peak']} spots"
            )
        case "incident.grew":
            return f"grew to {data['told_peak']} spots"
        case "incident.quiet":
            return "fell quiet"
        case "incident.closed":
            return f"closed, {data['closed_why']}{note}"
        case "incident.merged":
            return f"took over {_claims(len(data['claims']))} of {data['merged']}"
        case "incident.split":
            return f"{_claims(len(data['claims']))} went to {data['into']}{note}"
        case "incident.acknowledged":
            return f"acknowledged{note}"
        case "incident.announced":
            return f"told {data['destination']}"
        case "incident.root_cause":
            return f"root cause: {data['root_cause']}"
    return kind


def _claims(count: int) -> str:
    return "1 claim" if count == 1 else f"{count} claims"
