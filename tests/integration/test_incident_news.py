"""News of incidents over a real database: who is told, told again, and what stays on record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from domain import audit, incident_life
from domain.decision import Decision
from domain.detection import Group, Window
from domain.incident import Incident
from domain.incident_handling import acknowledge, state_cause
from domain.policy import NotificationRule
from tests.builders import NOW, a_policy
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
    """One of three spots, which ops was told of."""
    window = Window(3, NOW, NOW)
    decision = incident_life.open_incident(NORTH, window, 3, [], spotclaim.policy.incidents, NOW, _ID)
    with spotclaim.store.transaction() as transaction:
        transaction.record(decision)
    pass_time(spotclaim, timedelta(0))
    return decision.incidents[0]


_ID = "00000000-0000-7000-8000-000000000007"


def pass_time(spotclaim: Spotclaim, duration: timedelta) -> None:
    """Everything that is due by then is done, in the order in which it is due."""
    until = spotclaim.clock.now + duration
    kinds = "'announce', 'remind', 'digest', 'deliver', 'told'"
    sql = f"SELECT id, kind, due_at FROM steps WHERE kind IN ({kinds}) ORDER BY due_at, id"
    while due := [step for step in spotclaim.rows(sql) if step["due_at"] <= until or _at_once(step["kind"])]:
        spotclaim.clock.now = min(max(spotclaim.clock.now, due[0]["due_at"]), until)
        spotclaim.runner.run(due[0]["kind"], [due[0]["id"]])
    spotclaim.clock.now = until


def _at_once(kind: str) -> bool:
    # By the database's clock, which is ahead of the one of the test.
    return kind in ("announce", "deliver", "told")


def handle(spotclaim: Spotclaim, work: Callable[[Incident], Decision]) -> None:
    with spotclaim.store.transaction() as transaction:
        [incident] = transaction.incidents([_ID])
        transaction.record(work(incident))


def told(spotclaim: Spotclaim) -> list[tuple[str, str]]:
    return [(destination, title.rpartition(": ")[2]) for destination, title, _ in spotclaim.notifier.told]


FIRST = ("ops", "an incident")
AGAIN = "an incident, and nobody has acknowledged it"


def test_what_nobody_acknowledges_is_told_again_and_to_the_next(spotclaim: Spotclaim, incident: Incident) -> None:
    """Every two hours, after five to somebody else, and no more once somebody sees to it."""
    pass_time(spotclaim, 7 * HOUR)
    before = told(spotclaim)
    handle(spotclaim, lambda it: acknowledge(it, "olga", "on it", spotclaim.clock.now))
    pass_time(spotclaim, 24 * HOUR)

    assert before == [FIRST, ("ops", AGAIN), ("ops", AGAIN), ("boss", AGAIN), ("ops", AGAIN)]
    assert told(spotclaim) == before
    assert spotclaim.rows("SELECT FROM steps WHERE kind = 'remind'") == []


def test_what_is_over_is_not_told_again(spotclaim: Spotclaim, incident: Incident) -> None:
    """Whoever was told hears of the end, and of nothing more."""
    handle(spotclaim, lambda it: incident_life.close(it, "quiet", "rule:incidents", NOW))
    pass_time(spotclaim, 24 * HOUR)

    assert told(spotclaim) == [FIRST, ("ops", "the incident is over")]


def test_that_people_were_told_is_on_its_own_record(spotclaim: Spotclaim, incident: Incident) -> None:
    """Each message, when it was out; what people decide meanwhile is decided all the same."""
    handle(spotclaim, lambda it: acknowledge(it, "olga", "", NOW))
    handle(spotclaim, lambda it: incident_life.close(it, "person", "olga", NOW))
    pass_time(spotclaim, timedelta(0))

    events = spotclaim.events(incident.id)
    assert audit.first_broken(events) is None
    assert [(event.actor, event.kind) for event in events] == [
        ("rule:incidents", "incident.opened"),
        ("rule:notifications", "incident.announced"),
        ("olga", "incident.acknowledged"),
        ("olga", "incident.closed"),
        ("rule:notifications", "incident.announced"),
    ]
    assert '"destination":"ops"' in events[-1].body
    assert spotclaim.value("SELECT version FROM incidents") == 5


def test_the_record_of_who_was_told_waits_for_whoever_decides(spotclaim: Spotclaim, incident: Incident) -> None:
    """And follows upon it: neither is lost, and neither fails."""
    handle(spotclaim, lambda it: incident_life.close(it, "quiet", "rule:incidents", NOW))
    for kind in ("announce", "deliver"):
        spotclaim.run_now(kind)
    with ThreadPoolExecutor(1) as pool:
        with spotclaim.store.transaction() as transaction:
            [held] = transaction.incidents([_ID])
            telling = pool.submit(spotclaim.run_now, "told")
            spotclaim.await_done_or_waiting(telling)
            assert not telling.done()
            transaction.record(state_cause(held, "olga", "transformer", NOW))
        telling.result(PATIENCE_SECONDS)

    events = spotclaim.events(incident.id)
    assert audit.first_broken(events) is None
    assert [event.kind for event in events[-2:]] == ["incident.root_cause", "incident.announced"]
