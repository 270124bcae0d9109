"""Notifications over a real database: collected durably, sent once, and never twice first."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.postgres.notifications.silences import Silences
from adapters.postgres.store import PostgresStore
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.errors import NotFound
from domain.identifiers import new_claim_id
from domain.incidents.incident import Link
from domain.notifications.attempts import MAX_ATTEMPTS
from domain.notifications.silence import Silence
from domain.policy.policy import GroupPolicy, NotificationRule
from domain.ports.store import AttemptResult, Transaction
from domain.steps import INCIDENT, Announce
from tests.builders import NOW, a_claim_under_review, a_delivery, a_policy, an_incident
from tests.integration.parts import PATIENCE_SECONDS, Clock, Spotclaim, WatchedStore
from workers.services.deliveries import Resend

RULES = (NotificationRule("claim.under_review", ("ops",), repeat_hours=2),)
SECOND = timedelta(seconds=1)


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    """Ops is notified of claims under review, by a clock that stands still."""
    return set_up(policy=a_policy(notifications=RULES))


def happen(spotclaim: Spotclaim, *spots: str, **changes: Any) -> list[Claim]:
    claims = [a_claim_under_review(spot_id=spot, **changes) for spot in spots]
    spotclaim.put_on_record(*claims)
    spotclaim.record(Announce([claim.id for claim in claims], state_key=claims[0].state_key))
    return claims


def notify(spotclaim: Spotclaim, *spots: str, **changes: Any) -> list[Claim]:
    claims = happen(spotclaim, *spots, **changes)
    spotclaim.run_now("announce")
    return claims


def wait(spotclaim: Spotclaim, duration: timedelta) -> None:
    """Digests go when they are due, and so do messages."""
    until = spotclaim.clock.now + duration
    while due := spotclaim.rows(
        "SELECT id, due_at FROM steps WHERE kind = 'digest' AND due_at <= %s ORDER BY due_at LIMIT 1", until
    ):
        spotclaim.clock.now = due[0]["due_at"]
        spotclaim.runner.run("digest", [due[0]["id"]])
    spotclaim.clock.now = until
    spotclaim.run_now("deliver")
    spotclaim.run_now("notified")


def logged(spotclaim: Spotclaim) -> list[tuple[str, str, int]]:
    sql = "SELECT status, reason, cardinality(subject_ids) FROM deliveries ORDER BY created_at, id"
    rows = spotclaim.rows(sql)
    return [tuple(row.values()) for row in rows]  # type: ignore[misc]


def test_a_storm_is_a_first_message_and_digests_and_loses_nothing(spotclaim: Spotclaim) -> None:
    """Each claim is notified of once, and its own record says so."""
    for batch in range(20):
        notify(spotclaim, *(f"E{batch}-{n}" for n in range(25)))
        wait(spotclaim, 10 * SECOND)
    wait(spotclaim, timedelta(hours=1))

    log = logged(spotclaim)
    assert log[0] == ("sent", "first", 25)
    assert {row[:2] for row in log[1:]} == {("sent", "digest")}
    assert len(log) == len(spotclaim.notifier.sent) == 4
    assert sum(size for _, _, size in log) == 500
    assert spotclaim.value("SELECT count(*) FROM audit_events WHERE kind = 'claim.announced'") == 500
    assert spotclaim.notifier.sent[-1][1].startswith("METER_MISREAD on 275 spots: under review")
    spotclaim.demand_sound_chains()


def test_what_a_group_collected_survives_the_process(
    spotclaim: Spotclaim, set_up: Callable[..., Spotclaim]
) -> None:
    """It is in the database from the moment that the step which brought it is gone."""
    notify(spotclaim, "E1")
    notify(spotclaim, "E2")
    notify(spotclaim, "E3")

    another = set_up(policy=spotclaim.policy)
    assert [step["kind"] for step in another.steps()] == ["deliver", "remind", "digest", "remind", "remind"]
    wait(another, timedelta(minutes=1))

    assert logged(another) == [("sent", "first", 1), ("sent", "digest", 2)]


class DyingStore:
    """A store whose process dies just before it commits."""

    def __init__(self, engine: Engine) -> None:
        self._store = PostgresStore(engine)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._store.transaction() as transaction:
            yield transaction
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["announce", "digest"])
def test_a_process_that_dies_in_the_middle_changes_nothing(
    spotclaim: Spotclaim, set_up: Callable[..., Spotclaim], kind: str
) -> None:
    """The step is still pending, and whoever does it next does all of it."""
    notify(spotclaim, "E1")
    happen(spotclaim, "E2", "E3")
    if kind == "digest":
        spotclaim.run_now("announce")
    before = logged(spotclaim)
    dying = set_up(policy=spotclaim.policy, store=DyingStore(spotclaim.engine))

    with pytest.raises(KeyboardInterrupt):
        dying.run_now(kind)

    assert logged(spotclaim) == before
    spotclaim.run_now("announce")
    wait(spotclaim, timedelta(minutes=1))
    assert logged(spotclaim) == [("sent", "first", 1), ("sent", "digest", 2)]


def test_many_workers_send_one_first_message(engine: Engine, set_up: Callable[..., Spotclaim]) -> None:
    """Of notices that come to all of them at the same moment; the rest is collected in one digest."""
    rules = (NotificationRule("claim.under_review", ("ops", "chat")),)
    store = WatchedStore(PostgresStore(engine))
    spotclaim = set_up(policy=a_policy(notifications=rules), store=store)
    codes = ("METER_MISREAD", "OTHER", "SPOT_OCCUPIED")
    for number in range(8):
        for code in codes[:: 1 if number % 2 else -1]:
            happen(spotclaim, f"E{number}", code=code)
    steps = spotclaim.rows("SELECT id FROM steps WHERE kind = 'announce' ORDER BY id")
    batches = [[step["id"] for step in steps[number * 3 : number * 3 + 3]] for number in range(8)]
    together = Barrier(8, timeout=PATIENCE_SECONDS)

    def run(ids: list[int]) -> None:
        together.wait()
        spotclaim.runner.run("announce", ids)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, batches))

    assert store.met == []
    rows = spotclaim.rows("SELECT destination, code, reason, cardinality(subject_ids) AS size FROM deliveries")
    assert len(rows) == 12
    assert {(row["destination"], row["code"]) for row in rows if row["reason"] == "first"} == {
        (destination, code) for destination in ("ops", "chat") for code in codes
    }
    assert sum(row["size"] for row in rows) == 2 * 24


def test_a_digest_that_is_pending_twice_is_sent_once(spotclaim: Spotclaim) -> None:
    """The step of one that is sent leaves the next one alone."""
    notify(spotclaim, "E1")
    notify(spotclaim, "E2")
    [again] = spotclaim.rows(
        "INSERT INTO steps (kind, subject_kind, subject_ids, due_at)"
        " SELECT kind, subject_kind, subject_ids, due_at + interval '5 minutes' FROM steps WHERE kind = 'digest'"
        " RETURNING id"
    )
    wait(spotclaim, 30 * SECOND)
    notify(spotclaim, "E3")

    spotclaim.runner.run("digest", [again["id"]])

    assert logged(spotclaim) == [("sent", "first", 1), ("sent", "digest", 1), ("gathering", "digest", 1)]


def test_a_destination_is_not_sent_more_than_it_may(set_up: Callable[..., Spotclaim]) -> None:
    """The step of what is too much is due later; the log says when."""
    spotclaim = set_up(policy=a_policy(notifications=RULES, pace=GroupPolicy(per_minute=2)))
    notify(spotclaim, "E1")
    # What only collects takes nobody's place.
    notify(spotclaim, "E2")
    for code in ("OTHER", "SPOT_OCCUPIED", "SESSION_MISSING", "POWER_FAILURE"):
        notify(spotclaim, "E1", code=code)

    due = spotclaim.rows("SELECT due_at FROM deliveries WHERE status = 'pending' ORDER BY created_at, id")
    assert [(row["due_at"] - NOW) // SECOND for row in due] == [0, 0, 60, 60, 120]
    # At once is by the database's clock.
    pending = spotclaim.rows("SELECT due_at FROM steps WHERE kind = 'deliver' ORDER BY due_at LIMIT 3")
    assert [(row["due_at"] - NOW) // SECOND for row in pending] == [60, 60, 120]


def test_retries_and_resends_take_their_places(set_up: Callable[..., Spotclaim]) -> None:
    """However many fail at once, no more attempts a minute than the destination takes."""
    # At once is by the database's clock, which this one is ahead of.
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    spotclaim = set_up(policy=a_policy(notifications=RULES, pace=GroupPolicy(per_minute=3)), clock=clock)
    attempts: list[datetime] = []

    def refuse(*_: object) -> AttemptResult:
        attempts.append(clock.now)
        return AttemptResult(False, "no answer", unknown=len(attempts) <= 2)

    spotclaim.notifier.send = refuse  # type: ignore[method-assign]
    for code in ("METER_MISREAD", "OTHER"):
        notify(spotclaim, "E1", code=code)
    spotclaim.run_now("deliver")
    for row in spotclaim.rows("SELECT id::text AS id FROM deliveries WHERE status = 'unknown'"):
        Resend(spotclaim.store)(row["id"])
    while due := spotclaim.rows(
        "SELECT id, kind, due_at FROM steps WHERE kind IN ('deliver', 'retry') ORDER BY due_at, id LIMIT 1"
    ):
        clock.now = max(clock.now, due[0]["due_at"])
        spotclaim.runner.run(due[0]["kind"], [due[0]["id"]])

    assert len(attempts) == 2 + 2 * MAX_ATTEMPTS
    assert min(later - sooner for sooner, later in zip(attempts, attempts[3:], strict=False)) >= 60 * SECOND
    assert {row["status"] for row in spotclaim.rows("SELECT status FROM deliveries")} == {"failed"}


def a_silence(**changes: Any) -> Silence:
    fields: dict[str, Any] = {
        "id": new_claim_id(),
        "created_by": "olga",
        "why": "works in the street",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
        "zones": ("north",),
    }
    return Silence(**(fields | changes))


def test_a_silence_lasts_from_its_begin_to_its_end(spotclaim: Spotclaim) -> None:
    """One row for all that it silenced; afterwards notices are sent again."""
    silences = Silences(spotclaim.engine)
    silences.add(a_silence(starts_at=NOW + timedelta(hours=1), ends_at=NOW + timedelta(hours=2)))

    for hour in range(3):
        spotclaim.clock.now = NOW + timedelta(hours=hour)
        notify(spotclaim, *(f"E{hour}-{n}" for n in range(10)), zone="north")
    notify(spotclaim, "E9", zone="south", code="OTHER")

    assert logged(spotclaim) == [
        ("pending", "first", 10),
        ("silenced", "silenced", 10),
        ("pending", "first", 10),
        ("pending", "first", 1),
    ]
    answer = spotclaim.value("SELECT answer FROM deliveries WHERE status = 'silenced'")
    assert answer == "silenced by olga until 2026-03-10 14:00 UTC: works in the street"


def test_a_silence_that_is_ended_silences_no_more(spotclaim: Spotclaim) -> None:
    """Who ended it stays on record, as does who made it and why."""
    silences = Silences(spotclaim.engine)
    added = silences.add(a_silence())

    ended = silences.end(added["id"][-8:], "max", NOW + timedelta(minutes=5))
    spotclaim.clock.now = NOW + timedelta(minutes=5)
    notify(spotclaim, "E1", zone="north")

    assert logged(spotclaim) == [("pending", "first", 1)]
    assert (ended["created_by"], ended["ended_by"]) == ("olga", "max")
    assert ended["ends_at"] == NOW + timedelta(minutes=5)
    assert silences.listed() == [ended]
    assert silences.listed(since=NOW + timedelta(minutes=5)) == []
    with pytest.raises(NotFound):
        silences.end(added["id"], "max", NOW + timedelta(minutes=6))


def test_what_nobody_acknowledges_is_repeated(spotclaim: Spotclaim) -> None:
    """Together, as often as it takes."""
    first, second = notify(spotclaim, "E1", "E2")
    wait(spotclaim, timedelta(hours=2))
    spotclaim.run_now("remind")
    wait(spotclaim, timedelta(hours=2))
    first.acknowledged_at = spotclaim.clock.now
    with spotclaim.store.transaction() as transaction:
        [claim] = transaction.claims([first.id])
        claim.acknowledged_at = spotclaim.clock.now
        transaction.record(Changes(claim))
    spotclaim.run_now("remind")
    wait(spotclaim, timedelta(0))

    assert logged(spotclaim) == [("sent", "first", 2), ("sent", "repeat", 2), ("sent", "repeat", 1)]
    assert spotclaim.notifier.sent[-1][1] == (
        "METER_MISREAD on spot E2: under review for the reviewer, and nobody has acknowledged it"
    )
    [step] = spotclaim.rows("SELECT subject_ids::text[] AS subject_ids FROM steps WHERE kind = 'remind'")
    assert step["subject_ids"] == [second.id]


def test_whoever_was_notified_hears_of_the_end(spotclaim: Spotclaim) -> None:
    """Though no rule sends it, and nobody else does."""
    heard, _ = notify(spotclaim, "E1", "E2")
    wait(spotclaim, timedelta(0))
    [silent] = happen(spotclaim, "E3")
    spotclaim.rows("DELETE FROM steps WHERE kind = 'announce'")
    with spotclaim.store.transaction() as transaction:
        claims = transaction.claims([heard.id, silent.id])
        for claim in claims:
            claim.status, claim.closed_at, claim.stage = "resolved", NOW, 0
        step = Announce([claim.id for claim in claims], state_key=claims[0].state_key)
        transaction.record(Changes(*claims, step))

    spotclaim.run_now("announce")
    wait(spotclaim, timedelta(0))

    assert logged(spotclaim) == [("sent", "first", 2), ("sent", "resolved", 1)]
    assert spotclaim.notifier.sent[-1][:2] == ("ops", "METER_MISREAD on spot E1: resolved")


def test_whoever_was_notified_of_an_incident_hears_of_its_end(spotclaim: Spotclaim) -> None:
    """Deliveries of incidents say so, those that were sent; claims have it on their own record."""
    incident, other = new_claim_id(), new_claim_id()
    of_incidents: dict[str, Any] = {"subject_kind": INCIDENT, "event": "incident.opened"}
    spotclaim.record(
        a_delivery(**of_incidents, subject_ids=[incident], status="sent"),
        a_delivery(**of_incidents, subject_ids=[incident, other], status="failed", destination="chat"),
        a_delivery(event="claim.under_review", subject_ids=[other], status="sent"),
    )

    with spotclaim.store.transaction() as transaction:
        assert transaction.notified([incident, other]) == {incident: ["ops"]}


def test_an_incident_is_announced_and_its_claims_are_not(set_up: Callable[..., Spotclaim]) -> None:
    """One message for it, one for its end, and one row that says why nothing came of its claims."""
    rules = (*RULES, NotificationRule("incident.opened", ("ops",)))
    spotclaim = set_up(policy=a_policy(notifications=rules))
    claims = happen(spotclaim, "E1", "E2", "E3", zone="north")
    incident = an_incident(claim_count=3, peak=3)
    opened = Announce([incident.id], subject_kind=INCIDENT, event="incident.opened")
    spotclaim.record(incident, *(Link(claim.id, incident.id) for claim in claims), opened)

    spotclaim.run_now("announce")
    wait(spotclaim, timedelta(0))
    closed = replace(incident, status="closed", closed_at=NOW, closed_why="quiet")
    spotclaim.record(closed, Announce([incident.id], subject_kind=INCIDENT, event="incident.closed"))
    spotclaim.run_now("announce")
    wait(spotclaim, timedelta(0))

    assert [title for _, title, _ in spotclaim.notifier.sent] == [
        "METER_MISREAD on 3 spots in north: an incident",
        "METER_MISREAD on 3 spots in north: the incident is over",
    ]
    assert sorted(logged(spotclaim)) == [
        ("sent", "first", 1),
        ("sent", "resolved", 1),
        ("suppressed", "suppressed_by_incident", 3),
    ]
    answer = spotclaim.value("SELECT answer FROM deliveries WHERE status = 'suppressed'")
    assert answer == f"notified by incident {incident.id}"
