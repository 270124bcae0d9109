"""A claim told as a story: what it is, why, what happened in order, and what comes next."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.claims.hold_down import episodes
from domain.notifications.delivery import SILENCED, SUPPRESSED

Row = dict[str, Any]

_MOST_DESCRIPTIONS = 5
_LONGEST_DESCRIPTION = 400

_NEXT = {
    "observed": "the end of its hold-down",
    "submitted": "verification",
    "verifying": "routing to a stage",
    "awaiting_evidence": "a usage record of the spot, or the deadline",
    "ineligible": "nothing; the claim is not covered",
    "approved": "the repair or the credit; then somebody resolves it",
    "rejected": "nothing",
    "resolved": "nothing",
    "withdrawn": "nothing",
}


def faults_named(event: Row) -> list[str]:
    """The keys of the faults that an audit event names."""
    return list(json.loads(event["body"]).get("faults", ()))


def story(
    claim: Row,
    incident: Row | None,
    clocks: list[Row],
    events: list[Row],
    faults: list[Row],
    deliveries: list[Row],
    *,
    intact: bool,
) -> Iterator[str]:
    """The lines to print."""
    yield f"Claim {claim['id']}"
    where = f"{claim['spot_id']}{_connector(claim)}{_zone(claim)}"
    yield f"  {claim['code']} on spot {where}, severity {claim['severity']}"
    yield f"  {_status(claim)}; {_times(claim)}"
    yield from (f"  {line}" for line in (*_reports(faults), *_descriptions(faults)))
    first, last = _second(claim["first_seen_at"]), _second(claim["last_seen_at"])
    yield f"  first seen {first}, last seen {last}{_rate(claim)}"
    yield from _flapping(faults)
    if incident:
        size = f"{incident['claim_count']} claims, {incident['status']}"
        yield f"  part of incident {incident['id'][-8:]} in {incident['kind']} {incident['place']}: {size}"
    yield f"  policy {claim['policy_version']}"
    yield f"  next: {_next(claim)}"
    yield ""
    if claim["verdict"]:
        yield f"Verdict: {claim['verdict']['outcome']}"
        for answer in claim["verdict"]["answers"]:
            yield f"  {answer['result']:<12} {answer['rule']:<20} {answer['sentence']} [{answer['reason']}]"
        yield ""
    if clocks:
        yield "Clock"
        for clock in clocks:
            yield f"  {clock['clock']:<12} {_shown(clock)}"
            yield f"  {'why':>12} {clock['why']}"
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
            return f"found {data['outcome']}: {decisive[0]['sentence']}{_kept_time(data.get('clocks', {}))}"
        case "claim.routed":
            return f"to {', then '.join(data['stages'])}: {_rule(data)}"
        case "claim.approved" if data.get("automatic"):
            return f"approved without a person: {_rule(data)}"
        case "claim.escalated":
            return f"late at the {data['from'][-1]}, opened to the {data['to']} too"
        case "claim.lapsed":
            return "the fault cleared while it was observed; it becomes no claim"
        case "claim.submitted":
            told = "the fault flaps" if data.get("why") == "flapping" else "the fault outlasted its hold-down"
            return f"{told}{_episodes(data)}"
        case "claim.sla_warned" | "claim.sla_breached":
            spent = "runs out" if kind == "claim.sla_warned" else "is used up"
            return f"the time to {data['clock']} {spent}: {data['used_hours']:g} hours, due {data['due_at'][:19]}"
        case "claim.announced":
            return f"told {data['destination']}"
        case "claim.evidence_added":
            size = f" ({data['media_type']}, {_many(data['size'], 'byte')})" if "size" in data else ""
            return f"added evidence: {_kind(data)}{size}"
        case "claim.evidence_withdrawn":
            return f"withdrew evidence: {_kind(data)}: {data['reason']}"
        case _:
            note = f": {data['note']}" if data.get("note") else ""
            lent = f" on behalf of {data['on_behalf_of']}" if data.get("on_behalf_of") else ""
            return f"{kind.removeprefix('claim.').replace('_', ' ')} as {data.get('role', '')}{lent}{note}"


def _episodes(data: Row) -> str:
    return f" ({_many(data['episodes'], 'episode')})" if data.get("episodes", 0) > 1 else ""


def _rule(data: Row) -> str:
    cost = f"{data['estimated_cost']:g} {data['currency']}"
    return f"rule {data['rule']}, severity {data['severity']}, estimated cost {cost}"


def _kept_time(clocks: Row) -> str:
    """What the event did to the clocks."""
    if "paused_at" in clocks:
        return " (clocks paused)"
    return " (clocks resumed)" if "resumed_at" in clocks else ""


def _shown(clock: Row) -> str:
    zone = ZoneInfo(clock["time_zone"])
    due = f"due {clock['due_at'].astimezone(zone):%Y-%m-%d %H:%M %Z}" if clock["due_at"] else "due when it goes on"
    used = f"{clock['used_hours']:.2f} of {clock['target_hours']:g} h used ({clock['share']:.0%})"
    stopped = f", stopped {clock['stopped_at'].astimezone(zone):%Y-%m-%d %H:%M %Z}" if clock["stopped_at"] else ""
    return f"{clock['state']:<9} {used}, {due}{stopped}, calendar {clock['calendar']}, {clock['time_zone']}"


def _kind(data: Row) -> str:
    return str(data["kind"]).replace("_", " ")


def _delivered(delivery: Row) -> str:
    not_sent = delivery["status"] in (SILENCED, SUPPRESSED)
    how = delivery["answer"] if not_sent else _many(delivery["attempts"], "attempt")
    return f"{delivery['status']} ({how}) {delivery['title']}"


def _next(claim: Row) -> str:
    if claim["status"] == "under_review":
        role = claim["stages"][claim["stage"] - 1]
        late = f" or, since that is late, the {claim['escalated_to']}" if claim["escalated_to"] else ""
        return f"the {role}{late} decides (stage {claim['stage']} of {len(claim['stages'])})"
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


def _descriptions(faults: list[Row]) -> Iterator[str]:
    """What the messages said in words, the most frequent first; clears say it too."""
    said = Counter(fault["description"] for fault in faults if fault["description"])
    for words, count in said.most_common(_MOST_DESCRIPTIONS):
        shown = words if len(words) <= _LONGEST_DESCRIPTION else f"{words[:_LONGEST_DESCRIPTION]}…"
        yield f"  described, {_many(count, 'time')}: {shown}"
    if len(said) > _MOST_DESCRIPTIONS:
        yield f"  and in {_many(len(said) - _MOST_DESCRIPTIONS, 'other way')}; --json has them all"


def _rate(claim: Row) -> str:
    """How often it was reported in that time."""
    days = (claim["last_seen_at"] - claim["first_seen_at"]) / timedelta(days=1)
    if claim["fault_count"] < 3 or days <= 0:
        return ""
    per_day = (claim["fault_count"] - 1) / days
    often = f"{per_day:,.1f} a day" if per_day < 24 else f"{per_day / 24:,.1f} an hour"
    return f": {often}"


def _flapping(faults: list[Row]) -> Iterator[str]:
    """How often it came and went, where it did."""
    found = episodes((fault["occurred_at"], fault["cleared"]) for fault in faults)
    over = [episode for episode in found if episode.cleared_at]
    if over:
        lasted = sum(((e.cleared_at or e.raised_at) - e.raised_at for e in over), timedelta()) / len(over)
        still = ", and is there now" if len(over) < len(found) else ""
        yield f"  came and went {_many(len(over), 'time')}, {_span(lasted)} each{still}"


def _span(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.0f} seconds"


def _connector(claim: Row) -> str:
    return f", connector {claim['connector_id']}" if claim["connector_id"] else ""


def _zone(claim: Row) -> str:
    return f" in {claim['zone']}" if claim["zone"] else ""


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
