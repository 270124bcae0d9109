"""Notices of incidents over a real database: who is notified, reminded, and what stays on record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from adapters.postgres.notifications.silences import Silences
from domain.audit.chain import first_broken
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.incidents import lifecycle
from domain.incidents.events import IncidentClosed
from domain.incidents.handling import acknowledge, state_cause
from domain.incidents.incident import Incident, Link
from domain.incidents.windows import Group, Window
from domain.notifications.silence import Silence
from domain.policy.policy import NotificationRule
from domain.steps import Announce
from tests.builders import NOW, a_claim_under_review, a_policy, an_incident
from tests.integration.parts import HOUR, PATIENCE_SECONDS, Spotclaim

NORTH = Group("POWER_FAILURE", "zone", "north")
RULES = (
    NotificationRule(
        "incident.opened", ("ops",), repeat_hours=2, escalate_to="boss", escalate_after_hours=5, severities=()
    ),
)


@pytest.fixture
def spotclaim(set_up: Callable[..., Spotclaim]) -> Spotclaim:
    return set_up(policy=a_policy(notifications=RULES))


@pytest.fixture
def incident(spotclaim: Spotclaim) -> Incident:
    """One of three spots, which ops was notified of."""
    window = Window(3, NOW, NOW)
    changes = lifecycle.open_incident(NORTH, window, 3, [], spotclaim.policy.incidents, NOW, _ID)
    with spotclaim.store.transaction() as transaction:
        transaction.record(changes)
    pass_time(spotclaim, timedelta(0))
    return changes.of(Incident)[0]


_ID = "00000000-0000-7000-8000-000000000007"


def pass_time(spotclaim: Spotclaim, duration: timedelta) -> None:
    """Everything that is due by then is done, in the order in which it is due."""
    until = spotclaim.clock.now + duration
    kinds = "'announce', 'remind', 'digest', 'deliver', 'notified'"
    sql = f"SELECT id, kind, due_at FROM steps WHERE kind IN ({kinds}) ORDER BY due_at, id"
    while due := [step for step in spotclaim.rows(sql) if step["due_at"] <= until or _at_once(step["kind"])]:
        spotclaim.clock.now = min(max(spotclaim.clock.now, due[0]["due_at"]), until)
        spotclaim.runner.run(due[0]["kind"], [due[0]["id"]])
    spotclaim.clock.now = until


def _at_once(kind: str) -> bool:
    # By the database's clock, which is ahead of the one of the test.
    return kind in ("announce", "deliver", "notified")


def handle(spotclaim: Spotclaim, work: Callable[[Incident], Changes]) -> None:
    with spotclaim.store.transaction() as transaction:
        [incident] = transaction.incidents([_ID])
        transaction.record(work(incident))


def sent(spotclaim: Spotclaim) -> list[tuple[str, str]]:
    return [(destination, title.rpartition(": ")[2]) for destination, title, _ in spotclaim.notifier.sent]


FIRST = ("ops", "an incident")
AGAIN = "an incident, and nobody has acknowledged it"


def test_what_nobody_acknowledges_is_repeated_and_escalated(spotclaim: Spotclaim, incident: Incident) -> None:
    """Every two hours, after five to somebody else, and no more once somebody sees to it."""
    pass_time(spotclaim, 7 * HOUR)
    before = sent(spotclaim)
    handle(spotclaim, lambda it: acknowledge(it, "olga", "on it", spotclaim.clock.now))
    pass_time(spotclaim, 24 * HOUR)

    assert before == [FIRST, ("ops", AGAIN), ("ops", AGAIN), ("boss", AGAIN), ("ops", AGAIN)]
    assert sent(spotclaim) == before
    assert spotclaim.rows("SELECT FROM steps WHERE kind = 'remind'") == []


def test_nobody_is_reminded_of_what_is_over(spotclaim: Spotclaim, incident: Incident) -> None:
    """Whoever was notified hears of the end, and of nothing more."""
    handle(spotclaim, lambda it: lifecycle.close(it, IncidentClosed(closed_why="quiet"), "rule:incidents", NOW))
    pass_time(spotclaim, 24 * HOUR)

    assert sent(spotclaim) == [FIRST, ("ops", "the incident is over")]


def test_each_notice_is_on_its_own_record(spotclaim: Spotclaim, incident: Incident) -> None:
    """Each message, when it was out; what people decide meanwhile is decided all the same."""
    handle(spotclaim, lambda it: acknowledge(it, "olga", "", NOW))
    handle(spotclaim, lambda it: lifecycle.close(it, IncidentClosed(closed_why="person"), "olga", NOW))
    pass_time(spotclaim, timedelta(0))

    events = spotclaim.events(incident.id)
    assert first_broken(events) is None
    assert [(event.actor, event.kind) for event in events] == [
        ("rule:incidents", "incident.opened"),
        ("rule:notifications", "incident.announced"),
        ("olga", "incident.acknowledged"),
        ("olga", "incident.closed"),
        ("rule:notifications", "incident.announced"),
    ]
    assert '"destination":"ops"' in events[-1].body
    assert spotclaim.value("SELECT version FROM incidents") == 5


def test_the_record_of_a_notice_waits_for_whoever_decides(spotclaim: Spotclaim, incident: Incident) -> None:
    """And follows upon it: neither is lost, and neither fails."""
    handle(spotclaim, lambda it: lifecycle.close(it, IncidentClosed(closed_why="quiet"), "rule:incidents", NOW))
    for kind in ("announce", "deliver"):
        spotclaim.run_now(kind)
    with ThreadPoolExecutor(1) as pool:
        with spotclaim.store.transaction() as transaction:
            [held] = transaction.incidents([_ID])
            recording = pool.submit(spotclaim.run_now, "notified")
            spotclaim.await_done_or_waiting(recording)
            assert not recording.done()
            transaction.record(state_cause(held, "olga", "transformer", NOW))
        recording.result(PATIENCE_SECONDS)

    events = spotclaim.events(incident.id)
    assert first_broken(events) is None
    assert [event.kind for event in events[-2:]] == ["incident.root_cause", "incident.announced"]


TO_OPS = (NotificationRule("claim.under_review", ("ops",)), NotificationRule("incident.opened", ("ops",)))


@pytest.fixture
def waiting(set_up: Callable[..., Spotclaim]) -> tuple[Spotclaim, list[Claim]]:
    """Three claims of the north and one of the south that wait for a digest, after one that was sent."""
    spotclaim = set_up(policy=a_policy(notifications=TO_OPS))
    first, *claims = [a_claim_under_review(spot_id=f"E{number}", zone="north") for number in range(4)]
    claims.append(a_claim_under_review(spot_id="E4", zone="south"))
    for some in ([first], claims[:2], claims[2:]):
        spotclaim.put_on_record(*some)
        spotclaim.record(Announce([claim.id for claim in some], state_key=first.state_key))
        spotclaim.run_now("announce")
    return spotclaim, claims


def logged(spotclaim: Spotclaim) -> list[tuple[str, str, list[str]]]:
    """Why each delivery was made or not, and what it speaks of, but for the first."""
    sql = "SELECT status, reason, subject_ids::text[] AS ids FROM deliveries ORDER BY deliveries.id OFFSET 1"
    return [(row["status"], row["reason"], row["ids"]) for row in spotclaim.rows(sql)]


def silence_the_north(spotclaim: Spotclaim) -> None:
    ends = NOW + timedelta(hours=1)
    Silences(spotclaim.engine).add(Silence(_ID, "olga", "works", NOW, ends, zones=("north",)))


def begin_incident(spotclaim: Spotclaim, claims: list[Claim]) -> None:
    incident = an_incident(id=_ID, claim_count=len(claims))
    spotclaim.record(incident, *(Link(claim.id, _ID) for claim in claims))


def test_a_silence_that_begins_meanwhile_takes_claims_out_of_a_digest(
    waiting: tuple[Spotclaim, list[Claim]],
) -> None:
    """They are logged, and nobody has it on record that they were notified of."""
    spotclaim, claims = waiting
    silence_the_north(spotclaim)
    pass_time(spotclaim, timedelta(minutes=1))

    [*north, south] = [claim.id for claim in claims]
    assert logged(spotclaim) == [("sent", "digest", [south]), ("silenced", "silenced", north)]
    assert spotclaim.notifier.sent[-1][1:] == (
        "METER_MISREAD on spot E4 in south: under review for the reviewer",
        f"E4 in south (high): reported once, resolve by 2026-03-13 12:00 UTC, claim {south}",
    )
    assert [event.kind for event in spotclaim.events(north[0])] == ["claim.restated"]
    assert [event.kind for event in spotclaim.events(south)] == ["claim.restated", "claim.announced"]


def test_an_incident_that_begins_meanwhile_takes_its_claims_out_of_a_digest(
    waiting: tuple[Spotclaim, list[Claim]],
) -> None:
    """Whatever is over by then takes nothing out."""
    spotclaim, claims = waiting
    begin_incident(spotclaim, claims[:2])
    pass_time(spotclaim, timedelta(minutes=1))

    under, others = [claim.id for claim in claims[:2]], [claim.id for claim in claims[2:]]
    assert logged(spotclaim) == [("sent", "digest", others), ("suppressed", "suppressed_by_incident", under)]
    assert (
        spotclaim.value("SELECT answer FROM deliveries WHERE status = 'suppressed'")
        == f"notified by incident {_ID}"
    )
    assert spotclaim.rows("SELECT FROM collected_notices") == []


def test_no_digest_is_sent_of_nothing(waiting: tuple[Spotclaim, list[Claim]]) -> None:
    """Each claim is in the log with its own reason."""
    spotclaim, claims = waiting
    silence_the_north(spotclaim)
    begin_incident(spotclaim, claims[3:])
    pass_time(spotclaim, timedelta(minutes=1))

    [*north, south] = [claim.id for claim in claims]
    assert sorted(logged(spotclaim)) == [
        ("silenced", "silenced", north),
        ("suppressed", "suppressed_by_incident", [south]),
    ]
    assert len(spotclaim.notifier.sent) == 1
    assert spotclaim.rows("SELECT FROM steps WHERE kind IN ('digest', 'deliver')") == []


def test_a_digest_that_began_before_its_notices_were_kept_is_sent_as_it_is(
    waiting: tuple[Spotclaim, list[Claim]],
) -> None:
    """It cannot be taken apart any more."""
    spotclaim, claims = waiting
    spotclaim.rows("DELETE FROM collected_notices WHERE id = (SELECT min(id) FROM collected_notices)")
    silence_the_north(spotclaim)
    pass_time(spotclaim, timedelta(minutes=1))

    assert logged(spotclaim) == [("sent", "digest", [claim.id for claim in claims])]
