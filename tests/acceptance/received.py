"""What a real receiver of notifications received in the end, however often it came."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.contracts.receivers import WebHook

Row = dict[str, Any]


def messages(hook: WebHook) -> list[Row]:
    """What it has when it drops what it received under the same key before; a repeat says the same."""
    found: dict[str, Row] = {}
    for _, body in list(hook.posted):
        message = body["spotclaim"]
        assert found.setdefault(message["delivery"], message) == message
    keys = [str(headers["Idempotency-Key"]) for headers in hook.headers]
    assert Counter(keys) == Counter(body["spotclaim"]["delivery"] for _, body in hook.posted)
    return list(found.values())


def of_incident(hook: WebHook) -> list[str]:
    """What it received about incidents, in order, but for their growing."""
    events = [message["event"] for message in messages(hook)]
    return [event for event in events if event.startswith("incident.") and event != "incident.grew"]


def claims_in(deliveries: Iterable[Row], *statuses: str) -> Counter[str]:
    """How often claims are in such deliveries of their own standing."""
    return Counter(
        claim_id
        for row in deliveries
        if row["event"].startswith("claim.") and row["status"] in statuses
        for claim_id in row["subject_ids"]
    )
