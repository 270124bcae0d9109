"""What is told to whom: one message for many claims."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain import audit
from domain.announcement import ALERTS, MAX_ATTEMPTS, announce, record_outcome
from domain.claim import Claim
from domain.decision import Decision
from domain.policy import NotificationRule
from tests.builders import NOW, a_claim, a_claim_under_review, a_delivery, a_policy, ids

TELL_OPS = NotificationRule("claim.under_review", ("ops",))


def announced(claims: Sequence[Claim], *rules: NotificationRule) -> Decision:
    return announce(claims, a_policy(notifications=rules or (TELL_OPS,)), NOW, ids().__next__)


def claims_on(number: int, **changes: Any) -> list[Claim]:
    return [a_claim_under_review(spot_id=f"E{n}", **changes) for n in range(1, number + 1)]


def test_one_error_on_many_spots_is_one_message() -> None:
    """It speaks of every claim, and one step delivers it."""
    claims = claims_on(300, zone="north")

    decision = announced(claims)

    [delivery] = decision.deliveries
    assert delivery.title == "METER_MISREAD on 300 spots in north: under review for the reviewer"
    assert delivery.claim_ids == [claim.id for claim in claims]
    assert (delivery.status, delivery.attempts, delivery.created_at) == ("pending", 0, NOW)
    [step] = decision.steps
    assert (step.kind, step.subject, step.claim_ids) == ("deliver", delivery.id, delivery.claim_ids)


def test_one_error_in_many_zones_is_one_message_too() -> None:
    """It counts the zones and names them with their spots; a spot whose zone nobody knows is told without."""
    claims = [a_claim_under_review(spot_id=f"E{n}", zone=zone) for n, zone in enumerate(("north", "south", None))]

    [delivery] = announced(claims).deliveries

    assert delivery.title == "METER_MISREAD on 3 spots in 2 zones: under review for the reviewer"
    assert [line.split(":")[0] for line in delivery.body.splitlines()] == [
        "E0 in north (high)",
        "E1 in south (high)",
        "E2 (high)",
    ]


@pytest.mark.parametrize(
    "other",
    [{"code": "SPOT_OCCUPIED"}, {"status": "resolved"}, {"stage": 2, "stages": ["reviewer", "manager"]}],
    ids=["code", "status", "stage"],
)
def test_another_code_status_or_reviewer_is_another_message(other: dict[str, Any]) -> None:
    """What belongs together is told together, and nothing else."""
    rules = (TELL_OPS, NotificationRule("claim.resolved", ("ops",)))

    assert len(announced([a_claim_under_review(), a_claim_under_review(**other)], *rules).deliveries) == 2


def test_each_destination_has_its_own_delivery() -> None:
    """A slow one delays nobody else; one that two rules name is told once."""
    rules = (NotificationRule("claim.under_review", ("ops", "chat")), TELL_OPS)

    decision = announced(claims_on(2), *rules)

    assert [delivery.destination for delivery in decision.deliveries] == ["ops", "chat"]
    assert [step.subject for step in decision.steps] == [delivery.id for delivery in decision.deliveries]


@pytest.mark.parametrize(
    ("rule", "heard"),
    [
        (NotificationRule("claim.under_review", ("ops",)), True),
        (NotificationRule("claim.resolved", ("ops",)), False),
        (NotificationRule("claim.under_review", ("ops",), severities=("high", "low")), True),
        (NotificationRule("claim.under_review", ("ops",), severities=("critical",)), False),
        (NotificationRule("claim.under_review", ("ops",), claim_types=("usage_discrepancy",)), True),
        (NotificationRule("claim.under_review", ("ops",), claim_types=("equipment",)), False),
        (NotificationRule("claim.under_review", ("ops",), ("high",), ("equipment",)), False),
    ],
)
def test_rules_choose_by_event_severity_and_type(rule: NotificationRule, heard: bool) -> None:
    """All that a rule names must fit; what it does not name fits."""
    assert bool(announced([a_claim_under_review()], rule).deliveries) is heard


@pytest.mark.parametrize(("number", "last_line"), [(10, "E10 (high)"), (11, "and 1 more"), (400, "and 390 more")])
def test_at_most_ten_spots_are_named(number: int, last_line: str) -> None:
    """The rest are counted."""
    [delivery] = announced(claims_on(number)).deliveries
    lines = delivery.body.splitlines()

    assert len(lines) == min(number, 11)
    assert lines[-1].startswith(last_line)


def test_one_claim_is_named_with_all_that_matters() -> None:
    """The spot, how bad and how often, until when, and which claim."""
    claim = a_claim_under_review("reviewer", "manager", stage=2, fault_count=3)

    [delivery] = announced([claim]).deliveries

    assert delivery.title == "METER_MISREAD on spot DE*ABC*E1: under review for the manager"
    assert delivery.body == (
        f"DE*ABC*E1 (high): reported 3 times, resolve by 2026-03-13 12:00 UTC, claim {claim.id}"
    )


def test_an_alert_of_a_clock_is_news_of_its_own() -> None:
    """Told to whom the policy names for it, whatever the claim's status."""
    policy = a_policy(notifications=(TELL_OPS, NotificationRule("claim.sla_breached", ("boss",))))

    decision = announce(claims_on(2), policy, NOW, ids().__next__, "sla_breached.resolve")

    [delivery] = decision.deliveries
    assert (delivery.destination, delivery.event) == ("boss", "claim.sla_breached")
    assert delivery.title == "METER_MISREAD on 2 spots: not resolved in time"


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_every_alert_has_its_words(alert: str) -> None:
    """A warning is told by its own rule."""
    rule = NotificationRule(f"claim.{alert.partition('.')[0]}", ("ops",))

    [delivery] = announce([a_claim()], a_policy(notifications=(rule,)), NOW, ids().__next__, alert).deliveries

    assert delivery.title.endswith(ALERTS[alert])


def test_a_claim_whose_clock_stands_has_no_due_date() -> None:
    """So none is told."""
    claim = a_claim_under_review(resolve_due_at=None)

    assert announced([claim]).deliveries[0].body == f"DE*ABC*E1 (high): reported once, claim {claim.id}"


def test_a_single_report_is_called_once() -> None:
    """Not "1 times"."""
    assert "reported once," in announced([a_claim_under_review()]).deliveries[0].body


def test_nothing_to_tell_is_no_decision() -> None:
    """No rule, no claims, no message."""
    assert announced([a_claim(status="submitted")]) == Decision()
    assert announced([]) == Decision()


def test_a_message_that_was_sent_is_on_record_with_each_of_its_claims() -> None:
    """The audit trail says who was told what, and when."""
    claims = claims_on(2)
    delivery = a_delivery(claim_ids=[claim.id for claim in claims])

    decision = record_outcome(delivery, claims, sent=True, answer="delivered", now=NOW)

    assert (delivery.status, delivery.attempts, delivery.finished_at) == ("sent", 1, NOW)
    assert decision.changed == claims
    assert [(event.claim_id, event.kind) for event in decision.events] == [
        (claim.id, "claim.announced") for claim in claims
    ]
    assert all(audit.first_broken([event]) is None for event in decision.events)


def test_a_failed_attempt_leaves_the_delivery_pending_with_the_reason() -> None:
    """The claims hear nothing of it."""
    delivery = a_delivery()

    decision = record_outcome(delivery, [], sent=False, answer="500", now=NOW)

    assert (delivery.status, delivery.answer, delivery.finished_at) == ("pending", "500", None)
    assert (decision.deliveries, decision.changed, decision.events) == ([delivery], [], [])


def test_a_delivery_is_tried_so_often_and_then_has_failed() -> None:
    """It stays visible with its last answer."""
    delivery = a_delivery()

    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert delivery.status == "pending"
        record_outcome(delivery, [], sent=False, answer=f"no {attempt}", now=NOW + timedelta(hours=attempt))

    assert (delivery.status, delivery.attempts, delivery.answer) == ("failed", MAX_ATTEMPTS, f"no {MAX_ATTEMPTS}")
    assert delivery.finished_at == NOW + timedelta(hours=MAX_ATTEMPTS)


def test_the_last_attempt_may_still_succeed() -> None:
    """Late is better than never."""
    delivery = a_delivery(attempts=MAX_ATTEMPTS - 1)

    record_outcome(delivery, [], sent=True, answer="delivered", now=NOW)

    assert delivery.status == "sent"
