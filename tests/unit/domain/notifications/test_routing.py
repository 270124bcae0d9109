"""Who is told what."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from domain.calendar import Calendar
from domain.changes import Step
from domain.claims.claim import Claim
from domain.incidents.incident import Incident
from domain.notifications.notice import of_claims, of_incidents
from domain.notifications.routing import Parcel, Situation, address, follow_ups, look_again, remind, unanswered
from domain.notifications.silence import Silence
from domain.policy import NotificationRule, Policy
from tests.builders import NOW, a_claim, a_claim_under_review, a_policy, an_incident

TELL_OPS = NotificationRule("claim.under_review", ("ops",))


def addressed(
    claims: Sequence[Claim], *rules: NotificationRule, alert: str | None = None, **situation: Any
) -> list[Parcel]:
    policy = a_policy(notifications=rules or (TELL_OPS,))
    return address(of_claims(claims, alert), policy, Situation(**({"now": NOW} | situation)))


def told(parcels: Sequence[Parcel]) -> list[tuple[str, str | None, list[str | None]]]:
    return [(parcel.destination, parcel.reason, [item.spot for item in parcel.news]) for parcel in parcels]


def claims_on(number: int, **changes: Any) -> list[Claim]:
    return [a_claim_under_review(spot_id=f"E{n}", **changes) for n in range(1, number + 1)]


def test_each_destination_has_a_parcel_of_its_own() -> None:
    """With all claims of one error; one that two rules name is told once."""
    rules = (NotificationRule("claim.under_review", ("ops", "chat")), TELL_OPS)

    assert told(addressed(claims_on(2), *rules)) == [("ops", None, ["E1", "E2"]), ("chat", None, ["E1", "E2"])]


@pytest.mark.parametrize("other", [{"code": "SPOT_OCCUPIED"}, {"status": "resolved"}], ids=["code", "event"])
def test_another_error_or_event_is_another_parcel(other: dict[str, Any]) -> None:
    """What belongs together is told together, and nothing else."""
    rules = (TELL_OPS, NotificationRule("claim.resolved", ("ops",)))

    assert len(addressed([a_claim_under_review(), a_claim_under_review(**other)], *rules)) == 2


@pytest.mark.parametrize(
    ("conditions", "heard"),
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
def test_rules_choose_by_all_that_they_name(conditions: dict[str, Any], heard: bool) -> None:
    """What a rule does not name fits."""
    rule = NotificationRule(**({"event": "claim.under_review", "destinations": ("ops",)} | conditions))

    assert bool(addressed([a_claim_under_review(zone="north")], rule)) is heard


def test_a_claim_without_a_zone_is_in_none_that_a_rule_names() -> None:
    """Though a rule that names none is for it too."""
    assert (
        addressed([a_claim_under_review()], NotificationRule("claim.under_review", ("ops",), zones=("n",))) == []
    )


def test_an_alert_of_a_clock_goes_by_its_own_rule() -> None:
    """Whatever the claim's status."""
    rules = (TELL_OPS, NotificationRule("claim.sla_breached", ("boss",)))

    assert told(addressed(claims_on(2), *rules, alert="sla_breached.resolve")) == [("boss", None, ["E1", "E2"])]


def test_nothing_to_tell_is_no_parcel() -> None:
    """No rule, no claims, no message."""
    assert addressed([a_claim(status="submitted")]) == []
    assert addressed([]) == []


OF_INCIDENTS = NotificationRule("incident.opened", ("ops",))


def test_claims_under_an_open_incident_are_not_told_by_themselves() -> None:
    """The others are; the log says which incident tells of them."""
    one, other = claims_on(2)

    parcels = addressed([one, other], TELL_OPS, OF_INCIDENTS, incidents={one.id: "i-7"})

    assert told(parcels) == [("ops", "suppressed_by_incident", ["E1"]), ("ops", None, ["E2"])]
    assert parcels[0].why == "told by incident i-7"


@pytest.mark.parametrize("zones", [None, ("south",)], ids=["of none", "of others"])
def test_whoever_hears_of_no_incident_hears_of_its_claims(zones: tuple[str, ...] | None) -> None:
    """Or they would hear nothing."""
    rules = (TELL_OPS, *([replace(OF_INCIDENTS, zones=zones)] if zones else ()))
    claim = a_claim_under_review(zone="north", spot_id="E1")

    assert told(addressed([claim], *rules, incidents={claim.id: "i-7"})) == [("ops", None, ["E1"])]


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
    [parcel] = addressed([a_claim_under_review(zone="north")], silences=[a_silence(**conditions)])

    assert (parcel.reason == "silenced") is silenced
    assert parcel.why == ("silenced by olga until 2026-03-10 13:00 UTC: works in the street" if silenced else "")


def test_whoever_was_told_hears_of_the_end() -> None:
    """By whatever rule they were told, under an incident or not, and once."""
    closed = a_claim(status="resolved", spot_id="E1")
    rule = NotificationRule("claim.resolved", ("ops", "boss"))
    incidents = replace(OF_INCIDENTS, destinations=("ops", "boss", "chat"))

    parcels = addressed([closed], rule, incidents, told={closed.id: ["ops", "chat"]}, incidents={closed.id: "i-7"})

    assert told(parcels) == [
        ("ops", "resolved", ["E1"]),
        ("boss", "suppressed_by_incident", ["E1"]),
        ("chat", "resolved", ["E1"]),
    ]


def test_the_end_of_what_was_told_stays_in_a_digest_though_an_incident_began() -> None:
    """As it is told at once; a silence takes it out."""
    heard, other = (a_claim(status="resolved") for _ in range(2))
    news, policy = of_claims([heard, other]), a_policy(notifications=(OF_INCIDENTS,))
    incidents, told = {heard.id: "i-7", other.id: "i-7"}, {heard.id: ["ops"]}

    looked = look_again(news, "ops", policy, Situation(NOW, (), incidents, told))
    silenced = look_again(news, "ops", policy, Situation(NOW, [a_silence()], incidents, told))

    assert [item.about for item in looked.told] == [heard.id]
    assert (silenced.told, len(silenced.not_sent)) == ([], 2)


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
    news = of_claims([a_claim_under_review(severity=severity)])

    [parcel] = address(news, by_day(), Situation(now))

    assert parcel.held_until == held_until


REPEATING = NotificationRule(
    "claim.under_review", ("ops",), repeat_hours=2, escalate_to="boss", escalate_after_hours=5
)


def test_what_must_be_acknowledged_is_owed_again() -> None:
    """One step for all that is repeated together, one for the escalation."""
    claims = claims_on(3)

    steps = follow_ups(of_claims(claims), a_policy(notifications=(REPEATING,)), NOW)

    ids = [claim.id for claim in claims]
    assert steps == [
        Step("remind", ids, NOW + timedelta(hours=2), "repeat|claim.under_review|ops"),
        Step("remind", ids, NOW + timedelta(hours=5), "escalation|claim.under_review|ops"),
    ]
    assert follow_ups(of_claims(claims), a_policy(notifications=(TELL_OPS,)), NOW) == []


def reminded(
    claims: Sequence[Claim], kind: str, *rules: NotificationRule, event: str = "claim.under_review"
) -> tuple[list[Parcel], list[Step]]:
    subject = f"{kind}|{event}|ops"
    policy = a_policy(notifications=rules or (REPEATING,))
    owed = {(claim.id, subject) for claim in claims}
    return remind(unanswered(claims, [], policy), owed, policy, Situation(NOW))


def test_what_nobody_acknowledged_is_repeated() -> None:
    """To the same destination, and owed again after as long."""
    claims = claims_on(2)

    parcels, steps = reminded(claims, "repeat")

    assert told(parcels) == [("ops", "repeat", ["E1", "E2"])]
    assert parcels[0].news[0].words == "under review for the reviewer, and nobody has acknowledged it"
    ids = [claim.id for claim in claims]
    assert steps == [Step("remind", ids, NOW + timedelta(hours=2), "repeat|claim.under_review|ops")]


def test_what_nobody_acknowledged_is_told_to_the_next() -> None:
    """Once."""
    parcels, steps = reminded(claims_on(2), "escalation")

    assert told(parcels) == [("boss", "escalation", ["E1", "E2"])]
    assert steps == []


@pytest.mark.parametrize(
    "changes",
    [{"acknowledged_at": NOW}, {"status": "resolved", "closed_at": NOW}, {"status": "awaiting_evidence"}],
    ids=["acknowledged", "closed", "moved on"],
)
@pytest.mark.parametrize("kind", ["repeat", "escalation"])
def test_what_was_answered_is_left_alone(changes: dict[str, Any], kind: str) -> None:
    """For good."""
    assert reminded([a_claim_under_review(**changes)], kind) == ([], [])


@pytest.mark.parametrize("kind", ["repeat", "escalation"])
def test_what_the_policy_repeats_no_more_is_left_alone(kind: str) -> None:
    """The present policy counts."""
    assert reminded(claims_on(1), kind, TELL_OPS) == ([], [])


def test_a_breach_is_repeated_in_its_own_words() -> None:
    """Whatever the claim's status is by now."""
    rule = NotificationRule("claim.sla_breached", ("ops",), repeat_hours=1)
    claim = a_claim(status="awaiting_evidence", sla_alerts=["resolve.warned", "resolve.breached"])

    [parcel], [_] = reminded([claim, a_claim()], "repeat", rule, event="claim.sla_breached")

    assert [item.words for item in parcel.news] == ["not resolved in time, and nobody has acknowledged it"]


def test_a_reminder_waits_for_the_hours_too_and_the_next_for_it() -> None:
    """Or they would come together."""
    rule = NotificationRule("claim.under_review", ("ops",), hours="day", repeat_hours=1)
    claim = a_claim_under_review()
    owed = {(claim.id, "repeat|claim.under_review|ops")}

    still = unanswered([claim], [], by_day(rule))

    [parcel], [step] = remind(still, owed, by_day(rule), Situation(EARLY))

    assert parcel.held_until == EARLY + timedelta(hours=2)
    assert step.due_at == EARLY + timedelta(hours=3)


OPENED = NotificationRule("incident.opened", ("ops",), repeat_hours=1, escalate_to="boss", escalate_after_hours=3)
GREW = replace(OPENED, event="incident.grew")
OF_OUTBREAKS = a_policy(notifications=(OPENED, GREW))


def reminded_of(incident: Incident, *subjects: str) -> list[tuple[str, str | None, str]]:
    still = unanswered([], [incident], OF_OUTBREAKS)
    parcels, _ = remind(still, {(incident.id, subject) for subject in subjects}, OF_OUTBREAKS, Situation(NOW))
    return [(parcel.destination, parcel.reason, parcel.news[0].words) for parcel in parcels]


def test_an_incident_that_nobody_acknowledged_is_told_again_and_to_the_next() -> None:
    """As claims are, by what the rule says."""
    incident = an_incident()
    news = of_incidents([incident], "incident.opened", OF_OUTBREAKS)

    steps = follow_ups(news, OF_OUTBREAKS, NOW)

    assert [(step.due_at, step.claim_ids) for step in steps] == [
        (NOW + timedelta(hours=1), [incident.id]),
        (NOW + timedelta(hours=3), [incident.id]),
    ]
    assert reminded_of(incident, *(step.subject or "" for step in steps)) == [
        ("boss", "escalation", "an incident, and nobody has acknowledged it"),
        ("ops", "repeat", "an incident, and nobody has acknowledged it"),
    ]


@pytest.mark.parametrize(
    "changes", [{"acknowledged_at": NOW}, {"status": "closed", "closed_at": NOW}], ids=["acknowledged", "closed"]
)
def test_an_incident_that_was_answered_is_left_alone(changes: dict[str, Any]) -> None:
    """One that has fallen quiet is not."""
    subjects = ("repeat|incident.opened|ops", "escalation|incident.opened|ops")

    assert reminded_of(an_incident(**changes), *subjects) == []
    assert len(reminded_of(an_incident(status="quiet"), *subjects)) == 2


def test_only_the_last_growth_of_an_incident_is_repeated() -> None:
    """Or one that doubles often would be told as often in every round."""
    incident, subjects = an_incident(told_peak=8), []
    for incident.told_peak in (8, 16):
        news = of_incidents([incident], "incident.grew", OF_OUTBREAKS)
        subjects += [step.subject or "" for step in follow_ups(news, OF_OUTBREAKS, NOW)]

    assert [told[:2] for told in reminded_of(incident, *subjects[:2])] == [("boss", "escalation")]
    assert [told[:2] for told in reminded_of(incident, *subjects[2:])] == [
        ("boss", "escalation"),
        ("ops", "repeat"),
    ]
