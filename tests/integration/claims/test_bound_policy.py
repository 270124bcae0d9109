"""A claim goes by the policy that bound it, whatever is loaded since; and what that demands is not gone round."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from adapters.policy.reader import load_policy, read_policy, restore_policy
from domain.claims.claim import Claim
from domain.claims.decide import Refused, Wanted
from domain.errors import Conflict, InputRefused
from domain.policy.policy import REJECTIONS, ApprovalRule, CodePolicy, Policy, Target
from domain.ports.store import Identity
from tests.builders import a_fault, a_policy
from tests.integration.claims.test_corrections import correcting
from tests.integration.parts import PATIENCE_SECONDS, Clock, Spotclaim
from workers.services.decisions import Decide

RITA, MAX = Identity("rita", "reviewer"), Identity("max", "manager")
SetUp = Callable[..., Spotclaim]


def demanding(*kinds: str, version: str, **changes: object) -> Policy:
    """A policy that wants this evidence for ground failures."""
    codes = {**a_policy().codes, "GROUND_FAILURE": CodePolicy("critical", evidence=kinds)}
    return replace(a_policy(), codes=codes, version=version, **changes)  # type: ignore[arg-type]


def deciding(spotclaim: Spotclaim) -> Decide:
    return Decide(spotclaim.store, spotclaim.policy, spotclaim.policies, spotclaim.clock, lambda *_: None)


def keep(spotclaim: Spotclaim, *policies: Policy) -> None:
    """As if these had been loaded once."""
    for policy in policies:
        spotclaim.policies._known[policy.version] = policy


def test_a_stricter_policy_does_not_reach_back(set_up: SetUp) -> None:
    """What was bound without a demand for photos is approved without; what comes later is not."""
    lax, strict = demanding(version="v1"), demanding("photo", version="v2")
    before = set_up(policy=lax)
    before.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    before.carry_out()

    after = Spotclaim(before.engine, policy=strict, clock=before.clock)
    keep(after, lax)
    [claim] = after.claims()
    assert after.desk.on_file(claim["id"]).missing == []
    assert deciding(after)(Wanted(claim["id"], claim["version"]), "approve", RITA).version > claim["version"]

    after.take_in(faults=[a_fault(raw_code="GROUND_FAILURE", spot_id="LATER")])
    after.carry_out()
    assert {row["spot_id"]: row["status"] for row in after.claims()}["LATER"] == "awaiting_evidence"


def test_a_laxer_policy_does_not_reach_back(set_up: SetUp) -> None:
    """What was bound with the demand waits for its photo even though it is demanded no more."""
    strict, lax = demanding("note", version="v1"), demanding(version="v2")
    before = set_up(policy=strict)
    before.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    before.carry_out()
    [claim] = before.claims()
    before.desk.add(claim["id"], "note", who="technician", role="operator", note="dark")

    after = Spotclaim(before.engine, policy=lax, clock=before.clock)
    keep(after, strict)
    after.carry_out()

    [claim] = after.claims()
    assert (claim["status"], claim["policy_version"]) == ("under_review", "v1")
    [routed] = [event for event in after.events(claim["id"]) if event.kind == "claim.routed"]
    assert '"policy":"v1"' in routed.body


@pytest.fixture
def late(set_up: SetUp) -> tuple[Spotclaim, str, str]:
    """A claim whose stage is late, and the note that it was routed with, which is withdrawn by now."""
    clock = Clock(datetime.now(UTC) - timedelta(hours=23, minutes=59))
    spotclaim = set_up(clock=clock, policy=demanding("note", version="v1"))
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    item, _ = spotclaim.desk.add(claim["id"], "note", who="technician", role="operator", note="dark")
    spotclaim.carry_out()
    spotclaim.desk.withdraw(claim["id"], item.id, who="technician", role="operator", reason="another spot's")
    clock.now += timedelta(minutes=2)
    return spotclaim, claim["id"], item.id


def test_a_claim_without_its_evidence_is_not_escalated(late: tuple[Spotclaim, str, str]) -> None:
    """Nobody could decide it. It is looked at again later, and escalated once the evidence is back."""
    spotclaim, claim_id, _ = late

    spotclaim.run_now("escalate")
    [claim] = spotclaim.claims()
    assert (claim["status"], claim["escalated_to"]) == ("under_review", None)

    spotclaim.desk.add(claim_id, "note", who="technician", role="operator", note="dark, this one")
    spotclaim.run_now("escalate")
    [claim] = spotclaim.claims()
    assert claim["escalated_to"] == "manager"
    spotclaim.demand_sound_chains()


def test_a_claim_that_is_taken_up_again_waits_anew(set_up: SetUp) -> None:
    """The deadline of its first life is over, and counts no more."""
    policy = demanding("note", version="v1", evidence_wait_hours=72)
    clock = Clock(datetime.now(UTC))
    spotclaim = set_up(clock=clock, policy=policy)
    spotclaim.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    spotclaim.carry_out()
    clock.now += timedelta(hours=73)
    spotclaim.run_now("verify")
    [claim] = spotclaim.claims()
    assert claim["status"] == "ineligible"

    deciding(spotclaim)(Wanted(claim["id"]), "reopen", MAX, "the note is coming")
    spotclaim.carry_out()
    [claim] = spotclaim.claims()
    assert claim["status"] == "awaiting_evidence"
    with pytest.raises(Conflict):
        deciding(spotclaim)(Wanted(claim["id"]), "approve", MAX)

    pending = spotclaim.rows("SELECT due_at FROM steps WHERE kind = 'verify'")
    assert {step["due_at"] - clock.now for step in pending} == {timedelta(hours=72)}
    clock.now += timedelta(hours=72)
    spotclaim.run_now("verify")
    assert [row["status"] for row in spotclaim.claims()] == ["ineligible"]
    spotclaim.demand_sound_chains()


def test_a_claim_is_bound_to_the_present_policy_by_a_person(set_up: SetUp) -> None:
    """It then lacks the evidence that this demands, has its targets and its stages, and is routed by it."""
    lax = demanding(version="v1")
    strict = demanding("note", version="v2", targets=(Target(2, 9),), approval=(ApprovalRule(("manager",)),))
    before = set_up(policy=lax)
    before.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    before.carry_out()
    [claim] = before.claims()
    deciding(before)(Wanted(claim["id"]), "approve", RITA)
    after = Spotclaim(before.engine, policy=strict, clock=before.clock)
    keep(after, lax)
    assert after.claims()[0]["policy_version"] == "v1"

    correcting(after).rebind(Wanted(claim["id"]), MAX, "agreed with the operator")
    after.carry_out()

    [waiting] = after.claims()
    assert (waiting["status"], waiting["policy_version"], waiting["approved_by"]) == (
        "awaiting_evidence",
        "v2",
        [],
    )
    after.desk.add(claim["id"], "note", who="technician", role="operator", note="dark")
    after.carry_out()
    [routed] = after.claims()
    assert (routed["status"], routed["stages"]) == ("under_review", ["manager"])
    assert routed["resolve_due_at"] == claim["opened_at"] + timedelta(hours=9)
    with pytest.raises(Conflict, match="bound by policy v2 already"):
        correcting(after).rebind(Wanted(claim["id"]), MAX, "again")
    assert deciding(after)(Wanted(claim["id"]), "approve", MAX).status == "approved"
    after.demand_sound_chains()


def test_of_many_who_rebind_or_decide_at_once_one_does(set_up: SetUp) -> None:
    """All saw the same version."""
    before = set_up(policy=demanding(version="v1"))
    before.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    before.carry_out()
    after = Spotclaim(before.engine, policy=demanding(version="v2"), clock=before.clock)
    keep(after, before.policy)
    [claim] = after.claims()
    wanted, together = Wanted(claim["id"], claim["version"]), Barrier(10, timeout=PATIENCE_SECONDS)

    def one(number: int) -> str:
        together.wait()
        try:
            if number % 2:
                correcting(after).rebind(wanted, Identity(f"m{number}", "manager"), "why")
            else:
                deciding(after)(wanted, "approve", Identity(f"r{number}", "reviewer"))
        except Conflict:
            return "conflict"
        return "done"

    with ThreadPoolExecutor(10) as pool:
        assert Counter(pool.map(one, range(10))) == {"done": 1, "conflict": 9}
    after.demand_sound_chains()


def test_a_rejection_names_a_reason_of_the_policy_that_bound_the_claim(set_up: SetUp) -> None:
    """Each of many by its own; what a later policy offers, or takes away, is for later claims."""
    old = replace(a_policy(), version="v1", rejections={"WORN": "It is worn.", "OTHER": "Another reason."})
    new = replace(a_policy(), version="v2", rejections={"SETTLED": "It was settled."})
    before = set_up(policy=old)
    before.take_in(faults=[a_fault(raw_code="GROUND_FAILURE", spot_id=spot) for spot in ("A", "B")])
    before.carry_out()
    after = Spotclaim(before.engine, policy=new, clock=before.clock)
    keep(after, old)
    after.take_in(faults=[a_fault(raw_code="GROUND_FAILURE", spot_id="C")])
    after.carry_out()
    by_spot = {row["spot_id"]: row["id"] for row in after.claims()}
    decide, wanted = deciding(after), [Wanted(by_spot[spot]) for spot in ("A", "C")]

    first, refused = decide.many(wanted, "reject", RITA, reason="WORN")
    with pytest.raises(InputRefused, match="There are: SETTLED"):
        decide(Wanted(by_spot["C"]), "reject", RITA, "why", "OTHER")
    decide(Wanted(by_spot["B"]), "reject", RITA, "why")
    decide(Wanted(by_spot["C"]), "reject", RITA, reason="SETTLED")

    assert isinstance(first, Claim)
    assert isinstance(refused, Refused)
    bodies = {spot: json.loads(after.events(claim_id)[-1].body) for spot, claim_id in by_spot.items()}
    stated = {spot: (body["reason_code"], body["because"]) for spot, body in bodies.items()}
    assert stated["A"] == ("WORN", "It is worn.")
    assert stated["B"] == ("OTHER", "Another reason.")
    assert stated["C"] == ("SETTLED", "It was settled.")
    after.demand_sound_chains()


def test_a_policy_from_before_the_catalogue_offers_the_usual_reasons() -> None:
    """What was loaded then is restored without the section."""
    content = json.loads(read_policy()[1])
    del content["rejections"]

    assert restore_policy(json.dumps(content)).rejections == REJECTIONS == load_policy().rejections
