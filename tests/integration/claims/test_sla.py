"""The clocks of claims on a real database: each warning and breach once, whoever looks, and pauses respected."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from adapters.policy.reader import read_policy
from adapters.postgres.claims.policies import Policies
from adapters.postgres.claims.queries import Reports
from adapters.postgres.steps.queue import StepQueue, StepSignal
from domain.changes import Changes
from domain.claims import sla
from domain.claims.claim import Claim
from domain.claims.clock_events import ClockChange
from domain.claims.events import ClaimVerified
from domain.claims.lifecycle import AWAITING_EVIDENCE, INSUFFICIENT
from domain.errors import SetupError
from domain.policy.calendar import ALWAYS
from domain.policy.policy import NotificationRule, Target
from domain.steps import CheckClocks
from tests.builders import NOW, a_claim, a_fault, a_policy, a_spot, a_usage_record
from tests.integration.parts import LEASE_SECONDS, PATIENCE_SECONDS, Clock, Spotclaim
from workers.runtime.relay import Relay
from workers.services.sla_explanation import SlaExplanation

WORKERS = 8
HOUR = timedelta(hours=1)
ALERTS = NotificationRule("claim.sla_breached", ("ops",))
POLICY = a_policy(
    targets=(Target(acknowledge_hours=4, resolve_hours=72),), calendars={"always": ALWAYS}, notifications=(ALERTS,)
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(set_up: Callable[..., Spotclaim], clock: Clock) -> Spotclaim:
    """Claims are acknowledged within 4 hours and resolved within 72; ops is notified of breaches."""
    return set_up(policy=POLICY, clock=clock)


def open_claims(spotclaim: Spotclaim, number: int = 1) -> None:
    """Claims that are eligible and wait for their reviewer, opened together."""
    spots = [f"E{n}" for n in range(number)]
    spotclaim.take_in(usage=[a_usage_record(spot_id=spot, energy_kwh=-5.0) for spot in spots])
    spotclaim.take_in(faults=[a_fault(spot_id=spot) for spot in spots])
    spotclaim.carry_out()
    assert {claim["status"] for claim in spotclaim.claims()} == {"under_review"}


def sweep(spotclaim: Spotclaim, now: datetime) -> None:
    """As the relay would, once that moment has come."""
    spotclaim.clock.now = now
    spotclaim.run_now("clock")
    spotclaim.carry_out()


def alerts(spotclaim: Spotclaim) -> list[str]:
    """What fired, in the order of the claims' events."""
    return [
        f"{json.loads(event.body)['clock']} {event.kind.removeprefix('claim.sla_')}"
        for claim in spotclaim.claims()
        for event in spotclaim.events(claim["id"])
        if event.kind.startswith("claim.sla_")
    ]


def due(spotclaim: Spotclaim) -> list[datetime]:
    return [step["due_at"] for step in spotclaim.clock_steps()]


def test_a_claim_gets_its_clocks_when_it_is_verified(timed: Spotclaim) -> None:
    """In the zone of its spot, from its opening on, and its audit chain says why."""
    timed.take_in(spots=[a_spot(spot_id="E0", time_zone="Asia/Kathmandu")])
    open_claims(timed)

    [claim] = timed.claims()
    assert (claim["time_zone"], claim["policy_version"]) == ("Asia/Kathmandu", POLICY.version)
    assert (claim["acknowledge_due_at"], claim["resolve_due_at"]) == (NOW + 4 * HOUR, NOW + 72 * HOUR)
    bound = timed.verdict(claim)["clocks"]
    assert {name: bound[name] for name in ("policy", "target", "calendar", "time_zone", "zone_of")} == {
        "policy": POLICY.version,
        "target": 1,
        "calendar": "always",
        "time_zone": "Asia/Kathmandu",
        "zone_of": "spot",
    }


def test_a_batch_costs_one_step(timed: Spotclaim) -> None:
    """However many claims were opened at that moment."""
    open_claims(timed, 50)

    [step] = timed.clock_steps()
    assert (len(step["subject_ids"]), step["due_at"]) == (50, NOW + 3 * HOUR)


def test_both_clocks_warn_and_breach_in_turn(timed: Spotclaim) -> None:
    """At three quarters and at all of their time, then nothing more is pending."""
    open_claims(timed, 3)
    while moments := due(timed):
        sweep(timed, moments[0])

    assert alerts(timed) == 3 * [
        "acknowledge warned",
        "acknowledge breached",
        "resolve warned",
        "resolve breached",
    ]
    assert [title for _, title, _ in timed.notifier.sent] == [
        "METER_MISREAD on 3 spots: not acknowledged in time",
        "METER_MISREAD on 3 spots: not resolved in time",
    ]
    timed.demand_sound_chains()


@pytest.mark.parametrize("claims", [1, 40])
def test_eight_workers_that_race_for_one_step_fire_once(timed: Spotclaim, claims: int) -> None:
    """All of them were sent it at the same moment."""
    open_claims(timed, claims)
    [step] = timed.clock_steps()
    timed.clock.now = NOW + 5 * HOUR
    together = Barrier(WORKERS, timeout=PATIENCE_SECONDS)

    def race(_: int) -> None:
        together.wait()
        timed.runner.run("clock", [step["id"]])

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(race, range(WORKERS)))
    timed.carry_out()

    assert alerts(timed) == claims * ["acknowledge warned", "acknowledge breached"]
    assert len(timed.notifier.sent) == 1
    assert due(timed) == [NOW + 54 * HOUR]
    timed.demand_sound_chains()


def test_eight_workers_with_steps_of_their_own_fire_once(timed: Spotclaim) -> None:
    """Even if several steps are pending for the same clock, since the claim remembers what it set off."""
    open_claims(timed)
    [step] = timed.clock_steps()
    timed.record(*(CheckClocks(step["subject_ids"], 0, due_at=step["due_at"]) for _ in range(WORKERS)))
    steps = timed.clock_steps()
    assert len(steps) == 1 + WORKERS
    timed.clock.now = NOW + 5 * HOUR

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda step: timed.runner.run("clock", [step["id"]]), steps))
    timed.carry_out()

    assert alerts(timed) == ["acknowledge warned", "acknowledge breached"]
    assert len(timed.notifier.sent) == 1


def test_eight_relays_that_look_at_once_fire_once(timed: Spotclaim) -> None:
    """Each has a queue of its own and carries out at once what it was given."""
    open_claims(timed, 40)
    timed.clock.now = NOW + 5 * HOUR
    timed.queue.release_all()
    together = Barrier(WORKERS, timeout=PATIENCE_SECONDS)

    def relay(_: int) -> int:
        queue, signal = StepQueue(timed.engine, LEASE_SECONDS), StepSignal(timed.engine)
        one = Relay(queue, signal, timed.runner.run, poll_seconds=1)
        together.wait()
        return sum(one.run_once() for _ in range(5))

    with ThreadPoolExecutor(WORKERS) as pool:
        sent = sum(pool.map(relay, range(WORKERS)))
    timed.carry_out()

    assert sent > 0
    assert alerts(timed) == 40 * ["acknowledge warned", "acknowledge breached"]
    assert len(timed.notifier.sent) == 1
    timed.demand_sound_chains()


def test_a_repeated_message_fires_nothing(timed: Spotclaim) -> None:
    """The row went with the transaction that fired."""
    open_claims(timed)
    [step] = timed.clock_steps()
    sweep(timed, NOW + 5 * HOUR)
    before, events = timed.claims(), alerts(timed)

    for _ in range(3):
        timed.runner.run("clock", [step["id"]])

    assert (timed.claims(), alerts(timed)) == (before, events)


def test_a_message_that_comes_too_early_fires_nothing(timed: Spotclaim) -> None:
    """The clock is looked at again at the moment that it is due."""
    open_claims(timed)

    sweep(timed, NOW + 3 * HOUR - timedelta(microseconds=1))

    assert (alerts(timed), due(timed)) == ([], [NOW + 3 * HOUR])


def wait_for_evidence(spotclaim: Spotclaim) -> None:
    """A claim that waits for a usage record since an hour after its opening."""
    spotclaim.take_in(faults=[a_fault(spot_id="E0")])
    spotclaim.clock.now = NOW + HOUR
    spotclaim.carry_out()
    assert [claim["status"] for claim in spotclaim.claims()] == ["awaiting_evidence"]


def test_a_claim_that_waits_for_evidence_is_never_late(timed: Spotclaim) -> None:
    """Its clocks stand, and no step is pending for them."""
    wait_for_evidence(timed)
    [claim] = timed.claims()

    assert (claim["pauses"], claim["resolve_due_at"], due(timed)) == ([NOW + HOUR], None, [])
    assert timed.verdict(claim)["clocks"]["paused_at"] == "2026-03-10T13:00:00.000000Z"


def test_a_late_usage_record_sets_the_clocks_going(timed: Spotclaim) -> None:
    """Every due date moves by the time that the claim waited, and the audit chain says so."""
    wait_for_evidence(timed)
    timed.clock.now = NOW + 11 * HOUR

    timed.take_in(usage=[a_usage_record(spot_id="E0", energy_kwh=-5.0)])
    timed.carry_out()

    [claim] = timed.claims()
    assert (claim["acknowledge_due_at"], claim["resolve_due_at"]) == (NOW + 14 * HOUR, NOW + 82 * HOUR)
    assert timed.verdict(claim)["clocks"] == {
        "resumed_at": "2026-03-10T23:00:00.000000Z",
        "acknowledge_due_at": "2026-03-11T02:00:00.000000Z",
        "resolve_due_at": "2026-03-13T22:00:00.000000Z",
    }
    assert due(timed) == [NOW + 13 * HOUR]
    sweep(timed, NOW + 13 * HOUR)
    assert alerts(timed) == ["acknowledge warned"]
    timed.demand_sound_chains()


def test_a_pause_across_a_threshold_puts_it_off(timed: Spotclaim) -> None:
    """The step from before the pause finds nothing at the old moment, and leaves the new one to its successor."""
    open_claims(timed)
    ask_again(timed, NOW + 2 * HOUR)
    timed.clock.now = NOW + 12 * HOUR
    timed.take_in(usage=[a_usage_record(spot_id="E0", energy_kwh=-6.0)])
    timed.carry_out()
    assert due(timed) == [NOW + 3 * HOUR, NOW + 13 * HOUR]

    timed.clock.now = NOW + 12 * HOUR
    timed.runner.run("clock", [timed.clock_steps()[0]["id"]])
    assert (alerts(timed), due(timed)) == ([], [NOW + 13 * HOUR])

    sweep(timed, NOW + 13 * HOUR)
    assert (alerts(timed), due(timed)) == (["acknowledge warned"], [NOW + 14 * HOUR])


def ask_again(spotclaim: Spotclaim, now: datetime) -> None:
    """The claim waits for evidence again, since this moment."""
    with spotclaim.store.transaction() as transaction:
        [claim] = transaction.claims([spotclaim.claims()[0]["id"]])
        clocks = ClockChange(**sla.follow(claim, AWAITING_EVIDENCE, POLICY, now))
        changes = Changes()
        changes.record(claim, ClaimVerified(outcome=INSUFFICIENT, answers=[], clocks=clocks), now, "eve")
        transaction.record(changes)
    spotclaim.rows("DELETE FROM usage_records")


def test_a_claim_that_was_closed_before_fires_nothing(timed: Spotclaim) -> None:
    """The step is still there; it finds the claim closed, and is the last."""
    open_claims(timed)
    timed.rows("UPDATE claims SET status = 'resolved', closed_at = %s", NOW + 2 * HOUR)

    sweep(timed, NOW + 99 * HOUR)

    assert (alerts(timed), due(timed), timed.notifier.sent) == ([], [], [])


def test_an_acknowledged_claim_is_warned_of_its_resolution_only(timed: Spotclaim) -> None:
    """The step at the old moment finds nothing and moves on."""
    open_claims(timed)
    timed.rows("UPDATE claims SET acknowledged_at = %s", NOW + HOUR)

    sweep(timed, NOW + 3 * HOUR)
    assert (alerts(timed), due(timed)) == ([], [NOW + 54 * HOUR])

    sweep(timed, NOW + 54 * HOUR)
    assert alerts(timed) == ["resolve warned"]


def test_a_changed_policy_changes_no_running_clock(
    set_up: Callable[..., Spotclaim], clock: Clock, reports: Reports
) -> None:
    """Claims of before keep to the version that bound them, also over a restart; new ones have the new."""
    old, content = read_policy(Path("lenient"))
    old_hours, new_hours = old.target_for("high", "usage_discrepancy").resolve_hours, 7.0
    first = set_up(policy=old, clock=clock)
    first.policies.keep(old.version, content)
    first.take_in(usage=[a_usage_record(spot_id="E0", energy_kwh=-5.0)], faults=[a_fault(spot_id="E0")])
    first.carry_out()

    stricter = a_policy(version="stricter", targets=(Target(acknowledge_hours=1, resolve_hours=new_hours),))
    second = set_up(policy=stricter, clock=clock)
    second.take_in(
        usage=[a_usage_record(spot_id=spot, energy_kwh=-5.0) for spot in ("E0", "E1")],
        faults=[a_fault(spot_id="E1"), a_fault(spot_id="E0")],
    )
    second.carry_out()
    sweep(second, NOW + new_hours * HOUR)

    before, after = second.claims()
    assert (before["policy_version"], after["policy_version"]) == (old.version, "stricter")
    assert (before["resolve_due_at"], after["resolve_due_at"]) == (NOW + old_hours * HOUR, NOW + new_hours * HOUR)
    assert "resolve.breached" not in before["sla_alerts"]
    assert "resolve.breached" in after["sla_alerts"]
    explained = SlaExplanation(second.policies, clock)(found(reports, before["id"]))
    assert [entry["target_hours"] for entry in explained] == [4, old_hours]
    assert explained[1]["why"].startswith(
        f"policy {old.version}, target 2 (high): resolve within 72 hours of the calendar"
    )


@pytest.fixture
def reports(timed: Spotclaim) -> Reports:
    return Reports(timed.engine)


def found(reports: Reports, claim_id: str) -> dict[str, Any]:
    row = reports.find_claim(claim_id)
    assert row is not None
    return row


class TestPolicies:
    """Every version that was loaded is kept."""

    def test_a_version_comes_back_as_it_was_loaded(self, timed: Spotclaim) -> None:
        """In another process, from the database alone."""
        policy, content = read_policy()
        timed.policies.keep(policy.version, content)

        assert Policies(timed.engine, a_policy(version="another"))(policy.version) == policy

    def test_keeping_it_again_changes_nothing(self, timed: Spotclaim) -> None:
        """Every process keeps its policy when it starts, many at once."""
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda _: timed.policies.keep("1", "{}"), range(WORKERS)))

        assert timed.value("SELECT count(*) FROM policies") == 1

    def test_a_version_with_other_content_is_refused(self, timed: Spotclaim) -> None:
        """What it bound could not be known any more."""
        timed.policies.keep("1", "{}")

        with pytest.raises(SetupError, match="change its version"):
            timed.policies.keep("1", '{"a":1}')

    def test_a_version_that_was_never_loaded_is_unknown(self, timed: Spotclaim) -> None:
        """Guessing one would move due dates."""
        with pytest.raises(LookupError, match="'never'"):
            timed.policies("never")

    def test_a_kept_policy_that_was_altered_is_not_trusted(self, timed: Spotclaim) -> None:
        """Its digest tells."""
        policy, content = read_policy()
        timed.policies.keep(policy.version, content)
        timed.rows("UPDATE policies SET content = replace(content, '72', '720')")

        with pytest.raises(LookupError, match="altered"):
            Policies(timed.engine, a_policy(version="another"))(policy.version)


def closed(month: int, hours: float, **changes: Any) -> Claim:
    opened_at = datetime(2026, month, 10, tzinfo=UTC)
    fields = {"status": "resolved", "opened_at": opened_at, "closed_at": opened_at + hours * HOUR}
    return a_claim(**(fields | {"resolve_due_at": opened_at + 72 * HOUR} | changes))


def test_the_share_within_the_service_level_is_exact(timed: Spotclaim, reports: Reports) -> None:
    """Of each claim type and month in which claims were closed; open ones do not count."""
    equipment = {"claim_type": "equipment", "code": "OTHER"}
    timed.put_on_record(
        *(closed(3, 72), closed(3, 72.001), closed(3, 1), closed(4, 1)),
        closed(3, 99, **equipment, resolve_due_at=None),
        a_claim(status="under_review"),
    )

    assert reports.sla() == [
        {"month": "2026-03", "claim_type": "equipment", "closed": 1, "within_sla": 1, "share": 1.0},
        {"month": "2026-03", "claim_type": "usage_discrepancy", "closed": 3, "within_sla": 2, "share": 2 / 3},
        {"month": "2026-04", "claim_type": "usage_discrepancy", "closed": 1, "within_sla": 1, "share": 1.0},
    ]
