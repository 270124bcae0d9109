"""Notices and how they are worded."""

from typing import Any

import pytest

from domain.notifications.notice import ALERTS, Summary, of_claims, of_incidents
from tests.builders import a_claim, a_claim_under_review, a_policy, an_incident


def summed_up(*claims: Any, alert: str | None = None) -> Summary:
    summary = Summary()
    summary.add(of_claims(claims, alert))
    return summary


def test_one_error_on_many_spots_is_one_line() -> None:
    """How many, where, and who has them now."""
    claims = [a_claim_under_review(spot_id=f"E{n}", zone="north") for n in range(300)]

    assert summed_up(*claims).title == "METER_MISREAD on 300 spots in north: under review for the reviewer"


def test_many_zones_are_counted() -> None:
    """And named with their spots; a spot whose zone nobody knows is named without."""
    summary = summed_up(
        *(a_claim_under_review(spot_id=f"E{n}", zone=zone) for n, zone in enumerate(("north", "south", None)))
    )

    assert summary.title == "METER_MISREAD on 3 spots in 2 zones: under review for the reviewer"
    assert [line.split(":")[0] for line in summary.body.splitlines()] == [
        "E0 in north (high)",
        "E1 in south (high)",
        "E2 (high)",
    ]


def test_what_happened_is_counted_where_it_differs() -> None:
    """The most frequent first."""
    later = [a_claim_under_review("reviewer", "manager", stage=2, spot_id=f"E{n}") for n in range(2)]

    title = summed_up(a_claim_under_review(spot_id="E9"), *later).title

    assert title == "METER_MISREAD on 3 spots: 2 under review for the manager; 1 under review for the reviewer"


@pytest.mark.parametrize(("number", "last_line"), [(10, "E10 (high)"), (11, "and 1 more"), (400, "and 390 more")])
def test_at_most_ten_lines_are_kept(number: int, last_line: str) -> None:
    """The rest are counted, also when they come in parts."""
    summary = Summary()
    for n in range(1, number + 1):
        summary.add(of_claims([a_claim_under_review(spot_id=f"E{n}")]))

    lines = summary.body.splitlines()

    assert len(lines) == min(number, 11)
    assert lines[-1].startswith(last_line)
    assert f"on {number} spots" in summary.title


def test_a_spot_that_is_known_counts_once() -> None:
    """Whatever other notices there are of it."""
    claim = a_claim_under_review()
    summary = summed_up(claim)

    summary.add(of_claims([claim]), known=[claim.id])

    assert summary.title == "METER_MISREAD on spot DE*ABC*E1: under review for the reviewer"


def test_one_claim_is_named_with_all_that_matters() -> None:
    """The spot, how bad and how often, until when, and which claim."""
    claim = a_claim_under_review("reviewer", "manager", stage=2, fault_count=3)

    summary = summed_up(claim)

    assert summary.title == "METER_MISREAD on spot DE*ABC*E1: under review for the manager"
    assert summary.body == (
        f"DE*ABC*E1 (high): reported 3 times, resolve by 2026-03-13 12:00 UTC, claim {claim.id}"
    )


def test_a_claim_whose_clock_stands_has_no_due_date() -> None:
    """So none is named; and a single report is called once."""
    claim = a_claim_under_review(resolve_due_at=None)

    assert summed_up(claim).body == f"DE*ABC*E1 (high): reported once, claim {claim.id}"


def test_an_escalated_claim_says_who_is_late() -> None:
    """And who may decide now."""
    claim = a_claim_under_review(escalated_to="manager")

    [item] = of_claims([claim])

    assert (item.event, item.words) == ("claim.escalated", "late at the reviewer, now for the manager too")


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_of_a_clock_is_a_notice_of_its_own(alert: str) -> None:
    """Whatever the claim's status; each has its words."""
    [item] = of_claims([a_claim()], alert)

    assert item.subject_kind == "claim"
    assert item.event == f"claim.{alert.partition('.')[0]}"
    assert item.words == ALERTS[alert]


@pytest.mark.parametrize(
    ("event", "title"),
    [
        ("incident.opened", "METER_MISREAD on 4 spots in north: an incident"),
        ("incident.grew", "METER_MISREAD on 4 spots in north: the incident is spreading"),
        ("incident.closed", "METER_MISREAD on 4 spots in north: the incident is over"),
    ],
)
def test_an_incident_is_a_notice_of_its_spots(event: str, title: str) -> None:
    """As bad as its error; with how many claims, and since when."""
    incident = an_incident()
    [notice] = of_incidents([incident], event, a_policy())
    summary = Summary()
    summary.add([notice])

    assert (notice.subject_kind, notice.severity, notice.claim_type) == ("incident", "high", "usage_discrepancy")
    assert summary.title == title
    assert summary.body == (
        f"north: 5 claims since 2026-03-10 11:00 UTC, at most 4 spots at once, incident {incident.id}"
    )


def test_an_incident_of_a_model_names_it() -> None:
    """It has no zone."""
    [item] = of_incidents([an_incident(kind="model", place="Acme X2 1.7")], "incident.opened", a_policy())

    assert (item.zone, item.words) == (None, "an incident of Acme X2 1.7")
