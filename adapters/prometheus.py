"""Prometheus metrics on a registry that is passed in.

Prefix `spotclaim_`, seconds, never a spot or a claim as a label.
"""

import collections
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.audit.event import OPENED, WHOLE
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.lifecycle import CLOSED
from domain.errors import TransientError
from domain.field.batch import Batch
from domain.field.fault import Fault
from domain.notifications.delivery import SILENCED, SUPPRESSED, Delivery
from domain.ports.store import AttemptResult
from domain.steps import Step

# The `_created` series double the storage and show only what a restart shows already.
disable_created_metrics()  # type: ignore[no-untyped-call]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_RESOLUTION_BUCKETS = (
    *(minutes * _MINUTE for minutes in (1, 5, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 4, 8, 16)),
    *(days * _DAY for days in (1, 2, 3, 5, 7, 14, 28)),
)

_CLOSING_EVENTS = frozenset(f"claim.{status}" for status in CLOSED)


class Metrics:
    """Counts what one process does.

    | metric | labels | counts |
    |---|---|---|
    | faults_received_total | outcome | `opened`, `counted`, `duplicate`, `unmatched` (a clear without a claim) |
    | claims_opened_total | claim_type, severity | claims opened |
    | claims_closed_total | claim_type, outcome, within_sla | claims closed |
    | claim_resolution_seconds | claim_type, severity | from opening to closing |
    | notifications_total | destination, outcome | `sent`, `failed`, `unknown`; `silenced`, `suppressed` |
    | templates_failed_total | template | texts that fell back to the built-in template |
    | notification_delay_seconds | | from when a message was due until it was delivered |
    | sla_breaches_total | claim_type, clock | clocks that ran past their targets |
    | quarantined_total | reason | messages put into quarantine |
    | ocpp_frames_ignored_total | action | frames of the OCPP queue that give no event |
    | step_delay_seconds | step | from when a step was due until it was done |
    | audit_key_wrong | | 1 while the key that is to sign checkpoints is gone, or another one is in its place |
    | audit_chains_broken | | claims whose audit chain the scheduler found broken since it was started |
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._faults = Counter(
            "spotclaim_faults_received", "Fault messages ingested.", ["outcome"], registry=registry
        )
        self._opened = Counter(
            "spotclaim_claims_opened", "Claims opened.", ["claim_type", "severity"], registry=registry
        )
        self._closed = Counter(
            "spotclaim_claims_closed",
            "Claims closed.",
            ["claim_type", "outcome", "within_sla"],
            registry=registry,
        )
        self._resolution = Histogram(
            "spotclaim_claim_resolution_seconds",
            "From opening to closing a claim.",
            ["claim_type", "severity"],
            buckets=_RESOLUTION_BUCKETS,
            registry=registry,
        )
        self._notifications = Counter(
            "spotclaim_notifications",
            "Delivery attempts.",
            ["destination", "outcome"],
            registry=registry,
        )
        self._templates_failed = Counter(
            "spotclaim_templates_failed", "Custom templates that failed.", ["template"], registry=registry
        )
        self._notification_delay = Histogram(
            "spotclaim_notification_delay_seconds",
            "From when a message was due until it was delivered.",
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200),
            registry=registry,
        )
        self._step_delay = Histogram(
            "spotclaim_step_delay_seconds",
            "From when a step was due until it was done.",
            ["step"],
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1800),
            registry=registry,
        )
        self._breaches = Counter(
            "spotclaim_sla_breaches",
            "Clocks that ran past their targets.",
            ["claim_type", "clock"],
            registry=registry,
        )
        self._quarantined = Counter(
            "spotclaim_quarantined", "Messages put into quarantine.", ["reason"], registry=registry
        )
        self._frames_ignored = Counter(
            "spotclaim_ocpp_frames_ignored", "OCPP frames that give no event.", ["action"], registry=registry
        )
        self._chains_broken = Gauge(
            "spotclaim_audit_chains_broken", "Audit chains found broken since the start.", registry=registry
        )
        self._key_wrong = Gauge(
            "spotclaim_audit_key_wrong", "1 while the signing key is gone or another one.", registry=registry
        )
        self._broken: set[str] = set()

    def serve(self, host: str, port: int) -> None:
        """Serves /metrics from a thread of its own, until the process ends."""
        start_http_server(port, host, registry=self._registry)

    def exposition(self) -> bytes:
        """Returns the registry in Prometheus' text format."""
        return generate_latest(self._registry)

    def ingested(self, batch: Batch, changes: Changes) -> None:
        """Counts a committed batch and what it led to."""
        for reason, count in collections.Counter(item.reason for item in batch.quarantined).items():
            self._quarantined.labels(reason).inc(count)
        faults, opened = changes.of(Fault), changes.of(Claim, OPENED)
        unmatched = sum(fault.claim_id is None for fault in faults)
        outcomes = {
            "opened": len(opened),
            "counted": len(faults) - len(opened) - unmatched,
            "unmatched": unmatched,
            "duplicate": len(batch.faults) - len(faults),
        }
        for outcome, count in outcomes.items():
            self._faults.labels(outcome).inc(count)
        labelled = collections.Counter((claim.claim_type, claim.severity) for claim in opened)
        for labels, count in labelled.items():
            self._opened.labels(*labels).inc(count)

    def ignored(self, frames: Mapping[str, int]) -> None:
        """Counts OCPP frames that give no event, by action."""
        for action, count in frames.items():
            self._frames_ignored.labels(action).inc(count)

    def committed(self, changes: Changes) -> None:
        """Counts and times the claims that committed changes closed, and counts their SLA breaches."""
        self._breached(changes)
        for delivery in changes.of(Delivery, WHOLE):
            if delivery.status in (SILENCED, SUPPRESSED):
                self._notifications.labels(delivery.destination, delivery.status).inc()
        closing = {event.subject_id for event in changes.events if event.kind in _CLOSING_EVENTS}
        for claim in changes.of(Claim):
            if claim.id not in closing or claim.closed_at is None:
                continue
            within = "true" if claim.within_sla else "false"
            self._closed.labels(claim.claim_type, claim.status, within).inc()
            seconds = (claim.closed_at - claim.opened_at).total_seconds()
            self._resolution.labels(claim.claim_type, claim.severity).observe(seconds)

    def _breached(self, changes: Changes) -> None:
        types = {claim.id: claim.claim_type for claim in changes.of(Claim)}
        for event in changes.events:
            if event.kind == "claim.sla_breached":
                self._breaches.labels(types[event.subject_id], json.loads(event.body)["clock"]).inc()

    def stepped(self, steps: Sequence[Step], now: datetime) -> None:
        """Observes the delay of steps that were just done."""
        for step in steps:
            if step.due_at is not None:
                self._step_delay.labels(step.kind).observe((now - step.due_at).total_seconds())

    def notified(self, delivery: Delivery, outcome: AttemptResult) -> None:
        """Counts one delivery attempt, and observes the delay of a successful one."""
        self._notifications.labels(delivery.destination, outcome.status).inc()
        since = delivery.due_at or delivery.created_at
        if outcome.sent and since and delivery.finished_at:
            self._notification_delay.observe((delivery.finished_at - since).total_seconds())

    def template_failed(self, name: str) -> None:
        """Counts a fallback from the operator's template to the built-in one."""
        self._templates_failed.labels(name).inc()

    def key_right(self, right: bool) -> None:
        """Sets whether the key that is to sign checkpoints is there."""
        self._key_wrong.set(not right)

    def chain_broken(self, claim_id: str) -> None:
        """Counts a claim whose audit chain was found broken, each once."""
        self._broken.add(claim_id)
        self._chains_broken.set(len(self._broken))


Figures = Callable[[], dict[str, list[tuple[tuple[str, ...], float]]]]


class DatabaseCollector(Collector):
    """Reads figures from the database at each scrape; omits them while it is away."""

    _FAMILIES = (
        ("claims_active", "Claims not closed.", ("status", "claim_type")),
        ("incidents_open", "Incidents not closed.", ("code",)),
        ("quarantine_open", "Messages in quarantine that are not settled.", ("reason",)),
        ("steps_pending", "Steps pending and due.", ("step",)),
        ("steps_oldest_seconds", "Age of the oldest step that is due.", ()),
    )

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            figures = self._figures()
        except TransientError:
            return
        for name, text, labels in self._FAMILIES:
            family: Any = GaugeMetricFamily(f"spotclaim_{name}", text, labels=labels)
            for values, figure in figures.get(name, []):
                family.add_metric(values, figure)
            yield family
