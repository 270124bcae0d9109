"""The table of transitions, whole: what is in it happens, and nothing else does."""

from itertools import product
from pathlib import Path

import pytest

from domain.claims.lifecycle import CLOSED, JUDGED, STATUSES, after, allowed, diagram
from domain.errors import Conflict

TABLE = {
    ("observed", "submit"): "submitted",
    ("observed", "lapse"): "withdrawn",
    ("submitted", "find_eligible"): "verifying",
    ("submitted", "await_evidence"): "awaiting_evidence",
    ("submitted", "find_ineligible"): "ineligible",
    ("awaiting_evidence", "await_evidence"): "awaiting_evidence",
    ("awaiting_evidence", "find_eligible"): "verifying",
    ("awaiting_evidence", "find_ineligible"): "ineligible",
    ("verifying", "find_eligible"): "verifying",
    ("verifying", "await_evidence"): "awaiting_evidence",
    ("verifying", "find_ineligible"): "ineligible",
    ("ineligible", "find_eligible"): "verifying",
    ("ineligible", "await_evidence"): "awaiting_evidence",
    ("ineligible", "find_ineligible"): "ineligible",
    ("under_review", "find_eligible"): "under_review",
    ("under_review", "await_evidence"): "awaiting_evidence",
    ("under_review", "find_ineligible"): "ineligible",
    ("verifying", "route"): "under_review",
    ("verifying", "approve_by_rule"): "approved",
    ("under_review", "approve"): "approved",
    ("under_review", "reject"): "rejected",
    ("approved", "resolve"): "resolved",
    ("ineligible", "reopen"): "submitted",
    ("submitted", "judge_afresh"): "submitted",
    ("awaiting_evidence", "judge_afresh"): "submitted",
    ("verifying", "judge_afresh"): "submitted",
    ("ineligible", "judge_afresh"): "submitted",
    ("under_review", "judge_afresh"): "submitted",
    ("approved", "judge_afresh"): "submitted",
    ("observed", "withdraw"): "withdrawn",
    ("submitted", "withdraw"): "withdrawn",
    ("verifying", "withdraw"): "withdrawn",
    ("awaiting_evidence", "withdraw"): "withdrawn",
    ("ineligible", "withdraw"): "withdrawn",
    ("under_review", "withdraw"): "withdrawn",
    ("approved", "withdraw"): "withdrawn",
    **{
        (status, "mark_duplicate"): "duplicate"
        for status in (
            *("observed", "submitted", "verifying", "awaiting_evidence", "ineligible", "under_review", "approved"),
        )
    },
    ("duplicate", "reopen"): "submitted",
    ("rejected", "reopen"): "submitted",
    ("resolved", "reopen"): "submitted",
    ("withdrawn", "reopen"): "submitted",
}
BY_PEOPLE = {"approve", "reject", "resolve", "withdraw", "reopen"}
ACTIONS = sorted({action for _, action in TABLE} | {"pass_stage", ""})


@pytest.mark.parametrize(("origin", "action"), TABLE)
def test_what_the_table_allows_happens(origin: str, action: str) -> None:
    """Each row leads where it says."""
    assert after(origin, action) == TABLE[origin, action]


@pytest.mark.parametrize(("origin", "action"), sorted(set(product(STATUSES, ACTIONS)) - set(TABLE)))
def test_anything_else_is_a_conflict_that_names_what_is_allowed(origin: str, action: str) -> None:
    """Every other pair of status and action is refused, and the caller learns what people may do instead."""
    options = [row for (status, row) in TABLE if status == origin and row in BY_PEOPLE]
    options += ["note"] if origin in CLOSED else ["acknowledge", "note"]

    with pytest.raises(Conflict) as refusal:
        after(origin, action)

    assert f"allowed from here: {', '.join(options)}." in str(refusal.value)
    assert f"A claim that is {origin} " in str(refusal.value)


def test_every_status_can_be_reached() -> None:
    """From where claims begin, by rows of the table alone."""
    reached, before = {"observed"}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= {target for (origin, _), target in TABLE.items() if origin in reached}

    assert reached == set(STATUSES)


def test_a_closed_claim_can_only_be_taken_up_again() -> None:
    """A new fault opens a new claim instead."""
    assert {status: allowed(status) for status in CLOSED} == {status: ["reopen", "note"] for status in CLOSED}


def test_the_manual_shows_the_table() -> None:
    """The diagram is made from it, and so are readers' expectations."""
    assert diagram() in Path("domain/README.md").read_text()


def test_a_claim_is_judged_until_somebody_decides_it() -> None:
    """Exactly the statuses from which a verdict is allowed, whatever it is."""
    for verdict in ("find_eligible", "await_evidence", "find_ineligible"):
        assert set(JUDGED) == {status for (status, action) in TABLE if action == verdict}
