"""What happened to a claim or an incident, in words; not what people wrote about it."""

import json
from typing import Any, Final

_WORDS: Final = {
    "claim.submitted": "became a claim ({why})",
    "claim.lapsed": "the fault cleared while it was observed; it becomes no claim",
    "claim.faults_counted": "more messages; faults in all: {fault_count}",
    "claim.verified": "found {outcome}: {sentence}",
    "claim.routed": "to {stages}",
    "claim.escalated": "late, and opened to the {to} too",
    "claim.sla_warned": "the time to {clock} runs out",
    "claim.sla_breached": "the time to {clock} is used up",
    "claim.announced": "told {destination}",
    "claim.evidence_added": "added evidence: {kind}",
    "claim.evidence_withdrawn": "withdrew evidence: {kind}",
    "incident.opened": "opened; claims: {claim_count}, spots: {peak}",
    "incident.counted": "went on; claims: {claim_count}, spots at most: {peak}",
    "incident.linked": "took claims in; claims: {claim_count}, spots at most: {peak}",
    "incident.grew": "grew to {told_peak} spots",
    "incident.quiet": "fell quiet",
    "incident.closed": "closed: {closed_why}",
    "incident.merged": "took over incident {merged}; claims: {claim_count}",
    "incident.split": "gave claims to incident {into}; claims: {claim_count}",
    "incident.root_cause": "stated the root cause",
    "incident.announced": "told {destination}",
}


def told(event: dict[str, Any]) -> str:
    """What an audit event says, in a few words."""
    kind, data = event["kind"], json.loads(event["body"])
    if kind not in _WORDS:
        role = f" as {data['role']}" if data.get("role") else ""
        lent = f" on behalf of {data['on_behalf_of']}" if data.get("on_behalf_of") else ""
        return f"{kind.partition('.')[2].replace('_', ' ')}{role}{lent}"
    answers = data.get("answers", [])
    decisive = [answer for answer in answers if answer["result"] != "pass"] or answers[-1:]
    more = {
        "stages": ", then ".join(data.get("stages", [])),
        "sentence": "".join(answer["sentence"] for answer in decisive[:1]),
    }
    return _WORDS[kind].format_map(data | more)
