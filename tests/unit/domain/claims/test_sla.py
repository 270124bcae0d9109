"""The clocks of a claim: what they show, when they stand, and what they set off."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.audit.chain import instant
from domain.changes import Changes
from domain.claims import sla
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.field.spot import Spot
from domain.policy.calendar import ALWAYS, Calendar
from domain.policy.policy import Policy, Target
from domain.steps import Announce, CheckClocks
from tests.builders import NOW, a_claim, a_policy, a_spot
from tests.unit.domain.written import written

HOUR = timedelta(hours=1)
BUSINESS = Calendar("business", (((time(8), time(18)),),) * 5 + ((), ()), frozenset({date(2026, 3, 19)}))
POLICY = a_policy(
    targets=(
        Target(acknowledge_hours=4, resolve_hours=72, severities=("high",)),
        Target(acknowledge_hours=8, resolve_hours=60, calendar="business"),
    ),
    calendars={"always": ALWAYS, "business": BUSINESS},
    warn_share=0.75,
    time_zone="UTC",
)


def of_policy(version: str) -> Policy:
    assert version == POLICY.version
    return POLICY


def a_bound_claim(**changes: Any) -> Claim:
    """A claim that runs since now, around the clock: acknowledged within 4 hours, resolved within 72."""
    claim = a_claim(**({"status": "verifying"} | changes))
    bind(claim)
    return claim


def bind(claim: Claim, spot: Spot | None = None, now: datetime = NOW) -> ClockChange:
    change = ClockChange(**sla.bind(claim, claim.status, spot, POLICY, now))
    change.apply(claim)
    return change


def move(claim: Claim, status: str, now: datetime, closed_at: datetime | None = None) -> dict[str, Any]:
    """As it is on record."""
    change = ClockChange(**sla.follow(claim, status, POLICY, now, closed_at=closed_at))
    claim.status = status
    change.apply(claim)
    return change.body()


def shown(claim: Claim, clock: str, now: datetime) -> sla.Reading:
    return sla.readings(claim, POLICY, now)[clock]


def swept(claim: Claim, now: datetime) -> Changes:
    return sla.sweep([claim], {(claim.id, len(claim.pauses))}, of_policy, now)


def fired(changes: Changes) -> list[tuple[str, str]]:
    return [(event.kind, json.loads(event.body)["clock"]) for event in changes.events]


class TestReading:
    """One function, whoever asks."""

    terms = sla.Terms(timedelta(hours=10), ALWAYS, "UTC", 0.75)

    def read(self, pauses: Sequence[int], hours: float, stopped: float | None = None) -> sla.Reading:
        """After so many hours, with pauses and a stop at these."""
        marks = [NOW + HOUR * mark for mark in pauses]
        return sla.read(
            self.terms, NOW, marks, None if stopped is None else NOW + HOUR * stopped, NOW + HOUR * hours
        )

    def test_a_clock_runs(self) -> None:
        """From its start, towards a warning and its due date."""
        read = self.read([], 2)

        assert (read.used, read.share) == (2 * HOUR, 0.2)
        assert (read.warn_at, read.due_at) == (NOW + 7.5 * HOUR, NOW + 10 * HOUR)
        assert (read.paused, read.warned, read.breached) == (False, False, False)

    def test_a_pause_puts_the_due_date_off(self) -> None:
        """By as long as it lasted."""
        read = self.read([1, 4, 6, 8], 9)

        assert (read.used, read.due_at) == (4 * HOUR, NOW + 15 * HOUR)

    def test_a_clock_that_stands_has_no_due_date(self) -> None:
        """Until it goes on; what it used stays."""
        read = self.read([4], 99)

        assert (read.used, read.warn_at, read.due_at, read.paused) == (4 * HOUR, None, None, True)
        assert not read.warned

    def test_a_pause_cannot_take_back_what_was_reached(self) -> None:
        """The warning was due before it, the due date was not."""
        read = self.read([8], 99)

        assert (read.warn_at, read.due_at, read.warned, read.breached) == (NOW + 7.5 * HOUR, None, True, False)

    def test_a_pause_that_begins_when_the_time_is_up_comes_too_late(self) -> None:
        """The target was used up by then."""
        read = self.read([10, 20], 30)

        assert (read.due_at, read.breached) == (NOW + 10 * HOUR, True)

    @pytest.mark.parametrize(
        ("stopped", "breached"), [(None, True), (9.9, False), (10, False), (10.1, True)], ids=str
    )
    def test_a_clock_is_breached_unless_it_was_stopped_in_time(
        self, stopped: float | None, breached: bool
    ) -> None:
        """Stopped at its due date is in time; nobody stopping it is not."""
        assert self.read([], 1000, stopped).breached is breached

    def test_it_is_breached_at_its_due_date(self) -> None:
        """And not a microsecond before."""
        at, before = self.read([], 10), self.read([], 10 - 1e-9)

        assert (at.breached, before.breached) == (True, False)

    def test_a_stopped_clock_used_what_it_used(self) -> None:
        """However long ago that is, and whatever was paused since."""
        read = self.read([6], 50, 5)

        assert (read.used, read.paused) == (5 * HOUR, False)


@st.composite
def runs(draw: st.DrawFn) -> tuple[sla.Terms, datetime, list[datetime], datetime]:
    """Terms, a start, pauses in order, and a moment to look at the clock."""
    moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
    terms = sla.Terms(
        draw(st.timedeltas(timedelta(minutes=1), timedelta(days=60))),
        draw(st.sampled_from((ALWAYS, BUSINESS))),
        draw(st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"))),
        draw(st.floats(0.01, 0.99)),
    )
    started_at, *pauses = sorted(draw(st.lists(moments, min_size=1, max_size=8)))
    return terms, started_at, pauses, draw(moments)


FAR = datetime(9999, 1, 1, tzinfo=UTC)


@settings(deadline=None)
@given(runs(), st.data())
def test_a_pause_never_brings_a_deadline_nearer(
    given_run: tuple[sla.Terms, datetime, list[datetime], datetime], data: st.DataObject
) -> None:
    """One pause more, ended or not, leaves the due date where it is or puts it off."""
    terms, started_at, pauses, now = given_run
    place = data.draw(st.integers(0, len(pauses) // 2)) * 2
    low = pauses[place - 1] if place else started_at
    high = pauses[place] if place < len(pauses) else low + timedelta(days=400)
    more = sorted(data.draw(st.lists(st.datetimes(_naive(low), _naive(high)), min_size=2, max_size=2)))
    with_one_more = [*pauses[:place], *(moment.replace(tzinfo=UTC) for moment in more), *pauses[place:]]

    before = sla.read(terms, started_at, pauses, None, now)
    after = sla.read(terms, started_at, with_one_more, None, now)

    assert (after.warn_at or FAR) >= (before.warn_at or FAR)
    assert (after.due_at or FAR) >= (before.due_at or FAR)
    assert after.used <= before.used


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


@settings(deadline=None)
@given(runs())
def test_the_due_date_is_when_the_target_is_used_up(
    given_run: tuple[sla.Terms, datetime, list[datetime], datetime],
) -> None:
    """What a clock used and when it is due agree, to the microsecond."""
    terms, started_at, pauses, now = given_run
    read = sla.read(terms, started_at, pauses, None, now)

    assert read.breached == (read.used >= terms.target)
    if read.due_at is not None:
        assert sla.read(terms, started_at, pauses, None, read.due_at).used == terms.target
        just_before = read.due_at - timedelta(microseconds=1)
        assert sla.read(terms, started_at, pauses, None, just_before).used < terms.target
    else:
        assert sla.read(terms, started_at, pauses, None, FAR).used < terms.target


@settings(deadline=None)
@given(runs(), st.timedeltas(timedelta(0), timedelta(days=900)))
def test_a_stopped_clock_never_breaches_later(
    given_run: tuple[sla.Terms, datetime, list[datetime], datetime], later: timedelta
) -> None:
    """What it shows when it is stopped it shows for ever, pauses that come afterwards or not."""
    terms, started_at, pauses, stopped_at = given_run
    past = [moment for moment in pauses if moment <= stopped_at]
    at_once = sla.read(terms, started_at, past, stopped_at, stopped_at)
    for since in (past, pauses):
        then = sla.read(terms, started_at, since, stopped_at, stopped_at + later)

        assert (then.used, then.warned) == (at_once.used, then.warned)
        assert at_once.breached or not then.breached or then.due_at < stopped_at  # type: ignore[operator]


class TestBinding:
    """A claim gets its clocks once, and says why."""

    def test_what_was_bound_and_why(self) -> None:
        """The version of the policy, the number of the rule and its conditions, the calendar and the zone."""
        claim = a_claim(severity="medium", status="verifying")

        bound = bind(claim, a_spot(time_zone="Europe/Berlin")).body()

        assert bound == {
            "policy": POLICY.version,
            "target": 2,
            "severities": [],
            "claim_types": [],
            "acknowledge_hours": 8,
            "resolve_hours": 60,
            "calendar": "business",
            "time_zone": "Europe/Berlin",
            "zone_of": "spot",
            "acknowledge_due_at": "2026-03-11T10:00:00.000000Z",
            "resolve_due_at": "2026-03-18T12:00:00.000000Z",
        }
        assert [instant(claim.acknowledge_due_at), instant(claim.resolve_due_at)] == [  # type: ignore[arg-type]
            bound["acknowledge_due_at"],
            bound["resolve_due_at"],
        ]
        assert (claim.time_zone, claim.policy_version) == ("Europe/Berlin", POLICY.version)

    @pytest.mark.parametrize("stated", [None, "", "Mars/Base", "../../etc/passwd"])
    def test_a_site_without_a_zone_has_that_of_the_policy(self, stated: str | None) -> None:
        """Or with one that nobody knows."""
        claim = a_claim()

        bound = bind(claim, a_spot(time_zone=stated))

        assert (bound.zone_of, claim.time_zone) == ("policy", "UTC")
        assert bind(a_claim()).zone_of == "policy"

    @pytest.mark.parametrize("status", sla.STANDING)
    def test_a_claim_that_waits_at_once_is_paused_at_once(self, status: str) -> None:
        """Its clocks ran from its opening until now, and are due when they went on."""
        claim = a_claim(status=status)

        bound = bind(claim, now=NOW + HOUR).body()

        assert (bound["paused_at"], bound["resolve_due_at"]) == (instant(NOW + HOUR), None)
        assert (claim.pauses, claim.resolve_due_at) == ([NOW + HOUR], None)
        assert sla.schedule([claim], of_policy, NOW + HOUR) == []

    def test_a_claim_without_clocks_has_nothing_to_show(self) -> None:
        """Nor does anything follow for it."""
        claim = a_claim()

        assert sla.readings(claim, POLICY, NOW) == {}
        assert move(claim, "awaiting_evidence", NOW) == {}
        assert sla.schedule([claim], of_policy, NOW) == []
        assert written(swept(claim, NOW)) == []


class TestPausing:
    """The clocks follow the claim's status."""

    def test_waiting_for_evidence_stops_the_clocks_and_leaving_it_sets_them_going(self) -> None:
        """Both due dates move by the time between."""
        claim = a_bound_claim()

        paused = move(claim, "awaiting_evidence", NOW + HOUR)
        resumed = move(claim, "under_review", NOW + 11 * HOUR)

        assert paused == {
            "paused_at": instant(NOW + HOUR),
            "acknowledge_due_at": None,
            "resolve_due_at": None,
        }
        assert resumed["resumed_at"] == instant(NOW + 11 * HOUR)
        assert claim.acknowledge_due_at == NOW + 14 * HOUR
        assert claim.resolve_due_at == NOW + 82 * HOUR
        assert resumed["resolve_due_at"] == instant(claim.resolve_due_at)

    def test_any_other_change_leaves_them_alone(self) -> None:
        """From review to approval the clock runs on."""
        claim = a_bound_claim()

        assert move(claim, "under_review", NOW + HOUR) == move(claim, "approved", NOW + 2 * HOUR) == {}

    def test_a_pause_never_ends_before_it_began(self) -> None:
        """Two machines whose clocks differ take part."""
        claim = a_bound_claim()
        move(claim, "awaiting_evidence", NOW + HOUR)

        move(claim, "under_review", NOW + HOUR - timedelta(seconds=2))

        assert claim.pauses == [NOW + HOUR] * 2
        assert claim.resolve_due_at == NOW + 72 * HOUR

    def test_the_time_while_a_claim_was_closed_does_not_count(self) -> None:
        """One that is opened again goes on where it was."""
        claim = a_bound_claim(status="under_review")

        changed = move(claim, "under_review", NOW + 30 * HOUR, closed_at=NOW + 10 * HOUR)

        assert (changed["closed_from"], changed["resumed_at"]) == (
            instant(NOW + 10 * HOUR),
            instant(NOW + 30 * HOUR),
        )
        assert claim.resolve_due_at == NOW + 92 * HOUR

    def test_nor_does_it_for_clocks_that_are_bound_later(self) -> None:
        """As those of a claim that was withdrawn before anybody had looked at it."""
        claim = a_claim(status="submitted")

        changed = move(claim, "submitted", NOW + 30 * HOUR, closed_at=NOW + 10 * HOUR)
        bind(claim, now=NOW + 31 * HOUR)

        assert changed == {"closed_from": instant(NOW + 10 * HOUR), "resumed_at": instant(NOW + 30 * HOUR)}
        assert claim.resolve_due_at == NOW + 92 * HOUR


class TestStopping:
    """A clock is stopped by the one act that it waits for."""

    def test_acknowledging_stops_the_first_clock_only(self) -> None:
        """And only the first time."""
        claim = a_bound_claim()

        first = sla.acknowledge(claim, NOW + HOUR)
        ClockChange(**first).apply(claim)
        again = sla.acknowledge(claim, NOW + 2 * HOUR)

        assert (first, again) == ({"acknowledged_at": NOW + HOUR}, {})
        assert claim.acknowledged_at == NOW + HOUR
        assert shown(claim, "acknowledge", NOW + 99 * HOUR).used == HOUR
        assert shown(claim, "resolve", NOW + 99 * HOUR).breached

    def test_closing_stops_both(self) -> None:
        """Nobody need acknowledge what is done."""
        claim = a_bound_claim(status="resolved", closed_at=NOW + HOUR)

        assert fired(swept(claim, NOW + 99 * HOUR)) == []
        assert {clock: read.used for clock, read in sla.readings(claim, POLICY, NOW + 99 * HOUR).items()} == {
            "acknowledge": HOUR,
            "resolve": HOUR,
        }


class TestSweeping:
    """Warnings and breaches, once each."""

    def test_each_moment_brings_the_next(self) -> None:
        """From the first warning to the last breach, each at its time."""
        claim = a_bound_claim()
        looks = sla.schedule([claim], of_policy, NOW)
        seen = []
        while looks:
            [look] = looks
            assert look.due_at is not None
            changes = sla.sweep([claim], {(claim.id, look.pauses)}, of_policy, look.due_at)
            seen += [((look.due_at - NOW) / HOUR, *entry) for entry in fired(changes)]
            looks = [step for step in changes.steps if isinstance(step, CheckClocks)]

        assert seen == [
            (3, "claim.sla_warned", "acknowledge"),
            (4, "claim.sla_breached", "acknowledge"),
            (54, "claim.sla_warned", "resolve"),
            (72, "claim.sla_breached", "resolve"),
        ]
        assert claim.sla_alerts == [
            *("acknowledge.warned", "acknowledge.breached", "resolve.warned", "resolve.breached")
        ]

    def test_nothing_fires_twice(self) -> None:
        """Nor is a notice of it scheduled again."""
        claim = a_bound_claim()
        swept(claim, NOW + 4 * HOUR)

        again = swept(claim, NOW + 5 * HOUR)

        assert (again.events, again.of(Claim)) == ([], [])
        assert again.steps == [CheckClocks([claim.id], 0, due_at=NOW + 54 * HOUR)]

    def test_what_fired_is_announced(self) -> None:
        """By a notice of its own, with the due date on record."""
        claim = a_bound_claim(acknowledged_at=NOW)

        changes = swept(claim, NOW + 60 * HOUR)

        [event] = changes.events
        assert json.loads(event.body) == {
            "clock": "resolve",
            "due_at": instant(NOW + 72 * HOUR),
            "used_hours": 60.0,
        }
        assert changes.steps == [
            Announce([claim.id], event="sla_warned.resolve"),
            CheckClocks([claim.id], 0, due_at=NOW + 72 * HOUR),
        ]

    def test_a_warning_that_comes_with_its_breach_is_not_announced(self) -> None:
        """After an outage both are on record, and the worse is announced."""
        claim = a_bound_claim()

        changes = swept(claim, NOW + 5 * HOUR)

        assert [kind for kind, _ in fired(changes)] == ["claim.sla_warned", "claim.sla_breached"]
        assert [step for step in changes.steps if isinstance(step, Announce)] == [
            Announce([claim.id], event="sla_breached.acknowledge")
        ]

    def test_claims_that_share_a_moment_share_a_step(self) -> None:
        """A batch costs one row; a claim with another target has another."""
        claims = [a_bound_claim() for _ in range(100)]
        other = a_bound_claim(severity="low")

        steps = sla.schedule([*claims, other], of_policy, NOW)

        assert [len(step.subject_ids) for step in steps] == [100, 1]

    def test_a_step_from_before_a_pause_has_no_successor(self) -> None:
        """The one that was scheduled when the claim was resumed goes on."""
        claim = a_bound_claim()
        [old] = sla.schedule([claim], of_policy, NOW)
        move(claim, "awaiting_evidence", NOW + HOUR)
        move(claim, "under_review", NOW + 2 * HOUR)
        [new] = sla.schedule([claim], of_policy, NOW + 2 * HOUR)
        assert (old.due_at, new.due_at) == (NOW + 3 * HOUR, NOW + 4 * HOUR)

        late = sla.sweep([claim], {(claim.id, old.pauses)}, of_policy, NOW + 3 * HOUR)
        due = sla.sweep([claim], {(claim.id, new.pauses)}, of_policy, NOW + 4 * HOUR)

        assert written(late) == []
        assert fired(due) == [("claim.sla_warned", "acknowledge")]

    def test_a_threshold_passed_just_before_a_pause_still_fires(self) -> None:
        """Though the step that looks comes after the pause began."""
        claim = a_bound_claim()
        [step] = sla.schedule([claim], of_policy, NOW)
        move(claim, "awaiting_evidence", NOW + 3.5 * HOUR)

        changes = sla.sweep([claim], {(claim.id, step.pauses)}, of_policy, NOW + 3.6 * HOUR)

        assert fired(changes) == [("claim.sla_warned", "acknowledge")]
        assert changes.steps == [Announce([claim.id], event="sla_warned.acknowledge")]

    def test_a_breach_found_after_the_closing_is_still_a_breach(self) -> None:
        """The claim was late, though nobody looked in time; nothing more is scheduled."""
        claim = a_bound_claim(status="resolved", closed_at=NOW + 80 * HOUR)

        changes = swept(claim, NOW + 81 * HOUR)

        assert ("claim.sla_breached", "resolve") in fired(changes)
        assert CheckClocks.KIND not in {step.kind for step in changes.steps}

    def test_a_breach_before_the_clocks_were_bound_is_still_a_breach(self) -> None:
        """Somebody acted on the claim, too late, before it was verified; nothing else is due while it waits."""
        claim = a_claim(status="awaiting_evidence", acknowledged_at=NOW + 5 * HOUR)
        bind(claim, now=NOW + 6 * HOUR)

        [step] = sla.schedule([claim], of_policy, NOW + 6 * HOUR)
        changes = swept(claim, NOW + 6 * HOUR)

        assert step.due_at == NOW + 3 * HOUR
        assert fired(changes) == [("claim.sla_warned", "acknowledge"), ("claim.sla_breached", "acknowledge")]
        assert CheckClocks.KIND not in {step.kind for step in changes.steps}
