"""What one process counts by itself."""

from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from adapters.prometheus import DatabaseCollector, Figures, Metrics
from domain.audit.event import OPENED
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.clock_events import SlaBreached, SlaWarned
from domain.claims.correct import Asked
from domain.claims.decide import Person, decide
from domain.claims.duplicate import mark_duplicate
from domain.claims.events import ClaimNotified
from domain.errors import TransientError
from domain.ports.store import AttemptResult
from tests.builders import (
    NOW,
    a_batch,
    a_claim,
    a_claim_under_review,
    a_clear,
    a_delivery,
    a_fault,
    a_policy,
    a_quarantined,
)

POLICY = a_policy()


class Counted:
    """A registry of its own, read as Prometheus would read it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)

    def __getitem__(self, sample: str) -> float:
        name, _, labels = sample.partition("{")
        pairs = dict(label.split("=") for label in labels.rstrip("}").split(",")) if labels else {}
        return self.registry.get_sample_value(f"spotclaim_{name}", pairs) or 0.0


def test_faults_are_counted_by_what_became_of_them() -> None:
    """One opened the claim, two raised its count, a clear found none, and one had come before."""
    counted, claim = Counted(), a_claim()
    faults = [a_fault(claim_id=claim.id), a_fault(claim_id=claim.id), a_fault(claim_id=claim.id), a_clear()]

    changes = Changes(*faults)
    changes.put(claim, part=OPENED)
    counted.metrics.ingested(a_batch(faults=[*faults, a_fault()]), changes)

    outcomes = {name: counted[f"faults_received_total{{outcome={name}}}"] for name in ("opened", "counted")}
    assert outcomes == {"opened": 1, "counted": 2}
    assert counted["faults_received_total{outcome=unmatched}"] == 1
    assert counted["faults_received_total{outcome=duplicate}"] == 1
    assert counted["claims_opened_total{claim_type=usage_discrepancy,severity=high}"] == 1


def test_quarantined_messages_are_counted_by_reason() -> None:
    """So that a failing source shows at once."""
    counted = Counted()

    counted.metrics.ingested(a_batch(quarantined=[a_quarantined(), a_quarantined(b"x")]), Changes())

    assert counted["quarantined_total{reason=NOT_JSON}"] == 2


def closed(claim: Claim, after: timedelta) -> Changes:
    person, now = Person("eve", "admin"), claim.opened_at + after
    return decide(claim, "reject", person, note="why", policies=lambda _: POLICY, now=now)


def test_a_closed_claim_is_timed() -> None:
    """In time or late, by how it ended."""
    counted = Counted()

    for hours in (1, 72, 73):
        counted.metrics.committed(closed(a_claim_under_review(), timedelta(hours=hours)))

    labels = "claim_type=usage_discrepancy,outcome=rejected"
    assert counted[f"claims_closed_total{{{labels},within_sla=true}}"] == 2
    assert counted[f"claims_closed_total{{{labels},within_sla=false}}"] == 1
    assert counted["claim_resolution_seconds_sum{claim_type=usage_discrepancy,severity=high}"] == 146 * 3600


def test_a_duplicate_is_counted_as_one() -> None:
    """The claim that it is a duplicate of is not closed by that."""
    counted, other = Counted(), a_claim(code="OTHER")
    asked = Asked(Person("eve", "admin"), "one fault")

    counted.metrics.committed(mark_duplicate(a_claim(), other, asked, spot=None, policy=POLICY, now=NOW))

    [closings] = [
        line for line in generate_latest(counted.registry).splitlines() if b"claims_closed_total{" in line
    ]
    assert b'outcome="duplicate"' in closings


def test_a_claim_that_only_changed_is_not_counted_as_closed() -> None:
    """Not even one that had been closed before."""
    counted, claim = Counted(), a_claim(status="resolved", closed_at=NOW)
    changes = Changes()
    notified = ClaimNotified(delivery="1", destination="ops", event="claim.resolved")
    changes.record(claim, notified, NOW, "rule:notifications")

    counted.metrics.committed(changes)

    assert b"claims_closed_total{" not in generate_latest(counted.registry)


def test_breaches_are_counted_by_their_clock() -> None:
    """A warning is none."""
    counted, claim, changes = Counted(), a_claim(), Changes()
    for alert, clock in ((SlaWarned, "resolve"), (SlaBreached, "resolve"), (SlaWarned, "acknowledge")):
        changes.record(claim, alert(clock=clock, due_at=NOW, used_hours=1.0), NOW, "rule:sla")

    counted.metrics.committed(changes)

    assert counted["sla_breaches_total{claim_type=usage_discrepancy,clock=resolve}"] == 1
    assert counted["sla_breaches_total{claim_type=usage_discrepancy,clock=acknowledge}"] == 0


def test_attempts_to_notify_are_counted_and_timed() -> None:
    """From when a message was due until it was sent; what may have arrived is counted apart."""
    counted = Counted()
    sent = a_delivery(due_at=NOW + timedelta(minutes=1), finished_at=NOW + timedelta(seconds=63))

    counted.metrics.notified(a_delivery(), AttemptResult(False, "500"))
    counted.metrics.notified(a_delivery(), AttemptResult(False, "no answer", unknown=True))
    counted.metrics.notified(sent, AttemptResult(True, "delivered"))

    assert counted["notifications_total{destination=ops,outcome=failed}"] == 1
    assert counted["notifications_total{destination=ops,outcome=unknown}"] == 1
    assert counted["notifications_total{destination=ops,outcome=sent}"] == 1
    assert counted["notification_delay_seconds_sum"] == 3


def test_what_is_not_to_be_sent_is_counted_too() -> None:
    """So that nobody wonders why nothing came."""
    counted = Counted()
    statuses = ("silenced", "suppressed", "suppressed", "pending", "gathering")

    counted.metrics.committed(Changes(*(a_delivery(status=status) for status in statuses)))

    assert counted["notifications_total{destination=ops,outcome=silenced}"] == 1
    assert counted["notifications_total{destination=ops,outcome=suppressed}"] == 2
    assert counted["notifications_total{destination=ops,outcome=pending}"] == 0


def scraped(figures: Figures) -> str:
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(figures))
    return generate_latest(registry).decode()


def test_figures_of_the_database_are_read_when_scraped() -> None:
    """With their labels."""
    text = scraped(
        lambda: {
            "claims_active": [(("submitted", "equipment"), 3)],
            "steps_pending": [(("verify",), 2)],
            "steps_oldest_seconds": [((), 1.5)],
        }
    )

    assert 'spotclaim_claims_active{claim_type="equipment",status="submitted"} 3.0' in text
    assert 'spotclaim_steps_pending{step="verify"} 2.0' in text
    assert "spotclaim_steps_oldest_seconds 1.5" in text


def test_a_database_that_is_away_takes_only_its_own_figures_along() -> None:
    """What the process counted itself is still exposed."""

    def away() -> dict[str, list[tuple[tuple[str, ...], float]]]:
        raise TransientError("PostgreSQL is away.")

    assert scraped(away) == ""


def test_frames_that_say_nothing_are_counted_by_action() -> None:
    """Heartbeats, and the security events that are another desk's."""
    counted = Counted()

    counted.metrics.ignored({"Heartbeat": 2, "SecurityEventNotification": 1})
    counted.metrics.ignored({"Heartbeat": 3})

    assert counted["ocpp_frames_ignored_total{action=Heartbeat}"] == 5
    assert counted["ocpp_frames_ignored_total{action=SecurityEventNotification}"] == 1
