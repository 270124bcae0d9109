"""People's decisions over a real database: who wins when many decide at once, and what nobody may do."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import product
from threading import Barrier

import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Engine

from adapters.postgres.people.delegations import Delegations
from adapters.postgres.people.tokens import Tokens
from domain.audit import chain as audit
from domain.claims.claim import Claim
from domain.claims.decide import Refused, Wanted
from domain.errors import Conflict, NotAllowed, NotFound
from domain.notifications.attempts import record_notified
from domain.policy.policy import CodePolicy
from domain.ports.store import Identity
from tests.builders import NOW, a_claim_under_review, a_clear, a_delivery, a_fault, a_policy
from tests.integration.parts import PATIENCE_SECONDS, Clock, Spotclaim
from workers.services.decisions import Decide

RITA, MAX, ANN = Identity("rita", "reviewer"), Identity("max", "manager"), Identity("ann", "admin")


@pytest.fixture
def decide(spotclaim: Spotclaim) -> Decide:
    return Decide(spotclaim.store, spotclaim.policy, spotclaim.policies, spotclaim.clock, lambda *_: None)


def reviewed(spotclaim: Spotclaim, *stages: str, **changes: object) -> Claim:
    """A claim on record that waits for its first stage."""
    claim = a_claim_under_review(*stages, **changes)
    spotclaim.put_on_record(claim)
    return claim


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_of_fifty_who_decide_at_once_one_does(spotclaim: Spotclaim, decide: Decide, action: str) -> None:
    """All saw the same version; the others learn that the claim moved on."""
    claim = reviewed(spotclaim, "reviewer", "reviewer")
    together = Barrier(50, timeout=PATIENCE_SECONDS)

    def one(number: int) -> str:
        together.wait()
        try:
            decide(Wanted(claim.id, 1), action, Identity(f"reviewer {number}", "reviewer"), "seen")
        except Conflict:
            return "conflict"
        return "decided"

    with ThreadPoolExecutor(50) as pool:
        outcomes = Counter(pool.map(one, range(50)))

    assert outcomes == {"decided": 1, "conflict": 49}
    [row] = spotclaim.claims()
    assert row["version"] == 2
    spotclaim.demand_sound_chains()


def test_each_of_many_is_looked_at_again(spotclaim: Spotclaim, decide: Decide) -> None:
    """One that moved on, one that was filed by whoever decides, one that is not there: the others are decided."""
    good = [reviewed(spotclaim, "reviewer", spot_id=f"E{n}") for n in range(3)]
    moved = reviewed(spotclaim, "reviewer", spot_id="E8")
    own = reviewed(spotclaim, "reviewer", spot_id="E9", filed_by="rita")
    unknown = "00000000-0000-7000-8000-000000000000"
    wanted = [Wanted(claim.id, 1) for claim in (*good, own)] + [Wanted(moved.id, 7), Wanted(unknown, 1)]

    results = decide.many(wanted, "approve", RITA, "seen")

    assert [result.status for result in results[:3] if isinstance(result, Claim)] == ["approved"] * 3
    reasons = [type(result.reason) for result in results[3:] if isinstance(result, Refused)]
    assert reasons == [NotAllowed, Conflict, NotFound]
    assert Counter(row["status"] for row in spotclaim.claims()) == {"approved": 3, "under_review": 2}
    spotclaim.demand_sound_chains()


def test_a_notice_of_the_claim_is_no_conflict(spotclaim: Spotclaim, decide: Decide) -> None:
    """Whether alone or with many, before or after the notice; what else happened since is one."""
    notified, noted, both = (reviewed(spotclaim, "reviewer", "reviewer", spot_id=f"E{n}") for n in range(3))
    decide(Wanted(noted.id, 1), "note", RITA, "look at the photo")
    decide(Wanted(both.id, 1), "note", RITA, "look at the photo")
    for claim, times in ((notified, 2), (both, 1)):
        notify_of(spotclaim, claim, times)

    results = decide.many([Wanted(claim.id, 1) for claim in (notified, noted, both)], "approve", RITA, "seen")

    assert [isinstance(result, Claim) for result in results] == [True, False, False]
    assert decide(Wanted(both.id, 2), "approve", RITA, "seen").version == 4
    with pytest.raises(Conflict, match="at version 4 by now; you saw version 1"):
        decide(Wanted(notified.id, 1), "approve", MAX, "seen")
    spotclaim.demand_sound_chains()


def test_of_many_who_decide_while_notices_are_recorded_one_does(spotclaim: Spotclaim, decide: Decide) -> None:
    """All saw the claim before anybody was notified; notices come between them, and the record stays whole."""
    claim = reviewed(spotclaim, "reviewer", "reviewer")
    together = Barrier(20, timeout=PATIENCE_SECONDS)

    def one(number: int) -> str:
        together.wait()
        if number % 2:
            notify_of(spotclaim, claim, 1)
            return "notified"
        try:
            decide(Wanted(claim.id, 1), "approve", Identity(f"reviewer {number}", "reviewer"))
        except Conflict:
            return "conflict"
        return "decided"

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(one, range(20))) == {"notified": 10, "decided": 1, "conflict": 9}
    [row] = spotclaim.claims()
    assert (row["version"], row["stage"]) == (12, 2)
    spotclaim.demand_sound_chains()


def notify_of(spotclaim: Spotclaim, claim: Claim, times: int) -> None:
    """So many messages that spoke of the claim are out."""
    with spotclaim.store.transaction() as transaction:
        [held] = transaction.claims([claim.id])
        transaction.record(record_notified([(a_delivery(), held)] * times, NOW))


def test_the_database_refuses_an_approval_of_ones_own_claim(spotclaim: Spotclaim) -> None:
    """Even where the code would have let it through, or was gone round."""
    filers: list[dict[str, object]] = [
        {"filed_by": "fred"},
        {"filed_by": "rita", "also_filed_by": ["rosa", "fred"]},
    ]
    for number, (body, filed) in enumerate(product(({}, {"on_behalf_of": "fred"}), filers)):
        claim = reviewed(spotclaim, "reviewer", spot_id=f"E{number}", **filed)
        who = "fred" if not body else "olga"
        event = audit.append(claim, NOW, who, "claim.approved", body)

        with pytest.raises(InsufficientPrivilege, match="nobody approves what they filed"):
            spotclaim.record(claim, event)


def test_whoever_reported_it_again_does_not_approve_it(spotclaim: Spotclaim, decide: Decide) -> None:
    """Whether that was before or after it came up for review; the record says who they are."""
    claim = reviewed(spotclaim, "reviewer", filed_by="fred")
    spotclaim.take_in(faults=[a_fault(filed_by="rita"), a_fault(filed_by="fred"), a_fault()])

    for who in (RITA, Identity("fred", "admin")):
        with pytest.raises(NotAllowed, match=f"{who.name} filed this claim"):
            decide(Wanted(claim.id, 2), "approve", who)
    decide(Wanted(claim.id, 2), "approve", Identity("rosa", "reviewer"))

    assert '"also_filed_by":["rita"]' in spotclaim.events(claim.id)[1].body
    spotclaim.demand_sound_chains()


@pytest.mark.parametrize("four_eyes", [True, False])
def test_the_database_refuses_a_second_approval_by_the_same_eyes(spotclaim: Spotclaim, four_eyes: bool) -> None:
    """Where four eyes are demanded, by name and on behalf."""
    claim = reviewed(spotclaim, "reviewer", "manager", four_eyes=four_eyes)
    first = audit.append(claim, NOW, "olga", "claim.stage_passed", {"on_behalf_of": "rita"})
    spotclaim.record(claim, first)

    for who in ("olga", "rita"):
        again = audit.AuditEvent(claim.id, 3, audit.instant(NOW), who, "claim.approved", "{}", "00")
        if four_eyes:
            with pytest.raises(InsufficientPrivilege, match="four eyes"):
                spotclaim.record(again)
    if not four_eyes:
        spotclaim.record(again)


def test_authority_is_lent_until_a_moment(spotclaim: Spotclaim, decide: Decide, engine: Engine) -> None:
    """The delegate decides until then, and on record for whom; revoked, it ends at once."""
    lent = Delegations(engine)
    users(engine, olga="operator", max="manager")
    olga = Identity("olga", "operator")
    claims = [reviewed(spotclaim, "manager", spot_id=f"E{n}") for n in range(3)]
    row = lent.lend("manager", "max", "olga", NOW + timedelta(hours=1))

    decide(Wanted(claims[0].id, 1), "approve", olga)
    spotclaim.clock.now = NOW + timedelta(hours=1)
    with pytest.raises(NotAllowed):
        decide(Wanted(claims[1].id, 1), "approve", olga)
    spotclaim.clock.now = NOW
    with pytest.raises(NotFound):
        lent.revoke(row["id"], "somebody else", "somebody else")
    lent.revoke(row["id"], "max", "max")
    with pytest.raises(NotAllowed):
        decide(Wanted(claims[2].id, 1), "approve", olga)

    assert '"on_behalf_of":"max"' in spotclaim.events(claims[0].id)[-1].body
    assert [entry["revoked_at"] is not None for entry in lent.listed()] == [True]


def users(engine: Engine, **roles: str) -> None:
    for name, role in roles.items():
        Tokens(engine).put(name, role, f"token of {name}")


def test_nobody_lends_what_they_have_no_more(spotclaim: Spotclaim, decide: Decide, engine: Engine) -> None:
    """Authority ends with the lender's account, and with the lender's role."""
    olga = Identity("olga", "operator")
    claims = [reviewed(spotclaim, "manager", spot_id=f"E{n}") for n in range(3)]
    users(engine, olga="operator", max="manager")
    Delegations(engine).lend("manager", "max", "olga", NOW + timedelta(hours=1))
    decide(Wanted(claims[0].id, 1), "approve", olga)

    users(engine, max="reviewer")
    with pytest.raises(NotAllowed):
        decide(Wanted(claims[1].id, 1), "approve", olga)
    users(engine, max="manager")
    Tokens(engine).disable("max", "ada")
    with pytest.raises(NotAllowed):
        decide(Wanted(claims[1].id, 1), "approve", olga)


@pytest.mark.parametrize("to", ["ghost", "aud", "left"])
def test_authority_is_lent_to_somebody_who_may_decide(engine: Engine, to: str) -> None:
    """Not to a name that nobody has, to an auditor, or to somebody who left."""
    users(engine, max="manager", aud="auditor", left="reviewer")
    Tokens(engine).disable("left", "ada")

    with pytest.raises(NotFound, match=f"nobody named {to}"):
        Delegations(engine).lend("manager", "max", to, NOW + timedelta(hours=1))


def test_a_claim_that_is_named_twice_is_decided_once(spotclaim: Spotclaim, decide: Decide) -> None:
    """And the second time says so, instead of denying that it is there."""
    claim = reviewed(spotclaim, "reviewer")

    first, second = decide.many([Wanted(claim.id, 1)] * 2, "approve", RITA)

    assert isinstance(first, Claim)
    assert isinstance(second, Refused)
    assert "named twice" in str(second.reason)
    assert [row["version"] for row in spotclaim.claims()] == [2]


def test_evidence_that_was_swapped_after_the_look_stops_the_decision(spotclaim: Spotclaim, decide: Decide) -> None:
    """Twenty saw one set, somebody swaps an item in the middle, and nobody approves what they did not see."""
    claim = reviewed(spotclaim, "reviewer", evidence_digest="")
    item, _ = spotclaim.desk.add(claim.id, "note", who="technician", role="operator", note="dark")
    [row] = spotclaim.claims()
    seen = Wanted(claim.id, None, spotclaim.desk.on_file(claim.id).digest)
    together = Barrier(21, timeout=PATIENCE_SECONDS)

    def swap() -> str:
        together.wait()
        spotclaim.desk.withdraw(claim.id, item.id, who="technician", role="operator", reason="wrong one")
        spotclaim.desk.add(claim.id, "note", who="technician", role="operator", note="bright")
        return "swapped"

    def approve(number: int) -> str:
        together.wait()
        try:
            decide(seen, "approve", Identity(f"reviewer {number}", "reviewer"))
        except Conflict:
            return "conflict"
        return "approved"

    def attempt(number: int) -> str:
        try:
            return approve(number) if number else swap()
        except Conflict:
            return "too late"

    with ThreadPoolExecutor(21) as pool:
        outcomes = Counter(pool.map(attempt, range(21)))

    # Either somebody was faster than the swap, which then came too late, or all were refused.
    assert outcomes in ({"swapped": 1, "conflict": 20}, {"too late": 1, "approved": 1, "conflict": 19})
    approvals = [event for event in spotclaim.events(claim.id) if event.kind == "claim.approved"]
    assert all(f'"evidence_digest":"{seen.evidence_digest}"' in event.body for event in approvals)
    assert row["version"] == 2
    spotclaim.demand_sound_chains()


def test_a_claim_is_not_taken_up_again_beside_another(spotclaim: Spotclaim, decide: Decide) -> None:
    """One open claim for a spot and an error; the answer names it."""
    spotclaim.take_in(faults=[a_fault()])
    [first] = spotclaim.claims()
    decide(Wanted(first["id"], first["version"]), "withdraw", MAX, "a test")
    spotclaim.take_in(faults=[a_fault()])
    second = next(claim for claim in spotclaim.claims() if claim["id"] != first["id"])

    with pytest.raises(Conflict, match=second["number"]):
        decide(Wanted(first["id"]), "reopen", MAX, "not a test")

    decide(Wanted(second["id"]), "withdraw", MAX, "a duplicate")
    assert decide(Wanted(first["id"]), "reopen", MAX, "not a test").status == "submitted"


def test_a_claim_that_is_taken_up_again_goes_the_whole_way(spotclaim: Spotclaim, decide: Decide) -> None:
    """It is verified and routed anew, though nothing about its evidence changed."""
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    decide(Wanted(claim["id"], claim["version"]), "reject", RITA, "no photos")
    decide(Wanted(claim["id"]), "reopen", MAX, "new photos")

    spotclaim.carry_out()

    [claim] = spotclaim.claims()
    assert (claim["status"], claim["stage"], claim["reopened"]) == ("under_review", 1, 1)
    spotclaim.demand_sound_chains()


def test_a_late_stage_is_opened_to_the_next_authority(set_up: Callable[..., Spotclaim]) -> None:
    """The step that looks after it is pending from the start; people are notified; then the manager may decide."""
    clock = Clock(datetime.now(UTC) - timedelta(hours=23, minutes=59))
    spotclaim = set_up(clock=clock, policy=a_policy())
    decide = Decide(spotclaim.store, spotclaim.policy, spotclaim.policies, clock, lambda *_: None)
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    with pytest.raises(NotAllowed):
        decide(Wanted(claim["id"]), "approve", MAX)

    clock.now += timedelta(minutes=2)
    spotclaim.run_now("escalate")
    spotclaim.carry_out()

    [claim] = spotclaim.claims()
    assert (claim["status"], claim["escalated_to"]) == ("under_review", "manager")
    assert "late at the reviewer, now for the manager too" in spotclaim.notifier.sent[-1][1]
    assert decide(Wanted(claim["id"]), "approve", MAX).stage == 2
    spotclaim.demand_sound_chains()


def test_a_fault_that_clears_in_its_hold_down_is_no_claim(set_up: Callable[..., Spotclaim]) -> None:
    """It is on record and closed, and nobody is notified; one that stands goes on."""
    codes = a_policy().codes
    held = CodePolicy("critical", hold_down_seconds=60)
    spotclaim = set_up(policy=a_policy(codes={**codes, "GROUND_FAILURE": held}))
    began = NOW - timedelta(hours=2)
    both = [a_fault(raw_code="GROUND_FAILURE", spot_id=spot, occurred_at=began) for spot in ("E1", "E2")]
    soon = began + timedelta(seconds=30)
    spotclaim.take_in(faults=both)
    spotclaim.take_in(faults=[a_clear(raw_code="GROUND_FAILURE", spot_id="E1", occurred_at=soon)])

    spotclaim.run_now("submit")

    assert [(claim["spot_id"], claim["status"]) for claim in spotclaim.claims()] == [
        ("E1", "withdrawn"),
        ("E2", "submitted"),
    ]
    assert spotclaim.notifier.sent == []
    spotclaim.demand_sound_chains()


def test_a_refused_approval_is_no_outage(spotclaim: Spotclaim) -> None:
    """It must not be tried again and again."""
    claim = reviewed(spotclaim, "reviewer", filed_by="fred")
    event = audit.append(claim, NOW, "fred", "claim.approved", {})

    with pytest.raises(InsufficientPrivilege):
        spotclaim.record(claim, event)
