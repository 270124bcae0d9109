"""Formats a claim as a story: what it is, its verdict, clocks, timeline and notifications."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.claims.hold_down import episodes
from domain.events import describe
from domain.notifications.delivery import SILENCED, SUPPRESSED
from domain.text import count
from workers.cli.claims.records_view import records

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
    "duplicate": "nothing; its reports and its evidence went on with the other claim",
}


def faults_named(event: Row) -> list[str]:
    """Returns the keys of the faults that an audit event names."""
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
    """Yields the lines to print."""
    yield f"Claim {claim['number']} ({claim['id']})" if claim["number"] else f"Claim {claim['id']}"
    where = f"{claim['spot_id']}{_connector(claim)}{_zone(claim)}"
    yield f"  {claim['code']} on spot {where}, severity {claim['severity']}"
    yield from _built(claim)
    of = f" of claim {claim['duplicate_of']}" if claim["duplicate_of"] else ""
    yield f"  {_status(claim)}{of}; {_times(claim)}"
    yield from (f"  {line}" for line in (*_reports(faults), *_descriptions(faults)))
    yield from _unknown_fields(faults)
    first, last = _second(claim["first_seen_at"]), _second(claim["last_seen_at"])
    yield f"  first seen {first}, last seen {last}{_rate(claim)}"
    yield from _flapping(faults)
    if incident:
        size = f"{count(incident['claim_count'], 'claim')}, {incident['status']}"
        yield f"  part of incident {incident['id'][-8:]} in {incident['kind']} {incident['place']}: {size}"
    yield f"  policy {claim['policy_version']}"
    yield f"  next: {_next(claim)}"
    yield ""
    if claim["verdict"]:
        yield f"Verdict: {claim['verdict']['outcome']}"
        for answer in claim["verdict"]["answers"]:
            yield f"  {answer['result']:<12} {answer['rule']:<20} {answer['sentence']} [{answer['reason']}]"
        yield from records(claim["verdict"]["answers"])
        yield ""
    if clocks:
        yield "Clock"
        for clock in clocks:
            yield f"  {clock['clock']:<12} {_shown(clock)}"
            yield f"  {'why':>12} {clock['why']}"
        yield ""
    yield "Timeline"
    for event in events:
        happened = describe(event["kind"], event["body"], with_remark=True)
        yield f"  {_second(event['at'])}  {event['actor']:<22} {happened}"
    if deliveries:
        yield ""
        yield "Notifications"
        for delivery in deliveries:
            yield f"  {_second(delivery['created_at'])}  {delivery['destination']:<22} {_delivered(delivery)}"
    yield ""
    state = "intact" if intact else "BROKEN"
    yield f"Audit chain: {count(len(events), 'event')}, {state}, head {claim['head'][:16]}…"


def _shown(clock: Row) -> str:
    zone = ZoneInfo(clock["time_zone"])
    due = f"due {clock['due_at'].astimezone(zone):%Y-%m-%d %H:%M %Z}" if clock["due_at"] else "due when it goes on"
    used = f"{clock['used_hours']:.2f} of {clock['target_hours']:g} h used ({clock['share']:.0%})"
    stopped = f", stopped {clock['stopped_at'].astimezone(zone):%Y-%m-%d %H:%M %Z}" if clock["stopped_at"] else ""
    return f"{clock['state']:<9} {used}, {due}{stopped}, calendar {clock['calendar']}, {clock['time_zone']}"


def _delivered(delivery: Row) -> str:
    not_sent = delivery["status"] in (SILENCED, SUPPRESSED)
    how = delivery["answer"] if not_sent else count(delivery["attempts"], "attempt")
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
    return f"reported {count(claim['fault_count'], 'time')}{cleared}"


def _reports(faults: list[Row]) -> Iterator[str]:
    """Lists the raw codes and their connectors, the most frequent first."""
    raised = Counter(
        (fault["connector_id"], fault["taxonomy"], fault["raw_code"]) for fault in faults if not fault["cleared"]
    )
    for (connector, taxonomy, code), times in raised.most_common():
        where = f"connector {connector}" if connector else "the whole spot"
        yield f"  {where}: {taxonomy} {code}, {count(times, 'time')}"


def _descriptions(faults: list[Row]) -> Iterator[str]:
    """Lists the messages' descriptions, the most frequent first; clears have them too."""
    said = Counter(fault["description"] for fault in faults if fault["description"])
    for words, times in said.most_common(_MOST_DESCRIPTIONS):
        shown = words if len(words) <= _LONGEST_DESCRIPTION else f"{words[:_LONGEST_DESCRIPTION]}…"
        yield f"  described, {count(times, 'time')}: {shown}"
    if len(said) > _MOST_DESCRIPTIONS:
        yield f"  and in {count(len(said) - _MOST_DESCRIPTIONS, 'other way')}; --json has them all"


def _unknown_fields(faults: list[Row]) -> Iterator[str]:
    """Lists the fields of the messages that nobody knows; a slip may be among them."""
    names = sorted({name for fault in faults for name in fault["unknown"] or ()})
    if names:
        yield f"  fields that are not known, and were kept: {', '.join(name[:64] for name in names)}"


def _rate(claim: Row) -> str:
    """Formats the rate of reports between the first and the last."""
    days = (claim["last_seen_at"] - claim["first_seen_at"]) / timedelta(days=1)
    if claim["fault_count"] < 3 or days <= 0:
        return ""
    per_day = (claim["fault_count"] - 1) / days
    often = f"{per_day:,.1f} a day" if per_day < 24 else f"{per_day / 24:,.1f} an hour"
    return f": {often}"


def _flapping(faults: list[Row]) -> Iterator[str]:
    """Describes how often the fault came and went, if it did."""
    found = episodes((fault["occurred_at"], fault["cleared"]) for fault in faults)
    over = [episode for episode in found if episode.cleared_at]
    if over:
        lasted = sum(((e.cleared_at or e.raised_at) - e.raised_at for e in over), timedelta()) / len(over)
        still = ", and is there now" if len(over) < len(found) else ""
        yield f"  came and went {count(len(over), 'time')}, {_span(lasted)} each{still}"


def _span(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return count(round(seconds), "second")


def _connector(claim: Row) -> str:
    return f", connector {claim['connector_id']}" if claim["connector_id"] else ""


def _zone(claim: Row) -> str:
    site = f", site {claim['site']}" if claim["site"] else ""
    return (f" in {claim['zone']}" if claim["zone"] else "") + site


def _built(claim: Row) -> Iterator[str]:
    """Says what stands there, where the spot's registration does."""
    if claim["model"] or claim["firmware"]:
        firmware = f", firmware {claim['firmware']}" if claim["firmware"] else ""
        yield f"  model {claim['model'] or 'unknown'}{firmware}"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
