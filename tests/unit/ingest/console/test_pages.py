"""The console's pages: what people see, and nothing that somebody else wrote as markup."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from domain.audit.chain import instant
from ingest.console.pages import claim_page, claims_page, incident_page
from tests.builders import NOW

AT = instant(NOW)

HOSTILE = "<script>alert('1')</script>&\"'"


class Rows:
    """Stands for the reports: claims, the incident of each of them, and the events of both."""

    def __init__(
        self,
        *claims: dict[str, Any],
        incident: dict[str, Any] | None = None,
        events: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._claims, self._incident, self._events = list(claims), incident, list(events)

    def list_claims(self, *, limit: int) -> list[dict[str, Any]]:
        return self._claims[:limit]

    def find_claim(self, _claim_id: str) -> dict[str, Any]:
        return self._claims[0]

    def claim_events(self, _subject_id: str) -> list[dict[str, Any]]:
        return self._events

    def listed(self, *, status: str) -> list[dict[str, Any]]:
        return [row for row in [self._incident] if row and row["status"] == status]

    def find(self, _incident_id: str) -> dict[str, Any] | None:
        return self._incident

    def claims_of(self, _incident_id: str, limit: int) -> list[dict[str, Any]]:
        return self._claims[:limit]

    def of_claim(self, _claim_id: str) -> dict[str, Any] | None:
        return self._incident


def a_row(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "00000000-0000-7000-8000-0123456789ab",
        "number": "SC-2026-000007",
        "spot_id": "DE*ABC*E1",
        "zone": None,
        "code": "METER_MISREAD",
        "severity": "high",
        "status": "under_review",
        "stage": 2,
        "stages": ["reviewer", "manager"],
        "fault_count": 3,
        "first_seen_at": NOW,
        "last_seen_at": NOW,
        "verdict": {"answers": [{"sentence": "First."}, {"sentence": "Last."}]},
        "resolve_due_at": NOW,
        "time_zone": "Europe/Berlin",
    }
    return fields | changes


def an_incident(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "00000000-0000-7000-8000-00000000beef",
        "number": None,
        "code": "POWER_FAILURE",
        "kind": "zone",
        "place": "north",
        "status": "open",
        "threshold": 3,
        "claim_count": 4,
        "peak": 4,
        "first_seen_at": NOW,
        "last_seen_at": NOW,
        "root_cause": None,
        "closed_why": None,
        "merged_into": None,
        "split_from": None,
    }
    return fields | changes


def an_event(kind: str, /, **body: Any) -> dict[str, Any]:
    return {"at": NOW, "actor": body.pop("actor", "rule:routing"), "kind": kind, "body": json.dumps(body)}


def page(*claims: dict[str, Any], **more: Any) -> str:
    rows: Any = Rows(*claims, **more)
    return claims_page(rows, rows, NOW)


def page_of_claim(claim: dict[str, Any], **more: Any) -> str:
    rows: Any = Rows(claim, **more)
    return claim_page(rows, rows, claim["id"]) or ""


def page_of_incident(incident: dict[str, Any], *claims: dict[str, Any], **more: Any) -> str:
    rows: Any = Rows(*claims, incident=incident, **more)
    return incident_page(rows, rows, incident["id"]) or ""


def test_a_claim_is_one_row_with_all_that_matters() -> None:
    """Where, what, how bad, how often, who must act, why, until when."""
    shown = page(a_row())

    for text in (
        "DE*ABC*E1",
        "meter misread",
        ">3<",
        "under review: manager",
        "Last.",
        "2026-03-10 13:00 CET",
        'href="claims/00000000-0000-7000-8000-0123456789ab"',
    ):
        assert text in shown
    assert "First." not in shown


def test_nothing_from_outside_is_markup() -> None:
    """Spots, zones, codes, roles and sentences come from strangers."""
    sentence = {"answers": [{"sentence": HOSTILE}]}
    shown = page(
        a_row(spot_id=HOSTILE, zone=HOSTILE, severity=HOSTILE, stages=[HOSTILE, HOSTILE], verdict=sentence),
        a_row(status=HOSTILE, code=HOSTILE, id=HOSTILE),
    )

    assert "<script>" not in shown.lower()
    assert "&lt;script&gt;" in shown
    assert 'class="&lt;script' in shown


def test_nothing_from_outside_is_markup_on_the_other_pages() -> None:
    """Nor what a place is called, who did something, and what was the cause."""
    incident = an_incident(code=HOSTILE, kind=HOSTILE, place=HOSTILE, root_cause=HOSTILE, closed_why=HOSTILE)
    hostile = dict.fromkeys(("spot_id", "zone", "code", "severity"), HOSTILE)
    claim = a_row(**hostile, stages=[HOSTILE, HOSTILE], verdict={"answers": [{"sentence": HOSTILE}]})
    events = [an_event("claim.announced", destination=HOSTILE, actor=HOSTILE), an_event(f"claim.{HOSTILE}")]

    shown = [
        page(claim, incident=incident),
        page_of_claim(claim, incident=incident, events=events),
        page_of_incident(incident, claim, events=events),
    ]

    assert ["<script>" in text.lower() for text in shown] == [False] * 3
    assert ["&lt;script&gt;" in text for text in shown] == [True] * 3


def test_a_new_claim_has_no_verdict_yet() -> None:
    """Nor a due date; nothing is missing from the page for that."""
    new = a_row(status="submitted", stage=0, stages=[], verdict=None, resolve_due_at=None, time_zone=None)

    assert "submitted" in page(new)
    assert "not verified yet" in page_of_claim(new)


def test_a_claim_that_waits_has_no_due_date() -> None:
    """Its clock stands, and the page says so."""
    assert "paused" in page(a_row(status="awaiting_evidence", resolve_due_at=None))


def test_an_empty_page_says_what_to_do() -> None:
    """Rather than showing an empty table."""
    assert "No claims yet." in page()


def test_incidents_that_go_on_stand_above_the_claims() -> None:
    """Each with a link; one that is quiet goes on, one that is closed does not."""
    link = 'href="incidents/00000000-0000-7000-8000-00000000beef"'

    shown = [page(a_row(), incident=an_incident(status=status)) for status in ("open", "quiet", "closed")]

    assert [link in text for text in shown] == [True, True, False]
    assert "power failure in zone north" in shown[0]
    assert "Incidents" not in shown[2]


def test_a_claim_has_a_page_of_its_own() -> None:
    """With what the table shows, the incident it belongs to, and its history."""
    shown = page_of_claim(
        a_row(), incident=an_incident(), events=[an_event("claim.routed", stages=["reviewer", "manager"])]
    )

    for text in (
        "meter misread on spot DE*ABC*E1",
        "under review: manager (stage 2 of 2)",
        "Last.",
        "2026-03-10 13:00 CET",
        'href="../incidents/00000000-0000-7000-8000-00000000beef"',
        "2026-03-10 12:00:00",
        "rule:routing",
        "under review for the reviewer, then the manager",
    ):
        assert text in shown


def test_an_incident_names_a_hundred_of_its_claims() -> None:
    """And how many more there are; one of a spot whose claim is closed is over there."""
    claims = [a_row(id=f"{number:036}", spot_id=f"E{number}") for number in range(105)]
    claims[0]["status"] = "resolved"

    shown = page_of_incident(an_incident(claim_count=105, root_cause="a fuse"), *claims)

    assert shown.count('href="../claims/') == 100
    assert "and 5 more" in shown
    assert "<dd>104 with an open claim" in shown
    assert "a fuse" in shown


def test_an_incident_that_became_another_leads_there() -> None:
    """Its claims are the other's, and none of them are missing here."""
    shown = page_of_incident(an_incident(status="closed", closed_why="merged", merged_into="12345678-abc"))

    assert 'closed: merged into <a href="12345678-abc">' in shown
    assert " more</p>" not in shown


def test_of_a_long_history_the_latest_is_shown() -> None:
    """A spot that has been repeating itself for months must not make a page that no browser shows."""
    seen = {"faults": ["f"], "first_seen_at": AT, "last_seen_at": AT, "cleared_at": None}
    events = [an_event("claim.faults_counted", fault_count=number, **seen) for number in range(1000, 1203)]

    shown = page_of_claim(a_row(), events=events)

    assert "3 earlier ones" in shown
    assert [f"{number:,} faults in all" in shown for number in (1002, 1003, 1202)] == [False, True, True]


def test_a_duplicate_leads_to_the_other_claim() -> None:
    """Which took over what it knew."""
    other = "00000000-0000-7000-8000-0000000feed5"

    assert f'<a href="{other}">claim 000feed5</a>' in page_of_claim(a_row(status="duplicate", duplicate_of=other))
    assert "Duplicate of" not in page_of_claim(a_row())


FAILED = {"result": "fail", "sentence": "Too late."}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (an_event("claim.verified", outcome="ineligible", answers=[FAILED, {"result": "pass"}]), "Too late."),
        (an_event("claim.verified", outcome="eligible", answers=[{"result": "pass", "sentence": "Yes."}]), "Yes."),
        (
            an_event("claim.stage_passed", stage=1, role="manager", on_behalf_of="Ann"),
            "passed as manager on behalf",
        ),
        (an_event("claim.approved", automatic=True), "approved"),
        (an_event("incident.grew", told_peak=8), "the incident is spreading: 8 spots"),
        (an_event("incident.something_new"), "something new"),
        (an_event("claim.routed", stages=7), "routed"),
    ],
)
def test_an_event_is_described_in_words(event: dict[str, Any], words: str) -> None:
    """Also one that this version does not know, or cannot read."""
    assert words in page_of_claim(a_row(), events=[event])


@pytest.mark.parametrize(
    "kind", ["claim.noted", "claim.rejected", "claim.corrected", "claim.evidence_withdrawn", "incident.closed"]
)
def test_what_people_wrote_is_not_shown(kind: str) -> None:
    """Whoever may look at the table could not see it there."""
    body = {"note": "SECRET", "reason": "SECRET", "kind": "photo", "closed_why": "person", "role": "reviewer"}
    named = {"id": "e1", "evidence_digest": "", "content": ""}

    assert "SECRET" not in page_of_claim(a_row(), events=[an_event(kind, **body, **named)])
