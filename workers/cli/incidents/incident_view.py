"""Formats an incident as a story: place, size, claims and timeline."""

from collections.abc import Iterator
from typing import Any

from domain.events import describe
from domain.text import count
from workers.cli.printing import minute

CLAIMS_NAMED = 10


def standing(row: dict[str, Any]) -> str:
    """Formats its status, and how it ended."""
    return f"closed: {row['closed_why']}" if row["closed_why"] else str(row["status"])


def story(
    row: dict[str, Any], claims: list[dict[str, Any]], events: list[dict[str, Any]], *, intact: bool
) -> Iterator[str]:
    """Yields the lines to print."""
    yield f"Incident {row['id']}"
    yield f"  {row['code']} in {row['kind']} {row['place']}: {standing(row)}"
    size = f"at most {count(row['peak'], 'spot')} at once, an incident from {row['threshold']} on"
    yield f"  {size}; {count(row['claim_count'], 'claim')}"
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
        name = claim["number"] or claim["id"]
        yield f"  {minute(claim['first_seen_at'])}  {claim['spot_id']:<22} {status}, claim {name}"
    if len(claims) > CLAIMS_NAMED:
        yield f"  and {len(claims) - CLAIMS_NAMED} more; --json names them all"
    yield ""
    yield "Timeline"
    for event in events:
        happened = describe(event["kind"], event["body"], with_remark=True)
        yield f"  {event['at']:%Y-%m-%d %H:%M:%S}  {event['actor']:<22} {happened}"
    yield ""
    state = "intact" if intact else "BROKEN"
    yield f"Audit chain: {count(len(events), 'event')}, {state}, head {row['head'][:16]}…"
