"""Which destination gets which notice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from domain.claims.claim import Claim
from domain.incidents.incident import Incident
from domain.notifications.notice import of_claims, of_incidents
from domain.notifications.routing import (
    Notification,
    RoutingContext,
    follow_ups,
    remind,
    review,
    route,
    unanswered,
)
from domain.notifications.silence import Silence
from domain.policy.calendar import Calendar
from domain.policy.policy import NotificationRule, Policy
from domain.steps import Remind
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy, an_incident

NOTIFY_OPS = NotificationRule("claim.under_review", ("ops",))


def routed(
    claims: Sequence[Claim], *rules: NotificationRule, alert: str | None = None, **context: Any
) -> list[Notification]:
    policy = a_policy(notifications=rules or (NOTIFY_OPS,))
    return route(of_claims(claims, alert), policy, RoutingContext(**({"now": NOW} | context)))


def summary(notifications: Sequence[Notification]) -> list[tuple[str, str | None, list[str | None]]]:
    """For whom, why, and of which spots."""
    return [(it.destination, it.reason, [notice.spot for notice in it.notices]) for it in notifications]


def claims_on(number: int, **changes: Any) -> list[Claim]:
    return [a_claim_under_review(spot_id=f"E{n}", **changes) for n in range(1, number + 1)]


def test_each_destination_has_a_notification_of_its_own() -> None:
    """With all claims of one error; one that two rules name is notified once."""
    rules = (NotificationRule("claim.under_review", ("ops", "chat")), NOTIFY_OPS)

    assert summary(routed(claims_on(2), *rules)) == [("ops", None, ["E1", "E2"]), ("chat", None, ["E1", "E2"])]


@pytest.mark.parametrize("other", [{"code": "SPOT_OCCUPIED"}, {"status": "resolved"}], ids=["code", "event"])
def test_another_error_or_event_is_another_notification(other: dict[str, Any]) -> None:
    """What belongs together is sent together, and nothing else."""
    rules = (NOTIFY_OPS, NotificationRule("claim.resolved", ("ops",)))

    assert len(routed([a_claim_under_review(), a_claim_under_review(**other)], *rules)) == 2


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"event": "claim.resolved"}, False),
        ({"severities": ("high", "low")}, True),
        ({"severities": ("critical",)}, False),
        ({"claim_types": ("usage_discrepancy",)}, True),
        ({"claim_types": ("equipment",)}, False),
        ({"codes": ("OTHER", "METER_MISREAD")}, True),
        ({"codes": ("OTHER",)}, False),
        ({"zones": ("south", "north")}, True),
        ({"zones": ("south",)}, False),
        ({"severities": ("high",), "zones": ("south",)}, False),
    ],
)
def test_rules_choose_by_all_that_they_name(conditions: dict[str, Any], fits: bool) -> None:
    """What a rule does not name fits."""
    rule = NotificationRule(**({"event": "claim.under_review", "destinations": ("ops",)} | conditions))

    assert bool(routed([a_claim_under_review(zone="north")], rule)) is fits


def test_a_claim_without_a_zone_is_in_none_that_a_rule_names() -> None:
    """Though a rule that names none is for it too."""
    assert routed([a_claim_under_review()], NotificationRule("claim.under_review", ("ops",), zones=("n",))) == []


def test_an_alert_of_a_clock_goes_by_its_own_rule() -> None:
    """Whatever the claim's status."""
    rules = (NOTIFY_OPS, NotificationRule("claim.sla_breached", ("boss",)))

    assert summary(routed(claims_on(2), *rules, alert="sla_breached.resolve")) == [("boss", None, ["E1", "E2"])]


def test_without_a_notice_there_is_no_notification() -> None:
    """No rule, no claims, no message."""
    assert routed([a_claim(status="submitted")]) == []
    assert routed([]) == []


OF_INCIDENTS = NotificationRule("incident.opened", ("ops",))


def test_of_claims_under_an_open_incident_nobody_is_notified_by_themselves() -> None:
    """Of the others somebody is; the log says which incident notifies of them."""
    one, other = claims_on(2)

    notifications = routed([one, other], NOTIFY_OPS, OF_INCIDENTS, incidents={one.id: "i-7"})

    assert summary(notifications) == [("ops", "suppressed_by_incident", ["E1"]), ("ops", None, ["E2"])]
    assert notifications[0].why == "notified by incident i-7"


@pytest.mark.parametrize("zones", [None, ("south",)], ids=["of none", "of others"])
def test_whoever_is_notified_of_no_incident_is_notified_of_its_claims(zones: tuple[str, ...] | None) -> None:
    """Or they would get no notice at all."""
    rules = (NOTIFY_OPS, *([replace(OF_INCIDENTS, zones=zones)] if zones else ()))
    claim = a_claim_under_review(zone="north", spot_id="E1")

    assert summary(routed([claim], *rules, incidents={claim.id: "i-7"})) == [("ops", None, ["E1"])]


def a_silence(**changes: Any) -> Silence:
    fields: dict[str, Any] = {
        "id": "s-1",
        "created_by": "olga",
        "why": "works in the street",
        "starts_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(hours=1),
    }
    return Silence(**(fields | changes))


@pytest.mark.parametrize(
    ("conditions", "silenced"),
    [
        ({}, True),
        ({"codes": ("METER_MISREAD",), "zones": ("north",)}, True),
        ({"codes": ("OTHER",)}, False),
        ({"zones": ("south",)}, False),
        ({"severities": ("high",)}, True),
        ({"severities": ("low",)}, False),
        ({"claim_types": ("equipment",)}, False),
        ({"destinations": ("ops",)}, True),
        ({"destinations": ("chat",)}, False),
    ],
)
def test_a_silence_covers_what_fits_all_its_conditions(conditions: dict[str, Any], silenced: bool) -> None:
    """The log says who silenced it, until when and why."""
    [notification] = routed([a_claim_under_review(zone="north")], silences=[a_silence(**conditions)])

    assert (notification.reason == "silenced") is silenced
    assert notification.why == (
        "silenced by olga until 2026-03-10 13:00 UTC: works in the street" if silenced else ""
    )


def test_whoever_was_notified_is_notified_of_the_end() -> None:
    """By whatever rule they were, under an incident or not, and once."""
    closed = a_claim(status="resolved", spot_id="E1")
    rule = NotificationRule("claim.resolved", ("ops", "boss"))
    incidents = replace(OF_INCIDENTS, destinations=("ops", "boss", "chat"))

    notified = {closed.id: ["ops", "chat"]}
    notifications = routed([closed], rule, incidents, notified=notified, incidents={closed.id: "i-7"})

    assert summary(notifications) == [
        ("ops", "resolved", ["E1"]),
        ("boss", "suppressed_by_incident", ["E1"]),
        ("chat", "resolved", ["E1"]),
    ]


def test_the_end_of_what_was_notified_of_stays_in_a_digest_though_an_incident_began() -> None:
    """As it would be sent at once; a silence takes it out."""
    known, other = (a_claim(status="resolved") for _ in range(2))
    notices, policy = of_claims([known, other]), a_policy(notifications=(OF_INCIDENTS,))
    incidents, notified = {known.id: "i-7", other.id: "i-7"}, {known.id: ["ops"]}

    reviewed = review(notices, "ops", policy, RoutingContext(NOW, (), incidents, notified))
    silenced = review(notices, "ops", policy, RoutingContext(NOW, [a_silence()], incidents, notified))

    assert [notice.about for notice in reviewed.sent] == [known.id]
    assert summary(reviewed.not_sent) == [("ops", "suppressed_by_incident", [other.spot_id])]
    assert (silenced.sent, len(silenced.not_sent)) == ([], 2)


OPEN = tuple([((time(8), time(18)),)] * 5 + [(), ()])
BY_DAY = NotificationRule("claim.under_review", ("ops",), hours="day", at_once=("critical",))
# A Tuesday in Berlin, two hours before it opens.
EARLY = datetime(2026, 3, 10, 5, tzinfo=UTC)


def by_day(*rules: NotificationRule) -> Policy:
    return a_policy(
        notifications=rules or (BY_DAY,), calendars={"day": Calendar("day", OPEN)}, time_zone="Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("severity", "now", "held_until"),
    [
        ("high", EARLY, EARLY + timedelta(hours=2)),
        ("critical", EARLY, None),
        ("high", EARLY + timedelta(hours=2), None),
        ("high", EARLY + timedelta(hours=5), None),
        # Friday evening waits for Monday.
        ("high", datetime(2026, 3, 13, 17, tzinfo=UTC), datetime(2026, 3, 16, 7, tzinfo=UTC)),
    ],
)
def test_outside_its_hours_a_rule_holds_what_can_wait(
    severity: str, now: datetime, held_until: datetime | None
) -> None:
    """In the policy's time zone."""
    notices = of_claims([a_claim_under_review(severity=severity)])

    [notification] = route(notices, by_day(), RoutingContext(now))

    assert notification.held_until == held_until


REPEATING = NotificationRule(
    "claim.under_review", ("ops",), repeat_hours=2, escalate_to="boss", escalate_after_hours=5
)


def a_reminder(ids: list[str], reason: str, event: str = "claim.under_review", **changes: Any) -> Remind:
    return Remind(ids, reason, event, "ops", **changes)


def test_reminders_of_what_must_be_acknowledged_are_scheduled() -> None:
    """One step for all that is repeated together, one for the escalation."""
    claims = claims_on(3)

    steps = follow_ups(of_claims(claims), a_policy(notifications=(REPEATING,)), NOW)

    ids = [claim.id for claim in claims]
    assert steps == [
        a_reminder(ids, "repeat", due_at=NOW + timedelta(hours=2)),
        a_reminder(ids, "escalation", due_at=NOW + timedelta(hours=5)),
    ]
    assert follow_ups(of_claims(claims), a_policy(notifications=(NOTIFY_OPS,)), NOW) == []


def reminded(
    claims: Sequence[Claim], reason: str, *rules: NotificationRule, event: str = "claim.under_review"
) -> tuple[list[Notification], list[Remind]]:
    policy = a_policy(notifications=rules or (REPEATING,))
    pending = [a_reminder([claim.id for claim in claims], reason, event)]
    return remind(unanswered(claims, [], policy), pending, policy, RoutingContext(NOW))


def test_what_nobody_acknowledged_is_repeated() -> None:
    """To the same destination, and again after as long."""
    claims = claims_on(2)

    notifications, steps = reminded(claims, "repeat")

    assert summary(notifications) == [("ops", "repeat", ["E1", "E2"])]
    assert notifications[0].notices[0].words == "under review for the reviewer, and nobody has acknowledged it"
    ids = [claim.id for claim in claims]
    assert steps == [a_reminder(ids, "repeat", due_at=NOW + timedelta(hours=2))]


def test_what_nobody_acknowledged_is_escalated_to_the_next() -> None:
    """Once."""
    notifications, steps = reminded(claims_on(2), "escalation")

    assert summary(notifications) == [("boss", "escalation", ["E1", "E2"])]
    assert steps == []


@pytest.mark.parametrize(
    "changes",
    [{"acknowledged_at": NOW}, {"status": "resolved", "closed_at": NOW}, {"status": "awaiting_evidence"}],
    ids=["acknowledged", "closed", "moved on"],
)
@pytest.mark.parametrize("reason", ["repeat", "escalation"])
def test_what_was_answered_is_left_alone(changes: dict[str, Any], reason: str) -> None:
    """For good."""
    assert reminded([a_claim_under_review(**changes)], reason) == ([], [])


@pytest.mark.parametrize("reason", ["repeat", "escalation"])
def test_what_the_policy_repeats_no_more_is_left_alone(reason: str) -> None:
    """The present policy counts."""
    assert reminded(claims_on(1), reason, NOTIFY_OPS) == ([], [])


def test_a_breach_is_repeated_in_its_own_words() -> None:
    """Whatever the claim's status is by now."""
    rule = NotificationRule("claim.sla_breached", ("ops",), repeat_hours=1)
    claim = a_claim(status="awaiting_evidence", sla_alerts=["resolve.warned", "resolve.breached"])

    [notification], [_] = reminded([claim, a_claim()], "repeat", rule, event="claim.sla_breached")

    assert [notice.words for notice in notification.notices] == [
        "not resolved in time, and nobody has acknowledged it"
    ]


def test_a_reminder_waits_for_the_hours_too_and_the_next_for_it() -> None:
    """Or they would come together."""
    rule = NotificationRule("claim.under_review", ("ops",), hours="day", repeat_hours=1)
    claim = a_claim_under_review()
    still = unanswered([claim], [], by_day(rule))

    [notification], [step] = remind(still, [a_reminder([claim.id], "repeat")], by_day(rule), RoutingContext(EARLY))

    assert notification.held_until == EARLY + timedelta(hours=2)
    assert step.due_at == EARLY + timedelta(hours=3)


OPENED = NotificationRule("incident.opened", ("ops",), repeat_hours=1, escalate_to="boss", escalate_after_hours=3)
GREW = replace(OPENED, event="incident.grew")
OF_OUTBREAKS = a_policy(notifications=(OPENED, GREW))


def of_incident(incident: Incident, reason: str, due_at: datetime | None = None) -> Remind:
    return a_reminder([incident.id], reason, "incident.opened", subject_kind="incident", due_at=due_at)


def reminded_of(incident: Incident, *pending: Remind) -> list[tuple[str, str | None, str]]:
    still = unanswered([], [incident], OF_OUTBREAKS)
    notifications, _ = remind(still, pending, OF_OUTBREAKS, RoutingContext(NOW))
    return [(it.destination, it.reason, it.notices[0].words) for it in notifications]


def test_an_incident_that_nobody_acknowledged_is_repeated_and_escalated() -> None:
    """As claims are, by what the rule says."""
    incident = an_incident()
    notices = of_incidents([incident], "incident.opened", OF_OUTBREAKS)

    steps = follow_ups(notices, OF_OUTBREAKS, NOW)

    assert steps == [
        of_incident(incident, "repeat", NOW + timedelta(hours=1)),
        of_incident(incident, "escalation", NOW + timedelta(hours=3)),
    ]
    assert reminded_of(incident, *steps) == [
        ("boss", "escalation", "an incident, and nobody has acknowledged it"),
        ("ops", "repeat", "an incident, and nobody has acknowledged it"),
    ]


@pytest.mark.parametrize(
    "changes", [{"acknowledged_at": NOW}, {"status": "closed", "closed_at": NOW}], ids=["acknowledged", "closed"]
)
def test_an_incident_that_was_answered_is_left_alone(changes: dict[str, Any]) -> None:
    """One that has fallen quiet is not."""
    answered, quiet = an_incident(**changes), an_incident(status="quiet")

    assert reminded_of(answered, of_incident(answered, "repeat"), of_incident(answered, "escalation")) == []
    assert len(reminded_of(quiet, of_incident(quiet, "repeat"), of_incident(quiet, "escalation"))) == 2


def test_only_the_last_growth_of_an_incident_is_repeated() -> None:
    """Or one that doubles often would be repeated as often in every round."""
    incident, pending = an_incident(told_peak=8), list[Remind]()
    for incident.told_peak in (8, 16):
        notices = of_incidents([incident], "incident.grew", OF_OUTBREAKS)
        pending += follow_ups(notices, OF_OUTBREAKS, NOW)

    assert [reminder[:2] for reminder in reminded_of(incident, *pending[:2])] == [("boss", "escalation")]
    assert [reminder[:2] for reminder in reminded_of(incident, *pending[2:])] == [
        ("boss", "escalation"),
        ("ops", "repeat"),
    ]
