"""The console's page: what people see, and nothing that somebody else wrote as markup."""

from typing import Any

from ingest.console.pages import claims_page
from tests.builders import NOW

HOSTILE = "<script>alert('1')</script>&\"'"


class Claims:
    """Stands for the reports; the page asks for a list of claims only."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self._rows = list(rows)

    def list_claims(self, *, limit: int) -> list[dict[str, Any]]:
        return self._rows[:limit]


def a_row(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "00000000-0000-7000-8000-0123456789ab",
        "spot_id": "DE*ABC*E1",
        "zone": None,
        "code": "METER_MISREAD",
        "severity": "high",
        "status": "under_review",
        "stage": 2,
        "stages": ["reviewer", "manager"],
        "fault_count": 3,
        "verdict": {"answers": [{"sentence": "First."}, {"sentence": "Last."}]},
        "resolve_due_at": NOW,
        "time_zone": "Europe/Berlin",
    }
    return fields | changes


def page(*rows: dict[str, Any]) -> str:
    return claims_page(Claims(*rows), NOW)  # type: ignore[arg-type]


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
        "456789ab",
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


def test_a_new_claim_has_no_verdict_yet() -> None:
    """Nor a due date; nothing is missing from the page for that."""
    new = a_row(status="submitted", stage=0, stages=[], verdict=None, resolve_due_at=None, time_zone=None)

    assert "submitted" in page(new)


def test_a_claim_that_waits_has_no_due_date() -> None:
    """Its clock stands, and the page says so."""
    assert "paused" in page(a_row(status="awaiting_evidence", resolve_due_at=None))


def test_an_empty_page_says_what_to_do() -> None:
    """Rather than showing an empty table."""
    assert "No claims yet." in page()
