"""When notices are sent: the first at once, then digests at a growing distance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from domain.changes import Changes
from domain.notifications.delivery import Collected, Delivery
from domain.notifications.group import NotificationGroup
from domain.notifications.grouping import Traffic, dispatch, groups_of, retry, send_digests
from domain.notifications.notice import Notice, of_claims
from domain.notifications.routing import Notification, Reviewed, RoutingContext, review
from domain.notifications.silence import Silence
from domain.policy.policy import GroupPolicy, Policy
from domain.steps import Deliver, SendDigest
from tests.builders import NOW, a_claim_under_review, a_delivery, a_policy, ids
from tests.unit.domain.written import written

SECOND = timedelta(seconds=1)


def notices(*spots: str, **changes: Any) -> list[Notice]:
    return of_claims([a_claim_under_review(spot_id=spot, **changes) for spot in spots])


@dataclass
class Town:
    """What the database would keep, and a clock that jumps from one due time to the next."""

    group_policy: GroupPolicy = field(default_factory=GroupPolicy)
    now: datetime = NOW
    groups: dict[str, NotificationGroup] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    digests: list[SendDigest] = field(default_factory=list)
    due: list[tuple[datetime, str]] = field(default_factory=list)
    new_ids: Any = field(default_factory=ids)
    collected: list[Collected] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)
    policy: Policy = field(default_factory=a_policy)

    def dispatch(self, *notifications: Notification) -> list[Delivery]:
        wanted = groups_of(notifications)
        groups = {group.id: self.groups.setdefault(group.id, group) for group in wanted}
        traffic = self._traffic(groups)
        return self._keep(dispatch(notifications, traffic, self.group_policy, self.now, self.new_ids.__next__))

    def notify(self, items: Sequence[Notice], destination: str = "ops", **changes: Any) -> list[Delivery]:
        return self.dispatch(Notification(destination, list(items), **changes))

    def wait(self, duration: timedelta) -> None:
        """Digests go when they are due."""
        until = self.now + duration
        while due := [step for step in self.digests if step.due_at and step.due_at <= until]:
            step = min(due, key=lambda step: step.due_at or NOW)
            self.digests.remove(step)
            self.now = step.due_at or NOW
            groups = {key: group for key, group in self.groups.items() if [group.collecting] == step.subject_ids}
            traffic = self._traffic(groups)
            less = {it.id: found for it in traffic.collecting.values() if (found := self.review(it)).not_sent}
            new_id = self.new_ids.__next__
            self._keep(send_digests(groups.values(), traffic, self.group_policy, self.now, less, new_id))
        self.now = until

    def review(self, delivery: Delivery) -> Reviewed:
        collected = [Notice(**item.notice) for item in self.collected if item.delivery_id == delivery.id]
        context = RoutingContext(self.now, self.silences, self.incidents)
        return review(collected, delivery.destination, self.policy, context)

    def _traffic(self, groups: dict[str, NotificationGroup]) -> Traffic:
        collecting = {g.collecting: self.deliveries[g.collecting] for g in groups.values() if g.collecting}
        recent: dict[str, list[datetime]] = {}
        for moment, destination in sorted(self.due, reverse=True):
            recent.setdefault(destination, []).append(moment)
        return Traffic(groups, collecting, recent)

    def _keep(self, changes: Changes) -> list[Delivery]:
        self.deliveries |= {delivery.id: delivery for delivery in changes.of(Delivery)}
        self.collected += changes.of(Collected)
        assert all(self.groups[group.id] is group for group in changes.of(NotificationGroup))
        self.digests += [step for step in changes.steps if isinstance(step, SendDigest)]
        for step in changes.steps:
            if isinstance(step, Deliver):
                [delivery] = (self.deliveries[delivery_id] for delivery_id in step.subject_ids)
                assert delivery.due_at is not None
                assert step.due_at == (delivery.due_at if delivery.due_at > self.now else None)
                assert step.destination == delivery.destination
                self.due.append((delivery.due_at, delivery.destination))
        return changes.of(Delivery)

    def sent(self) -> list[tuple[str, int, int]]:
        """Why, after how many seconds, and of how many claims."""
        return [
            (delivery.reason, (delivery.due_at - NOW) // SECOND, len(delivery.subject_ids))
            for delivery in self.deliveries.values()
            if delivery.status == "pending" and delivery.due_at
        ]


def test_the_first_notices_of_a_group_go_at_once() -> None:
    """One message for many claims."""
    town = Town()

    town.notify(notices("E1", "E2", "E3"))

    assert town.sent() == [("first", 0, 3)]


def test_further_notices_come_as_one_digest() -> None:
    """However many batches they came in."""
    town = Town()
    town.notify(notices("E1"))
    for number in range(2, 10):
        town.notify(notices(f"E{number}", zone="north"))

    [_, collecting] = town.deliveries.values()
    assert (collecting.status, collecting.due_at) == ("gathering", NOW + 30 * SECOND)
    town.wait(timedelta(minutes=1))

    assert town.sent() == [("first", 0, 1), ("digest", 30, 8)]
    assert collecting.title == "METER_MISREAD on 8 spots in north: under review for the reviewer"
    assert len(collecting.body.splitlines()) == 8


def test_the_distance_of_digests_grows_up_to_a_cap() -> None:
    """A notice every ten seconds for two hours."""
    town = Town(GroupPolicy(digest_seconds=30, longest_minutes=30))

    for number in range(720):
        town.notify(notices(f"E{number}"))
        town.wait(10 * SECOND)

    times = [after for _, after, _ in town.sent()]
    distances = [later - earlier for earlier, later in pairwise(times)]
    assert distances == [30, 60, 120, 240, 480, 960, 1800, 1800]


def test_ten_thousand_claims_of_a_storm_are_few_messages_and_none_is_lost() -> None:
    """The first at once."""
    town = Town()

    for batch in range(500):
        town.notify(notices(*(f"E{batch}-{n}" for n in range(20))))
        town.wait(7 * SECOND)
    town.wait(timedelta(hours=1))

    sent = town.sent()
    assert sent[0] == ("first", 0, 20)
    assert len(sent) <= 20
    assert sum(claims for _, _, claims in sent) == 10_000


def test_notices_that_come_just_after_each_digest_are_slowed_down_too() -> None:
    """A group that is not idle yet goes on where it was."""
    town = Town()

    for number in range(60):
        town.notify(notices(f"E{number}"))
        town.wait(31 * SECOND)

    reasons = [reason for reason, _, _ in town.sent()]
    assert reasons[:2] == ["first", "update"]
    assert len(reasons) <= 7


def test_a_group_is_idle_again_when_nothing_comes() -> None:
    """The next message is a first one again, and the next digest as near as ever."""
    town = Town()
    town.notify(notices("E1"))
    town.notify(notices("E2"))
    town.wait(timedelta(minutes=10))

    town.notify(notices("E3"))
    town.notify(notices("E4"))
    town.wait(timedelta(minutes=10))

    assert [(reason, after) for reason, after, _ in town.sent()] == [
        ("first", 0),
        ("digest", 30),
        ("first", 600),
        ("digest", 630),
    ]


def test_another_destination_event_or_error_is_another_group() -> None:
    """None waits for another."""
    town = Town()

    town.notify(notices("E1"))
    town.notify(notices("E1"), destination="chat")
    town.notify(notices("E1", code="SPOT_OCCUPIED"))
    town.notify(of_claims([a_claim_under_review(escalated_to="manager")]))

    assert [reason for reason, _, _ in town.sent()] == ["first"] * 4


def test_another_stage_is_a_notice_of_the_same_group() -> None:
    """One message that tells the stages apart."""
    town = Town()

    town.notify(notices("E1") + notices("E2", stages=["reviewer", "manager"], stage=2))

    [delivery] = town.deliveries.values()
    assert delivery.title.endswith("1 under review for the reviewer; 1 under review for the manager")


def test_notifications_of_one_group_are_written_once() -> None:
    """A message at once, and one that collects; no row twice in a statement."""
    town = Town()

    deliveries = town.dispatch(
        Notification("ops", notices("E1")), Notification("ops", notices("E2")), Notification("ops", notices("E3"))
    )

    assert [(it.status, len(it.subject_ids)) for it in deliveries] == [("pending", 1), ("gathering", 2)]


def test_quiet_hours_hold_notices_for_one_digest_at_their_end() -> None:
    """While what does not wait is sent as ever."""
    town = Town()
    morning = NOW + timedelta(hours=8)

    town.notify(notices("E1"), held_until=morning)
    town.wait(timedelta(hours=1))
    town.notify(notices("E2"), held_until=morning)
    town.notify(notices("E3", severity="critical"))
    town.wait(timedelta(hours=8))

    assert sorted(town.sent()) == [("digest", 8 * 3600, 2), ("first", 3600, 1)]


def test_a_destination_is_sent_so_many_messages_a_minute() -> None:
    """The others are due as soon as there is room; another destination is not held up."""
    town = Town(GroupPolicy(per_minute=2))
    codes = ("METER_MISREAD", "SPOT_OCCUPIED", "OTHER", "SESSION_MISSING", "POWER_FAILURE")

    town.dispatch(*(Notification("ops", notices("E1", code=code)) for code in codes))
    town.wait(10 * SECOND)
    town.notify(notices("E1", code="OVER_CURRENT"))
    town.notify(notices("E1"), destination="chat")

    assert [after for _, after, _ in town.sent()] == [0, 0, 60, 60, 120, 120, 10]


def test_each_attempt_counts_against_the_limit() -> None:
    """Also one whose message is sent again meanwhile, but for a minute only; what was sent is left alone."""
    one, other = (a_delivery(due_at=NOW + second * SECOND) for second in (0, 5))
    policy, recent = GroupPolicy(per_minute=3), [NOW + 5 * SECOND, NOW]

    changes = retry([one, other], Traffic(recent={"ops": recent}), policy, NOW + 10 * SECOND)

    assert [(delivery.due_at - NOW) // SECOND for delivery in (one, other) if delivery.due_at] == [10, 60]
    assert (one.tried_at, other.tried_at) == ([NOW], [NOW + 5 * SECOND])
    assert changes.of(Delivery) == [one, other]
    assert changes.steps == [
        Deliver([one.id], "ops"),
        Deliver([other.id], "ops", due_at=NOW + 60 * SECOND),
    ]
    assert written(retry([a_delivery(status="sent")], Traffic(), policy, NOW)) == []

    retry([one], Traffic(), policy, NOW + 61 * SECOND)
    assert one.tried_at == [NOW + 10 * SECOND]


def test_what_is_silenced_or_suppressed_is_logged_and_not_sent() -> None:
    """One row for all of it, with the reason, and the group stays idle."""
    town = Town()
    town.notify(notices("E1", "E2"), reason="silenced", why="silenced by olga: works in the street")
    town.notify(notices("E3"), reason="suppressed_by_incident", why="notified by incident 7")

    silenced, suppressed = town.deliveries.values()
    assert (silenced.status, silenced.reason, len(silenced.subject_ids)) == ("silenced", "silenced", 2)
    assert (silenced.answer, silenced.finished_at) == ("silenced by olga: works in the street", NOW)
    assert (suppressed.status, suppressed.reason) == ("suppressed", "suppressed_by_incident")
    town.notify(notices("E4"))
    assert town.sent() == [("first", 0, 1)]


def test_a_notification_that_knows_its_reason_keeps_it() -> None:
    """Unless a digest mixes it with others."""
    town = Town()

    town.notify(notices("E1"), reason="repeat")
    town.notify(notices("E2"), reason="resolved")
    town.wait(30 * SECOND)
    town.notify(notices("E3"), reason="repeat")
    town.notify(notices("E4"))
    town.wait(timedelta(minutes=5))

    assert [reason for reason, _, _ in town.sent()] == ["repeat", "resolved", "digest"]


def in_the_north() -> Silence:
    return Silence("s-1", "olga", "works", NOW, NOW + timedelta(hours=1), zones=("north",))


def results(town: Town) -> list[tuple[str, str, list[str]]]:
    """What became of all but the first delivery: its status, why, and of which spots."""
    spots = {item.notice["about"]: item.notice["spot"] for item in town.collected}
    [_, *waited] = town.deliveries.values()
    return [(it.status, it.reason, [spots[about] for about in it.subject_ids]) for it in waited]


def test_what_was_silenced_while_it_waited_is_left_out_of_its_digest() -> None:
    """And logged with the reason; the text has the others alone."""
    town = Town()
    town.notify(notices("E1"))
    town.notify([*notices(*(f"N{n}" for n in range(12)), zone="north"), *notices("S1", zone="south")])
    town.silences.append(in_the_north())
    town.wait(timedelta(minutes=1))

    _, digest, silenced = town.deliveries.values()
    north = [f"N{n}" for n in range(12)]
    assert results(town) == [("pending", "digest", ["S1"]), ("silenced", "silenced", north)]
    assert digest.title == "METER_MISREAD on spot S1 in south: under review for the reviewer"
    assert len(digest.body.splitlines()) == 1
    assert silenced.answer == "silenced by olga until 2026-03-10 13:00 UTC: works"


def test_what_came_under_an_incident_while_it_waited_is_left_out_of_its_digest() -> None:
    """Whoever is notified of incidents is notified of this one."""
    town = Town()
    town.notify(notices("E1"))
    waiting = notices("E2", "E3")
    town.notify(waiting)
    town.incidents[waiting[0].about] = "i-7"
    town.wait(timedelta(minutes=1))

    assert results(town) == [("pending", "digest", ["E3"]), ("suppressed", "suppressed_by_incident", ["E2"])]


def test_no_digest_is_sent_of_nothing() -> None:
    """Each reason is logged, and the next notice is sent when it would have been."""
    town = Town()
    town.notify(notices("E1"))
    waiting = notices("E2", zone="south")
    town.notify([*waiting, *notices("N1", zone="north")])
    town.incidents[waiting[0].about] = "i-7"
    town.silences.append(in_the_north())
    town.wait(timedelta(minutes=1))

    assert sorted(results(town)) == [
        ("silenced", "silenced", ["N1"]),
        ("suppressed", "suppressed_by_incident", ["E2"]),
    ]
    assert all(group.collecting is None for group in town.groups.values())
    town.notify(notices("E4"))
    assert [reason for reason, _, _ in town.sent()] == ["first", "first"]
