"""A claim told as a story: what it is, why, what happened in order, and what comes next."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

Row = dict[str, Any]

_NEXT = {
    "submitted": "verification",
    "verifying": "routing to a stage",
    "awaiting_evidence": "a usage record of the spot, or the deadline",
    "ineligible": "nothing; the claim is not covered",
    "approved": "the repair or the credit; then somebody resolves it",
    "rejected": "nothing",
    "resolved": "nothing",
}


def faults_named(event: Row) -> list[str]:
    """The keys of the faults that an audit event names."""
    return list(json.loads(event["body"]).get("faults", ()))


def story(
    claim: Row, events: list[Row], faults: list[Row], deliveries: list[Row], *, intact: bool
) -> Iterator[str]:
    """The lines to print."""
    yield f"Claim {claim['id']}"
    where = f"{claim['spot_id']}{_connector(claim)}{_zone(claim)}"
    yield f"  {claim['code']} on spot {where}, severity {claim['severity']}"
    yield f"  {_status(claim)}; {_times(claim)}"
    yield from (f"  {line}" for line in _reports(faults))
    yield f"  first seen {_second(claim['first_seen_at'])}, last seen {_second(claim['last_seen_at'])}"
    yield f"  resolve by {_second(claim['resolve_due_at'])} (policy {claim['policy_version']})"
    yield f"  next: {_next(claim)}"
    yield ""
    if claim["verdict"]:
        yield f"Verdict: {claim['verdict']['outcome']}"
        for answer in claim["verdict"]["answers"]:
            yield f"  {answer['result']:<12} {answer['rule']:<20} {answer['sentence']} [{answer['reason']}]"
        yield ""
    yield "Timeline"
    for event in events:
        data = json.loads(event["body"])
        yield f"  {_second(event['at'])}  {event['actor']:<22} {_told(event['kind'], data)}"
    if deliveries:
        yield ""
        yield "Notifications"
        for delivery in deliveries:
            yield f"  {_second(delivery['created_at'])}  {delivery['destination']:<22} {_delivered(delivery)}"
    yield ""
    yield f"Audit chain: {len(events)} events, {'intact' if intact else 'BROKEN'}, head {claim['head'][:16]}…"


def _told(kind: str, data: Row) -> str:
    match kind:
        case "claim.opened":
            return f"opened with {_many(len(data['faults']), 'message')}"
        case "claim.faults_counted":
            return f"{_many(len(data['faults']), 'message')} more; {data['fault_count']} faults in all"
        case "claim.verified":
            decisive = [answer for answer in data["answers"] if answer["result"] != "pass"] or data["answers"][-1:]
            return f"found {data['outcome']}: {decisive[0]['sentence']}"
        case "claim.routed":
            return f"to {', then '.join(data['stages'])}, because severity is {data['severity']}"
        case "claim.announced":
            return f"told {data['destination']}"
        case _:
            note = f": {data['note']}" if data.get("note") else ""
            return f"{kind.removeprefix('claim.').replace('_', ' ')} as {data.get('role', '')}{note}"


def _delivered(delivery: Row) -> str:
    attempts = _many(delivery["attempts"], "attempt")
    return f"{delivery['status']} ({attempts}) {delivery['title']}"


def _next(claim: Row) -> str:
    if claim["status"] == "under_review":
        role = claim["stages"][claim["stage"] - 1]
        return f"the {role} decides (stage {claim['stage']} of {len(claim['stages'])})"
    return _NEXT[claim["status"]]


def _status(claim: Row) -> str:
    return str(claim["status"]).replace("_", " ")


def _times(claim: Row) -> str:
    cleared = f", last cleared {_second(claim['cleared_at'])}" if claim["cleared_at"] else ""
    return f"reported {_many(claim['fault_count'], 'time')}{cleared}"


def _reports(faults: list[Row]) -> Iterator[str]:
    """How the field put it: the raw codes with their connectors, the most frequent first."""
    raised = Counter(
        (fault["connector_id"], fault["taxonomy"], fault["raw_code"]) for fault in faults if not fault["cleared"]
    )
    for (connector, taxonomy, code), count in raised.most_common():
        where = f"connector {connector}" if connector else "the whole spot"
        yield f"  {where}: {taxonomy} {code}, {_many(count, 'time')}"


def _connector(claim: Row) -> str:
    return f", connector {claim['connector_id']}" if claim["connector_id"] else ""


def _zone(claim: Row) -> str:
    return f" in {claim['zone']}" if claim["zone"] else ""


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
