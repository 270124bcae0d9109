"""Faults meet their claims: one open claim for a spot and a code, however many faults report it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from domain.audit import chain as audit
from domain.audit.event import COUNTED, OPENED
from domain.changes import Changes
from domain.claims.claim import Claim
from domain.claims.deduplication import deduplicate, earlier_than_known, group_by_claim
from domain.field.fault import Fault
from domain.steps import Detect, Step, Submit, Verify
from tests.builders import FAULT_TIME, NOW, a_claim, a_clear, a_fault, a_policy, new_identities


def count(faults: Sequence[Fault], *open_claims: Claim) -> Changes:
    known = {(claim.spot_id, claim.code): claim for claim in open_claims}
    return deduplicate(group_by_claim(faults, a_policy()), known, a_policy(), NOW, new_identities())


def opened(changes: Changes) -> list[Claim]:
    return changes.of(Claim, OPENED)


def of_life(changes: Changes) -> list[Step]:
    """What is scheduled but for detection, which has a test of its own."""
    return [step for step in changes.steps if not isinstance(step, Detect)]


def test_a_first_fault_opens_a_claim() -> None:
    """It carries what the fault said, and its severity from the policy; its clocks come with verification."""
    fault = a_fault(connector_id=2, zone="north", affected_user="u-1", reservation_id="r-1", session_id="s-1")

    changes = count([fault])

    [claim] = opened(changes)
    assert (claim.spot_id, claim.code, claim.claim_type) == ("DE*ABC*E1", "METER_MISREAD", "usage_discrepancy")
    assert (claim.status, claim.severity, claim.policy_version) == ("submitted", "high", a_policy().version)
    assert (claim.time_zone, claim.resolve_due_at) == (None, None)
    assert (claim.connector_id, claim.zone, claim.affected_user) == (2, "north", "u-1")
    assert (claim.reservation_id, claim.session_id) == ("r-1", "s-1")
    assert (claim.opened_at, claim.first_seen_at, claim.last_seen_at) == (NOW, FAULT_TIME, FAULT_TIME)
    assert claim.fault_count == 1


def test_every_stored_fault_names_its_code_and_claim() -> None:
    """Given faults of two codes, each learns which claim it went to."""
    meter, ground = a_fault(), a_fault(raw_code="GROUND_FAILURE")

    changes = count([meter, ground])

    by_code = {claim.code: claim.id for claim in opened(changes)}
    assert changes.of(Fault) == [meter, ground]
    assert (meter.code, meter.claim_id) == ("METER_MISREAD", by_code["METER_MISREAD"])
    assert (ground.code, ground.claim_id) == ("GROUND_FAILURE", by_code["GROUND_FAILURE"])


def test_faults_of_one_spot_and_code_share_a_claim() -> None:
    """Three faults in one batch open one claim that counts three."""
    changes = count([a_fault(), a_fault(), a_fault()])

    [claim] = opened(changes)
    assert claim.fault_count == 3
    assert [event.kind for event in changes.events] == ["claim.opened"]


@pytest.mark.parametrize("other", [{"spot_id": "DE*ABC*E2"}, {"raw_code": "SPOT_OCCUPIED"}], ids=["spot", "code"])
def test_another_spot_or_code_is_another_claim(other: dict[str, str]) -> None:
    """What sets claims apart is the spot and the code, nothing else."""
    assert len(opened(count([a_fault(), a_fault(**other)]))) == 2


def test_raw_codes_that_mean_the_same_share_a_claim() -> None:
    """A reset failure and a reader failure are both the controller's."""
    codes = ("ResetFailure", "ReaderFailure")

    changes = count([a_fault(taxonomy="ocpp1.6", raw_code=code) for code in codes])

    assert [claim.code for claim in opened(changes)] == ["CONTROLLER_FAILURE"]


def test_a_fault_on_an_open_claim_raises_its_count() -> None:
    """Nothing is opened, no step follows, and one audit event says what was counted."""
    claim = a_claim(fault_count=4)
    faults = [a_fault(occurred_at=FAULT_TIME + timedelta(minutes=5)), a_fault()]

    changes = count(faults, claim)

    assert (opened(changes), changes.of(Claim, COUNTED), of_life(changes)) == ([], [claim], [])
    assert (claim.fault_count, claim.last_seen_at) == (6, FAULT_TIME + timedelta(minutes=5))
    assert [event.kind for event in changes.events] == ["claim.faults_counted"]
    assert {fault.claim_id for fault in faults} == {claim.id}


@pytest.mark.parametrize("order", list(permutations([-10, 0, 10])))
def test_first_and_last_seen_do_not_depend_on_the_order(order: tuple[int, ...]) -> None:
    """Messages come late and reordered; the times are those of the faults."""
    faults = [a_fault(occurred_at=FAULT_TIME + timedelta(minutes=minutes)) for minutes in order]

    [claim] = opened(count(faults))

    assert claim.first_seen_at == FAULT_TIME - timedelta(minutes=10)
    assert claim.last_seen_at == FAULT_TIME + timedelta(minutes=10)


def test_a_late_fault_moves_first_seen_back() -> None:
    """A fault that occurred before the open claim's first one was seen first after all."""
    claim = a_claim()

    count([a_fault(occurred_at=FAULT_TIME - timedelta(days=1))], claim)

    assert (claim.first_seen_at, claim.last_seen_at) == (FAULT_TIME - timedelta(days=1), FAULT_TIME)


def test_the_earliest_fault_speaks_for_the_claim() -> None:
    """The claim takes its details from the fault that occurred first, not from the one that came first."""
    late, early = a_fault(zone="late"), a_fault(zone="early", occurred_at=FAULT_TIME - timedelta(minutes=1))

    [claim] = opened(count([late, early]))

    assert claim.zone == "early"


def test_a_clear_alone_opens_nothing() -> None:
    """It is stored, belongs to no claim, and nobody is sent to look."""
    clear = a_clear()

    changes = count([clear])

    assert (changes.of(Claim), changes.events, changes.steps) == ([], [], [])
    assert changes.of(Fault) == [clear]
    assert clear.claim_id is None


def test_a_clear_is_recorded_and_not_counted() -> None:
    """A clear on an open claim says when the error ended."""
    claim = a_claim(fault_count=2)

    count([a_clear(occurred_at=NOW)], claim)

    assert (claim.fault_count, claim.cleared_at, claim.last_seen_at) == (2, NOW, FAULT_TIME)


def test_the_latest_clear_counts() -> None:
    """Clears that come out of order leave the latest of them."""
    claim = a_claim(cleared_at=NOW)

    count([a_clear(occurred_at=NOW - timedelta(hours=3)), a_clear(occurred_at=NOW)], claim)

    assert claim.cleared_at == NOW


@pytest.mark.parametrize("clear_first", [False, True])
def test_a_fault_and_its_clear_in_one_batch(clear_first: bool) -> None:
    """The claim opens, counts one, and knows that the error has gone."""
    faults = [a_fault(), a_clear(occurred_at=NOW)]

    [claim] = opened(count(faults[::-1] if clear_first else faults))

    assert (claim.fault_count, claim.cleared_at) == (1, NOW)


def test_detection_looks_at_what_was_seen() -> None:
    """Whatever opened, and open claims whose error shows again after a while; what a controller repeats every ten
    seconds says nothing new, nor does what comes late."""
    later, just_now = a_claim(spot_id="E2"), a_claim(spot_id="E3")
    moments = {"E1": 0, "E2": 60, "E3": 59, "E4": -90}
    faults = [a_fault(spot_id=s, occurred_at=FAULT_TIME + timedelta(seconds=at)) for s, at in moments.items()]

    changes = count(faults, later, just_now, a_claim(spot_id="E4"))

    [claim] = opened(changes)
    assert [step for step in changes.steps if isinstance(step, Detect)] == [Detect([claim.id, later.id])]


def test_one_step_verifies_all_opened_claims() -> None:
    """Claims that were opened together are verified together."""
    changes = count([a_fault(spot_id=f"E{number}") for number in range(30)])

    assert of_life(changes) == [Verify([claim.id for claim in opened(changes)])]


def test_the_audit_events_follow_from_nothing() -> None:
    """Opening and later counting make one unbroken chain that says which messages they stand on."""
    first, second = a_fault(), a_fault()
    opening = count([first])
    [claim] = opened(opening)

    counting = count([second], claim)

    events = [*opening.events, *counting.events]
    assert audit.first_broken(events) is None
    assert (claim.version, claim.head) == (2, events[-1].hash)
    assert [first.key in events[0].body, second.key in events[1].body] == [True, True]


def test_the_actor_of_an_opening_is_who_vouches_for_it() -> None:
    """The broker's user or the token's name if there is one, else the source that the message states."""
    vouched = count([a_fault(filed_by="controller-7")])
    unvouched = count([a_fault()])

    assert opened(vouched)[0].filed_by == "controller-7"
    assert [changes.events[0].actor for changes in (vouched, unvouched)] == ["controller-7", "controller:7"]


def test_everybody_who_filed_a_report_is_kept() -> None:
    """Once, whether they opened the claim or were counted; a clear says of nobody that they filed it."""
    names = ("rita", "rosa", None, "rita")
    opening = count(
        [a_fault(filed_by=name, occurred_at=FAULT_TIME + timedelta(seconds=n)) for n, name in enumerate(names)]
    )
    [claim] = opened(opening)

    counting = count([a_fault(filed_by=name) for name in ("rosa", "max", None, "rita")], claim)
    again = count([a_fault(filed_by="max"), a_clear(filed_by="olga")], claim)

    assert (claim.filed_by, claim.also_filed_by) == ("rita", ["rosa", "max"])
    stated = [json.loads(changes.events[0].body).get("also_filed_by") for changes in (opening, counting, again)]
    assert stated == [["rosa"], ["rosa", "max"], None]


def test_a_vendors_own_code_means_what_the_policy_says() -> None:
    """What the policy does not map is another error, as before."""
    policy = a_policy(mappings={"vendor:acme": {"E42": "METER_MISREAD"}})
    faults = [a_fault(taxonomy="vendor:acme", raw_code=code) for code in ("E42", "E43")]

    group_by_claim(faults, policy)

    assert [fault.code for fault in faults] == ["METER_MISREAD", "OTHER"]


def test_a_fault_that_brings_evidence_has_its_claim_checked_again() -> None:
    """Only one that awaits some: the others have their check pending, or behind them."""
    brought = [{"kind": "photo"}]
    waiting = a_claim(spot_id="E1", status="awaiting_evidence")
    others = [a_claim(spot_id="E2", status="under_review"), a_claim(spot_id="E3"), a_claim(spot_id="E4")]
    others[-1].status = waiting.status
    faults = [a_fault(spot_id=spot, evidence=brought) for spot in ("E1", "E2", "E3")]

    changes = count([*faults, a_fault(spot_id="E1"), a_fault(spot_id="E4")], waiting, *others)

    assert of_life(changes) == [Verify([waiting.id])]


class TestHoldDown:
    """A fault that clears in time never becomes a claim."""

    policy = a_policy(
        codes={
            **a_policy().codes,
            "METER_MISREAD": replace(a_policy().codes["METER_MISREAD"], hold_down_seconds=300),
        }
    )

    def observed(self, *faults: Fault) -> tuple[Changes, Claim]:
        changes = deduplicate(group_by_claim(faults, self.policy), {}, self.policy, NOW, new_identities())
        return changes, opened(changes)[0]

    def counted(self, claim: Claim, fault: Fault) -> Changes:
        known = {(claim.spot_id, claim.code): claim}
        return deduplicate(group_by_claim([fault], self.policy), known, self.policy, NOW, new_identities())

    def test_a_fault_is_observed_first(self) -> None:
        """It is looked at again when its hold-down is over, and not verified before."""
        changes, claim = self.observed(a_fault())

        assert claim.status == "observed"
        assert of_life(changes) == [Submit([claim.id], due_at=NOW + timedelta(seconds=300))]

    def test_others_are_verified_at_once(self) -> None:
        """Each code has its own hold-down."""
        changes, observed = self.observed(a_fault(), a_fault(raw_code="SPOT_OCCUPIED"))

        [_, other] = opened(changes)
        assert of_life(changes) == [
            Verify([other.id]),
            Submit([observed.id], due_at=NOW + timedelta(seconds=300)),
        ]

    def test_what_is_raised_again_is_looked_at_again(self) -> None:
        """A hold-down begins with each raise; a claim that is not observed any more needs no look."""
        _, claim = self.observed(a_fault())

        again = self.counted(claim, a_fault(occurred_at=NOW))
        claim.status = "submitted"

        assert of_life(again) == [Submit([claim.id], due_at=NOW + timedelta(seconds=300))]
        assert of_life(self.counted(claim, a_fault(occurred_at=NOW))) == []


class TestLateMessages:
    """In whatever order messages come, the claim is the same."""

    def test_the_earliest_fault_speaks_for_an_open_claim_too(self) -> None:
        """And the audit event says what changed."""
        claim = a_claim(zone="late", reservation_id="r-late")

        changes = count([a_fault(zone="early", occurred_at=FAULT_TIME - timedelta(minutes=1))], claim)

        assert (claim.zone, claim.reservation_id) == ("early", None)
        stated = json.loads(changes.events[0].body)
        assert (stated["zone"], stated["reservation_id"]) == ("early", None)
        assert "connector_id" not in stated

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    @pytest.mark.parametrize("together", [False, True])
    def test_of_faults_of_one_moment_always_the_same_speaks(self, order: tuple[int, ...], together: bool) -> None:
        """Whether they come in one batch or one by one."""
        faults = [a_fault(zone="b", session_id="s"), a_fault(zone="a", session_id="t"), a_fault(zone="a")]
        arrived = [faults[place] for place in order]
        [claim] = opened(count(arrived if together else arrived[:1]))
        for fault in () if together else arrived[1:]:
            count([fault], claim)

        assert (claim.zone, claim.session_id, claim.fault_count) == ("a", None, 3)

    @pytest.mark.parametrize(
        ("status", "judged_again"),
        [("submitted", False), ("under_review", True), ("ineligible", True), ("approved", False)],
    )
    def test_a_claim_is_judged_again_when_another_fault_speaks_for_it(
        self, status: str, judged_again: bool
    ) -> None:
        """Unless its verdict is pending anyway, or somebody has decided."""
        claim = a_claim(status=status)

        late = count([a_fault(occurred_at=FAULT_TIME + timedelta(minutes=1))], claim)
        early = count([a_fault(occurred_at=FAULT_TIME - timedelta(minutes=1))], claim)

        assert of_life(late) == []
        assert of_life(early) == ([Verify([claim.id])] if judged_again else [])

    def test_an_error_of_others_is_judged_again_with_each_report(self) -> None:
        """Another report may say that it is the station's matter after all."""
        claim = a_claim(code="CONNECTOR_LOCK_FAILURE", status="ineligible")

        changes = count([a_fault(raw_code="CONNECTOR_LOCK_FAILURE")], claim)

        assert changes.steps == [Verify([claim.id])]

    def test_a_clear_from_before_the_first_fault_belongs_to_no_claim(self) -> None:
        """It ended something else; nothing is written of it at the claim."""
        claim, clear = a_claim(), a_clear(occurred_at=FAULT_TIME - timedelta(seconds=1))

        changes = count([clear], claim)

        assert (changes.of(Claim), changes.events, changes.of(Fault)) == ([], [], [clear])
        assert (clear.claim_id, claim.cleared_at) == (None, None)

    def test_a_clear_that_came_first_is_found_by_what_it_clears(self) -> None:
        """Of those that the store kept, the ones after the first fault count, and are named in the record."""
        fault = a_fault()
        before, after = (a_clear(occurred_at=FAULT_TIME + timedelta(hours=hours)) for hours in (-1, 1))
        pair = (fault.spot_id, "METER_MISREAD")

        groups = group_by_claim([fault], a_policy())
        assert earlier_than_known(groups, {}) == {pair: FAULT_TIME}
        changes = deduplicate(groups, {}, a_policy(), NOW, new_identities(), {pair: [before, after]})

        [claim] = opened(changes)
        assert claim.cleared_at == after.occurred_at
        assert json.loads(changes.events[0].body)["faults"] == [fault.key, after.key]
        assert changes.of(Fault) == [fault]

    def test_clears_are_looked_for_only_where_an_error_begins_earlier(self) -> None:
        """A repeat costs no look."""
        claim = a_claim()
        known = {(claim.spot_id, claim.code): claim}
        repeat, early = a_fault(), a_fault(occurred_at=FAULT_TIME - timedelta(seconds=1))

        assert earlier_than_known(group_by_claim([repeat, a_clear()], a_policy()), known) == {}
        assert list(earlier_than_known(group_by_claim([early], a_policy()), known).values()) == [early.occurred_at]
        assert earlier_than_known(group_by_claim([a_clear()], a_policy()), {}) == {}
