"""Registrations of spots: of each detail the latest word, and claims hear of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest

from adapters.postgres.claims.queries import Reports
from domain.field.spot import Spot
from tests.builders import NOW, a_claim, a_fault, a_key, a_policy, a_spot
from tests.integration.parts import Spotclaim

FIRST = a_spot(registered_at=NOW - timedelta(days=3), vendor="Acme", warranty_until=date(2026, 1, 1), zone="north")
SECOND = a_spot(registered_at=NOW - timedelta(days=2), warranty_until=date(2027, 1, 1), max_power_kw=22.0)
THIRD = a_spot(registered_at=NOW - timedelta(days=1), vendor="Acme Ltd")


def spot_of(spotclaim: Spotclaim, spot_id: str) -> Spot | None:
    with spotclaim.store.transaction() as transaction:
        [case] = transaction.cases([a_claim(spot_id=spot_id)], a_policy())
    return case.spot


@pytest.mark.parametrize("order", list(permutations([FIRST, SECOND, THIRD])))
def test_each_detail_is_the_latest_word_on_it(spotclaim: Spotclaim, order: tuple[Spot, ...]) -> None:
    """A registration that does not mention a detail takes nothing away, and order does not matter."""
    for spot in order:
        spotclaim.take_in(spots=[spot])

    spot = spot_of(spotclaim, "DE*ABC*E1")

    assert spot is not None
    assert (spot.vendor, spot.zone, spot.max_power_kw) == ("Acme Ltd", "north", 22.0)
    assert spot.warranty_until == date(2027, 1, 1)
    assert spot.registered_at == THIRD.registered_at


def test_a_spot_that_nobody_registered_is_unknown(spotclaim: Spotclaim) -> None:
    """Others' registrations say nothing of it."""
    spotclaim.take_in(spots=[FIRST])

    assert spot_of(spotclaim, "DE*ABC*E2") is None


def test_a_claim_is_judged_by_its_spots_warranty(spotclaim: Spotclaim) -> None:
    """An end of warranty before the fault makes the claim ineligible."""
    spotclaim.take_in(spots=[replace(FIRST, spot_id="E9")], faults=[a_fault(spot_id="E9")])
    spotclaim.carry_out()

    [claim] = spotclaim.claims()
    assert claim["status"] == "ineligible"
    assert "WARRANTY_EXPIRED" in {answer["reason"] for answer in spotclaim.verdict(claim)["answers"]}


def test_a_claim_that_waits_for_its_spot_is_woken_by_the_registration(
    set_up: Callable[..., Spotclaim],
) -> None:
    """Where the policy demands registered spots, a claim need not wait for the deadline."""
    strict = set_up(policy=a_policy(unknown_spot_passes=False))
    strict.take_in(faults=[a_fault(raw_code="GROUND_FAILURE")])
    strict.run_now("verify")
    strict.rows("DELETE FROM steps")  # the deadline's
    assert [claim["status"] for claim in strict.claims()] == ["awaiting_evidence"]

    strict.take_in(spots=[FIRST, SECOND])
    strict.carry_out()

    assert [claim["status"] for claim in strict.claims()] == ["under_review"]


SHOWN = {"zone": "hz", "site": "Harbour", "model": "Acme X1", "firmware": "1.2"}
REGISTERED = replace(FIRST, warranty_until=date(2030, 1, 1), zone="hz", site="Harbour", model="X1", firmware="1.2")


@pytest.mark.parametrize("late", [False, True], ids=["registered before", "registered late"])
def test_what_is_registered_of_a_spot_reaches_its_claims(spotclaim: Spotclaim, late: bool) -> None:
    """Whether it was registered before the fault or after the first verdict."""
    if not late:
        spotclaim.take_in(spots=[REGISTERED])
    spotclaim.take_in(faults=[a_fault()])
    spotclaim.carry_out()
    if late:
        spotclaim.take_in(spots=[REGISTERED])
        spotclaim.carry_out()

    [claim] = spotclaim.claims()
    assert {name: claim[name] for name in SHOWN} == SHOWN
    shown = Reports(spotclaim.engine).find_claim(claim["id"])
    assert shown is not None and shown["verdict"].keys() == {"outcome", "answers"}
    spotclaim.demand_sound_chains()


def test_a_claim_keeps_what_was_known_of_its_spot(spotclaim: Spotclaim) -> None:
    """A zone that the report states, and the firmware at the fault, outlast a later registration."""
    spotclaim.take_in(spots=[REGISTERED], faults=[a_fault(zone="north")])
    spotclaim.carry_out()
    updated = replace(REGISTERED, key=a_key(), registered_at=NOW, firmware="1.3", zone="south")
    spotclaim.take_in(spots=[updated])
    spotclaim.carry_out()

    [claim] = spotclaim.claims()
    assert (claim["zone"], claim["firmware"]) == ("north", "1.2")
