"""What comes of attempts to deliver."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.audit import chain as audit
from domain.changes import ATTEMPTED
from domain.claims.claim import Claim
from domain.errors import Conflict
from domain.incidents.incident import Incident
from domain.notifications.attempts import MAX_ATTEMPTS, record_failed, record_notified, record_sent, resend
from domain.notifications.delivery import Delivery
from domain.steps import RecordNotified, Retry
from tests.builders import NOW, a_claim_under_review, a_delivery, an_incident


def test_a_message_that_was_sent_is_on_record_at_once() -> None:
    """The chains of its claims or incidents have it by steps of their own, a few hundred each."""
    ids = [str(number) for number in range(1200)]
    delivery = a_delivery(subject_ids=ids)

    changes = record_sent(delivery, "delivered", NOW)

    assert (delivery.status, delivery.attempts, delivery.finished_at) == ("sent", 1, NOW)
    assert changes.of(Delivery) == changes.of(Delivery, ATTEMPTED) == [delivery]
    assert (changes.of(Claim), changes.events) == ([], [])
    parts = (ids[:500], ids[500:1000], ids[1000:])
    assert changes.steps == [RecordNotified(part, delivery.id, subject_kind="claim") for part in parts]
    of_incident = a_delivery(event="incident.opened", subject_kind="incident", subject_ids=["7"])
    assert record_sent(of_incident, "delivered", NOW).steps == [
        RecordNotified(["7"], of_incident.id, subject_kind="incident")
    ]


def test_claims_have_every_message_on_their_record() -> None:
    """They say who was notified of what, and when; a claim is written once, however many spoke of it."""
    one, other = (a_claim_under_review(spot_id=spot) for spot in ("E1", "E2"))
    ops, chat = a_delivery(), a_delivery(destination="chat")

    changes = record_notified([(ops, one), (ops, other), (chat, one)], NOW)

    assert changes.of(Claim) == [one, other]
    assert [event.subject_id for event in changes.events] == [one.id, other.id, one.id]
    assert {event.kind for event in changes.events} == {"claim.announced"}
    assert [json.loads(event.body) for event in changes.events] == [
        {"delivery": delivery.id, "destination": delivery.destination, "event": delivery.event}
        for delivery in (ops, ops, chat)
    ]
    assert audit.first_broken([changes.events[0], changes.events[2]]) is None


def test_incidents_have_every_message_on_their_record() -> None:
    """As claims have, and nothing else of them changes."""
    incident = an_incident()
    before = replace(incident)

    changes = record_notified([(a_delivery(event="incident.opened"), incident)], NOW)

    [event] = changes.events
    assert (event.kind, changes.of(Incident), changes.of(Claim)) == ("incident.announced", [incident], [])
    assert replace(incident, version=0, head=before.head) == before


def test_a_failed_attempt_leaves_the_delivery_pending_with_the_reason() -> None:
    """It is tried again; the claims have nothing of it on record."""
    delivery = a_delivery()

    changes = record_failed(delivery, "500", NOW)

    assert (delivery.status, delivery.answer, delivery.finished_at) == ("pending", "500", None)
    assert (changes.of(Delivery, ATTEMPTED), changes.of(Claim), changes.events) == ([delivery], [], [])
    assert changes.steps == [Retry([delivery.id], due_at=NOW + timedelta(seconds=10))]


def test_a_destination_that_asks_for_time_is_given_it() -> None:
    """An hour at most, and never less than ours."""
    waits = [record_failed(a_delivery(), "429", NOW, wait=timedelta(seconds=s)).steps[0] for s in (1, 90, 99_999)]

    assert [step.due_at for step in waits] == [NOW + timedelta(seconds=s) for s in (10, 90, 3600)]


def test_a_delivery_is_tried_so_often_and_then_has_failed() -> None:
    """It stays visible with its last answer, and nothing is scheduled."""
    delivery = a_delivery()

    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert delivery.status == "pending"
        last = record_failed(delivery, f"no {attempt}", NOW + timedelta(hours=attempt))

    assert (delivery.status, delivery.attempts, delivery.answer) == ("failed", MAX_ATTEMPTS, f"no {MAX_ATTEMPTS}")
    assert delivery.finished_at == NOW + timedelta(hours=MAX_ATTEMPTS)
    assert last.steps == []


def test_what_may_have_arrived_is_not_sent_again_by_itself() -> None:
    """People see it, and decide."""
    delivery = a_delivery()

    changes = record_failed(delivery, "no answer in 20 s", NOW, unknown=True)

    assert (delivery.status, delivery.finished_at) == ("unknown", NOW)
    assert changes.steps == []


def test_the_last_attempt_may_still_succeed() -> None:
    """Late is better than never."""
    delivery = a_delivery(attempts=MAX_ATTEMPTS - 1)

    record_sent(delivery, "delivered", NOW)

    assert delivery.status == "sent"


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_what_came_to_nothing_can_be_sent_again(status: str) -> None:
    """With all attempts before it; the last answer stays until there is another."""
    delivery = a_delivery(status=status, attempts=MAX_ATTEMPTS, answer="500", finished_at=NOW)

    changes = resend(delivery)

    assert (delivery.status, delivery.attempts, delivery.finished_at) == ("pending", 0, None)
    assert delivery.answer == "500"
    assert changes.of(Delivery) == [delivery]
    assert changes.steps == [Retry([delivery.id])]


@pytest.mark.parametrize("status", ["sent", "pending", "gathering", "silenced", "suppressed"])
def test_nothing_else_is_sent_again(status: str) -> None:
    """Least of all what was sent already."""
    with pytest.raises(Conflict, match=status):
        resend(a_delivery(status=status))
