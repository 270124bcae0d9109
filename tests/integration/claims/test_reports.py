"""What people and programs read."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from adapters.postgres.claims.queries import Reports
from domain.audit import chain as audit
from domain.audit.event import NEW
from domain.steps import Route, Verify
from tests.builders import (
    FAULT_TIME,
    NOW,
    a_chain,
    a_claim,
    a_delivery,
    a_fault,
    a_quarantined,
    ids,
)
from tests.integration.parts import Spotclaim


@pytest.fixture
def reports(engine: Engine) -> Reports:
    return Reports(engine)


@pytest.fixture
def file(spotclaim: Spotclaim) -> Callable[..., None]:
    """Files claims with foreseeable ids, the first the oldest."""
    numbers = ids()
    return lambda *claims: spotclaim.put_on_record(
        *(a_claim(**({"id": next(numbers), "spot_id": f"E{n}"} | claim)) for n, claim in enumerate(claims, 1))
    )


def test_a_claim_is_found_by_its_number(spotclaim: Spotclaim, reports: Reports) -> None:
    """Each opened claim has one of its own, in capitals or not; one that is not given finds nothing."""
    spotclaim.take_in(faults=[a_fault(spot_id="E1"), a_fault(spot_id="E2")])
    spotclaim.take_in(faults=[a_fault(spot_id="E1"), a_fault(spot_id="E3")])

    rows = {row["number"]: row["id"] for row in reports.list_claims()}
    assert len(rows) == 3
    assert all(re.fullmatch(rf"SC-{NOW.year}-\d{{6}}", number) for number in rows)
    assert {number: reports.find_claim(number.lower())["id"] for number in rows} == rows  # type: ignore[index]
    assert reports.find_claim("SC-2019-000001") is None
    assert "SC-" in json.loads(spotclaim.events(rows.popitem()[1])[0].body)["number"]


def tails(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["id"][-4:]) for row in rows]


def test_claims_come_newest_first(reports: Reports, file: Callable[..., None]) -> None:
    """As many as were asked for."""
    file({}, {}, {})

    assert tails(reports.list_claims()) == [3, 2, 1]
    assert tails(reports.list_claims(limit=2)) == [3, 2]


def test_pages_hold_each_claim_once(reports: Reports, file: Callable[..., None]) -> None:
    """Even when new claims come while somebody turns the pages."""
    file(*[{}] * 5)
    first = reports.list_claims(limit=2)
    file({"spot_id": "E99"})

    second = reports.list_claims(limit=2, before=first[-1]["id"])
    third = reports.list_claims(limit=2, before=second[-1]["id"])

    assert tails(first + second + third) == [5, 4, 3, 2, 1]
    assert reports.list_claims(before=third[-1]["id"]) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"status": "resolved"}, [4, 2]),
        ({"spot_id": "E1"}, [1]),
        ({"code": "SPOT_OCCUPIED"}, [4, 3]),
        ({"code": "SPOT_OCCUPIED", "status": "resolved"}, [4]),
        ({"status": "no such status"}, []),
        ({"spot_id": "E%"}, []),
    ],
)
def test_filters_narrow(
    reports: Reports, file: Callable[..., None], wanted: dict[str, str], found: list[int]
) -> None:
    """All that are given must fit, to the letter."""
    occupied = {"code": "SPOT_OCCUPIED"}
    file({}, {"status": "resolved"}, occupied, occupied | {"status": "resolved"})

    assert tails(reports.list_claims(**wanted)) == found  # type: ignore[arg-type]


def test_every_row_is_ready_for_json(reports: Reports, file: Callable[..., None]) -> None:
    """Programs get what the encoder takes."""
    file({"stages": ["reviewer"]})
    [row] = reports.list_claims()

    assert orjson.loads(orjson.dumps(row))["first_seen_at"] == "2026-03-10T11:00:00+00:00"
    orjson.dumps(reports.find_claim(row["id"]))


def test_a_claim_is_shown_with_its_last_verdict(reports: Reports, spotclaim: Spotclaim) -> None:
    """As its audit event holds it; a claim that was never judged has none."""
    judged, new = a_claim(spot_id="E1"), a_claim(spot_id="E2")
    spotclaim.put_on_record(judged, new)
    events = [audit.append(judged, NOW, "rule:eligibility", "claim.verified", {"outcome": n}) for n in range(3)]
    judged.verdict_seq = 3
    spotclaim.record(judged, *events)

    assert {row["spot_id"]: row["verdict"] for row in reports.list_claims()} == {"E1": {"outcome": 1}, "E2": None}
    assert [reports.find_claim(claim.id)["verdict"] for claim in (judged, new)] == [{"outcome": 1}, None]  # type: ignore[index]


ID = "01920000-0000-7000-8000-0000abcdef12"


@pytest.mark.parametrize("wanted", [ID, ID.upper(), "cdef12", "abcdef12", "0000abcdef12", "8000-0000abcdef12"])
def test_a_claim_is_found_by_its_id_or_its_end(reports: Reports, file: Callable[..., None], wanted: str) -> None:
    """Six characters of it at least."""
    file({"id": ID}, {})

    found = reports.find_claim(wanted)

    assert found is not None
    assert (found["id"], len(found["head"])) == (ID, 64)


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "def12",
        "______",
        "%%%%%%",
        "%cdef12",
        "cdef1_",
        "cdef12\\",
        "\0\0\0\0\0\0",
        "ü" * 36,
        "x" * 36,
        "9" * 36,
    ],
)
def test_what_is_no_id_finds_nothing(reports: Reports, file: Callable[..., None], wanted: str) -> None:
    """Whatever it looks like to the database."""
    file({"id": ID})

    assert reports.find_claim(wanted) is None


def test_an_end_that_two_claims_share_finds_neither(reports: Reports, file: Callable[..., None]) -> None:
    """A decision must not meet the wrong one."""
    file({"id": ID}, {"id": ID.replace("0192", "0193")})

    assert (reports.find_claim("abcdef12"), reports.find_claim(ID) is not None) == (None, True)


def test_a_claims_events_come_in_order(reports: Reports, spotclaim: Spotclaim) -> None:
    """Its own, and nobody else's."""
    one, other = a_claim(spot_id="E1"), a_claim(spot_id="E2")
    chain, others = a_chain(one), a_chain(other)
    spotclaim.record(one, other, part=NEW)
    spotclaim.record(*chain[::-1], *others)

    rows = reports.claim_events(one.id)

    assert [(row["seq"], row["hash"], row["body"]) for row in rows] == [(e.seq, e.hash, e.body) for e in chain]


def test_faults_are_listed_by_their_keys(reports: Reports, spotclaim: Spotclaim) -> None:
    """In the order in which they occurred."""
    late, early = a_fault(), a_fault(occurred_at=FAULT_TIME - timedelta(hours=1))
    spotclaim.take_in(faults=[late, early, a_fault()])

    rows = reports.list_faults([late.key, early.key])

    assert [row["message_id"] for row in rows] == [early.message_id, late.message_id]
    assert reports.list_faults([]) == []


def test_deliveries_come_newest_first(reports: Reports, spotclaim: Spotclaim) -> None:
    """Of one claim only, if it is named."""
    claim, other = a_claim(), a_claim(spot_id="E2")
    old, new = (
        a_delivery(subject_ids=[claim.id, other.id]),
        a_delivery(subject_ids=[other.id], created_at=NOW + timedelta(hours=1)),
    )
    spotclaim.record(old, new)

    assert [row["id"] for row in reports.list_deliveries()] == [new.id, old.id]
    assert [row["id"] for row in reports.list_deliveries(limit=1)] == [new.id]
    assert [row["id"] for row in reports.list_deliveries(claim_id=claim.id)] == [old.id]


def test_quarantine_comes_latest_first_without_the_bytes(reports: Reports, spotclaim: Spotclaim) -> None:
    """One message with them, by the beginning of its key."""
    first, second = a_quarantined(b"one"), a_quarantined(b"two", received_at=NOW + timedelta(minutes=1))
    spotclaim.take_in(quarantined=[first, second])

    rows = reports.list_quarantine()

    assert [row["key"].replace("-", "") for row in rows] == [second.key, first.key]
    assert "body" not in rows[0]
    found = reports.find_quarantined(first.key[:8].upper())
    assert found is not None
    assert bytes(found["body"]) == b"one"


@pytest.mark.parametrize("key", ["", "%", "_", "\\", "\0", "zz", "é"])
def test_what_is_no_key_finds_no_message(reports: Reports, spotclaim: Spotclaim, key: str) -> None:
    """Not even the only one."""
    spotclaim.take_in(quarantined=[a_quarantined()])

    assert reports.find_quarantined(key) is None


def test_figures_count_what_is_open_and_pending(
    reports: Reports, spotclaim: Spotclaim, file: Callable[..., None]
) -> None:
    """Closed claims and steps that are not due yet do not count."""
    file({}, {}, {"status": "under_review"}, {"status": "resolved", "closed_at": NOW})
    now = datetime.now(UTC)
    pending = [
        Verify([], due_at=now - timedelta(seconds=90)),
        Verify([]),
        Route([], due_at=now + timedelta(days=1)),
    ]
    spotclaim.record(*pending)

    figures = reports.figures()

    kind = "usage_discrepancy"
    assert dict(figures["claims_active"]) == {("submitted", kind): 2, ("under_review", kind): 1}
    assert dict(figures["steps_pending"]) == {("verify",): 2}
    [((), oldest)] = figures["steps_oldest_seconds"]
    assert 89 < oldest < 150


def test_nothing_is_pending_at_rest(reports: Reports) -> None:
    """The age of nothing is nought."""
    nothing: dict[str, list[Any]] = {
        name: [] for name in ("claims_active", "incidents_open", "quarantine_open", "steps_pending")
    }
    assert reports.figures() == nothing | {"steps_oldest_seconds": [((), 0.0)]}
