"""Deliveries: attempted until sent or given up, each on record."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from domain.errors import Conflict, NotFound
from domain.identifiers import new_claim_id
from domain.notifications.attempts import MAX_ATTEMPTS
from domain.policy.policy import NotificationRule
from domain.steps import Announce
from tests.builders import a_claim_under_review, a_policy
from tests.integration.parts import Clock, Spotclaim
from workers.services.deliveries import Resend


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    """Two destinations are notified of claims under review; due times are those of the database."""
    rules = (NotificationRule("claim.under_review", ("ops", "chat")),)
    return set_up(policy=a_policy(notifications=rules), clock=Clock(datetime.now(UTC)))


def announce(spotclaim: Spotclaim, *spots: str) -> None:
    claims = [a_claim_under_review(spot_id=spot) for spot in spots]
    spotclaim.put_on_record(*claims)
    spotclaim.record(Announce([claim.id for claim in claims], state_key=claims[0].state_key))


def deliveries(spotclaim: Spotclaim) -> list[dict[str, object]]:
    return spotclaim.rows("SELECT *, subject_ids::text[] AS subject_ids FROM deliveries ORDER BY destination")


def test_each_destination_is_notified_once(spotclaim: Spotclaim) -> None:
    """One message for all claims of one error; each destination by a step of its own."""
    announce(spotclaim, "E1", "E2", "E3")

    spotclaim.carry_out()

    assert sorted(destination for destination, _, _ in spotclaim.notifier.sent) == ["chat", "ops"]
    rows = deliveries(spotclaim)
    assert [(row["status"], row["attempts"], row["answer"]) for row in rows] == [("sent", 1, "delivered")] * 2
    assert all(row["finished_at"] for row in rows)
    assert {len(row["subject_ids"]) for row in rows} == {3}  # type: ignore[arg-type]


def test_a_destination_that_fails_is_tried_again_later(spotclaim: Spotclaim) -> None:
    """After ten seconds, then twice as long each time, until it has failed; the last answer stays visible."""
    spotclaim.notifier.answer = "failure: 500"
    announce(spotclaim, "E1")
    spotclaim.run_now("announce")

    pauses = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        spotclaim.run_now("retry")
        spotclaim.run_now("deliver")
        assert {row["attempts"] for row in deliveries(spotclaim)} == {attempt}
        pauses += [(step["due_at"] - spotclaim.clock.now).total_seconds() for step in spotclaim.steps()]

    assert pauses == [seconds for pause in (10, 20, 40, 80, 160, 320, 640) for seconds in (pause, pause)]
    assert {(row["status"], row["answer"]) for row in deliveries(spotclaim)} == {("failed", "failure: 500")}
    assert spotclaim.steps() == []


def test_a_destination_that_recovers_is_notified(spotclaim: Spotclaim) -> None:
    """The record says how many attempts it took, and the claim's events that it was notified."""
    spotclaim.notifier.answer = "failure: 503"
    announce(spotclaim, "E1")
    spotclaim.run_now("announce")
    spotclaim.run_now("deliver")

    spotclaim.notifier.answer = None
    spotclaim.run_now("retry")
    spotclaim.run_now("deliver")
    spotclaim.run_now("notified")

    assert {(row["status"], row["attempts"]) for row in deliveries(spotclaim)} == {("sent", 2)}
    [claim] = spotclaim.claims()
    assert [event.kind for event in spotclaim.events(claim["id"])] == ["claim.restated", *["claim.announced"] * 2]
    spotclaim.demand_sound_chains()


def test_a_delivery_that_is_finished_is_not_made_again(spotclaim: Spotclaim) -> None:
    """A step that was pending twice sends once."""
    announce(spotclaim, "E1")
    spotclaim.run_now("announce")
    spotclaim.rows(
        "INSERT INTO steps (kind, subject_kind, subject_ids, payload, due_at)"
        " SELECT kind, subject_kind, subject_ids, payload, due_at FROM steps"
    )

    spotclaim.carry_out()

    assert len(spotclaim.notifier.sent) == 2


def test_a_message_that_is_out_is_on_record_whatever_its_claims_do(spotclaim: Spotclaim) -> None:
    """A claim that somebody else holds keeps only itself waiting, so that nothing is sent twice."""
    announce(spotclaim, "E1", "E2")
    spotclaim.run_now("announce")
    [claim, _] = spotclaim.claims()

    with spotclaim.store.transaction() as transaction:
        transaction.claims([claim["id"]])
        spotclaim.run_now("deliver")
        assert {row["status"] for row in deliveries(spotclaim)} == {"sent"}

    spotclaim.carry_out()
    assert len(spotclaim.notifier.sent) == 2
    assert [event.kind for event in spotclaim.events(claim["id"])] == ["claim.restated", *["claim.announced"] * 2]


def test_a_delivery_that_nobody_knows_the_end_of_waits_for_people(spotclaim: Spotclaim) -> None:
    """It is not sent again by itself; sent again by somebody, it arrives."""
    resend = Resend(spotclaim.store)
    spotclaim.notifier.answer = "no answer within 20 s"
    spotclaim.notifier.unknown = True
    announce(spotclaim, "E1")
    spotclaim.carry_out()
    unknown = deliveries(spotclaim)
    assert {(row["status"], row["answer"]) for row in unknown} == {("unknown", "no answer within 20 s")}
    assert spotclaim.steps() == []

    spotclaim.notifier.answer = None
    resend(str(unknown[0]["id"]))
    spotclaim.carry_out()

    assert [row["status"] for row in deliveries(spotclaim)] == ["sent", "unknown"]
    with pytest.raises(Conflict):
        resend(str(unknown[0]["id"]))
    with pytest.raises(NotFound):
        resend(new_claim_id())
