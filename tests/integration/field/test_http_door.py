"""The HTTP door of the whole system: what programs ask, and what they are answered."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from urllib.parse import unquote

import httpx
import orjson
import pytest

from ingest.cloudevents.strict_json import MAX_BYTES
from tests.builders import an_event
from tests.integration.door import NOW, Api, as_role, demand_problem
from tests.integration.parts import PATIENCE_SECONDS
from tests.servers.waiting import wait_until

FAULT_TIME = (NOW - timedelta(hours=1)).isoformat()
FAULT = {"spot_id": "DE*ABC*E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
MISREAD = {
    "spot_id": "DE*ABC*E1",
    "session_id": "s-1",
    "started_at": (NOW - timedelta(hours=2)).isoformat(),
    "ended_at": FAULT_TIME,
    "energy_kwh": -39.62,
}
SOMEBODY = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def reviewed(api: Api) -> str:
    """The id of a claim that waits for its reviewer, of which people were notified."""
    api.post("usage-records", MISREAD)
    api.post("faults", FAULT | {"occurred_at": FAULT_TIME})
    claim_id: str = api.get("claims").json()["claims"][0]["id"]
    assert wait_until(lambda: api.events(claim_id)[-1]["kind"] == "claim.announced", PATIENCE_SECONDS)
    return claim_id


def test_a_fault_becomes_a_claim_that_people_decide(api: Api, reviewed: str) -> None:
    """From the report to the resolution, stage by stage, with every event on record."""
    assert api.decide(reviewed, "approve", "reviewer", note="seen").json()["stage"] == 2
    assert api.decide(reviewed, "approve", "manager").json()["status"] == "approved"
    assert api.decide(reviewed, "resolve", "operator").json()["status"] == "resolved"

    answer = api.get(f"claims/{reviewed}/events", "auditor").json()

    assert answer["intact"]
    done = [(event["kind"], event["actor"]) for event in answer["events"] if event["kind"] != "claim.announced"]
    assert done == [
        ("claim.opened", "operator's program"),
        ("claim.verified", "rule:eligibility"),
        ("claim.routed", "rule:approval"),
        ("claim.stage_passed", "reviewer's program"),
        ("claim.approved", "manager's program"),
        ("claim.resolved", "operator's program"),
    ]


def test_who_was_notified_of_a_claim_is_on_record(api: Api, reviewed: str) -> None:
    """Who, of what, and what came of it; the claim is found by the end of its id."""
    [delivery] = api.get("deliveries", claim_id=reviewed[-8:]).json()["deliveries"]

    assert (delivery["destination"], delivery["status"], delivery["subject_ids"]) == ("ops", "sent", [reviewed])
    assert api.get("deliveries").json()["deliveries"] == [delivery]
    assert (delivery["reason"], delivery["code"], delivery["answer"]) == ("first", "METER_MISREAD", "delivered")
    assert api.get("deliveries", status="sent").json()["deliveries"] == [delivery]
    assert api.get("deliveries", status="failed").json()["deliveries"] == []
    demand_problem(api.get("deliveries", status="lost"), 422)
    assert api.get(f"claims/{reviewed[-8:]}").json()["id"] == reviewed


def test_a_decision_by_the_wrong_role_is_refused(api: Api, reviewed: str) -> None:
    """And changes nothing."""
    for role in ("operator", "manager", "auditor"):
        demand_problem(api.decide(reviewed, "approve", role), 403)

    assert api.get(f"claims/{reviewed}").json()["stage"] == 1


def test_a_decision_on_a_claim_that_moved_on_is_a_conflict(api: Api, reviewed: str) -> None:
    """The program looks again."""
    seen = api.get(f"claims/{reviewed}").json()["version"]
    api.decide(reviewed, "approve", "reviewer", version=seen)

    demand_problem(api.decide(reviewed, "approve", "manager", version=seen), 409, f"you saw version {seen}")
    demand_problem(api.decide(reviewed, "resolve", "manager"), 409, "allowed from here: ")


def test_a_wrong_decision_is_refused(api: Api, reviewed: str) -> None:
    """Unknown, too long, or on nothing."""
    demand_problem(api.decide(reviewed, "burn", "admin"), 422, "decision")
    demand_problem(api.decide(reviewed, "approve", "admin", note="x" * 4001), 422, "note")
    demand_problem(api.decide(SOMEBODY, "approve", "admin"), 404)


def test_each_item_of_a_list_is_answered(api: Api) -> None:
    """The good one is a claim at once, the bad one is in quarantine with its reason."""
    answer = api.post("faults", [FAULT, {"spot_id": "E1"}])

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert len(api.get("claims").json()["claims"]) == 1
    [item] = api.get("quarantine").json()["quarantine"]
    assert (item["reason"], item["door"], item["source"]) == ("MISSING_FIELD", "api", "operator's program")


def test_one_bad_item_alone_is_a_problem(api: Api) -> None:
    """With its code for programs."""
    answer = api.post("faults", {"spot_id": "E1"})
    demand_problem(answer, 422, "data.error")
    assert answer.json()["code"] == "MISSING_FIELD"


def test_a_repeated_event_is_one_fault(api: Api) -> None:
    """A program that got no answer sends again."""
    event = an_event()
    for _ in range(3):
        assert api.post("faults", event).status_code == 202

    assert api.get("claims").json()["claims"][0]["fault_count"] == 1


def test_what_is_too_large_is_refused(anybody: httpx.Client, api: Api) -> None:
    """A body, or a message in it."""
    body = b" " * (17 * 1024 * 1024)

    demand_problem(anybody.post("/api/v1/faults", content=body, headers=as_role("operator")), 413)
    demand_problem(api.post("faults", FAULT | {"description": "x" * MAX_BYTES}), 422)


def test_a_list_of_too_many_is_refused(api: Api) -> None:
    """None of it is taken in; the problem names the limit."""
    demand_problem(api.post("faults", [FAULT] * 1001), 422, "1 to 1000 items; this one has 1001")
    assert api.post("faults", [FAULT] * 1000).json()["accepted"] == 1000


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/CloudEvents+JSON; charset=UTF-8",
        "application/cloudevents-batch+json",
        None,
    ],
)
def test_json_is_taken_by_each_of_its_names(anybody: httpx.Client, kind: str | None) -> None:
    """Or without one."""
    headers = as_role("operator") | ({"Content-Type": kind} if kind else {})
    body = orjson.dumps([an_event()])
    assert anybody.post("/api/v1/faults", content=body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "kind", ["text/csv", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_another_content_type_is_refused(anybody: httpx.Client, kind: str) -> None:
    """The problem names those there are, for people and in a header for programs."""
    headers = as_role("operator") | {"Content-Type": kind}
    answer = anybody.post("/api/v1/usage-records", content=orjson.dumps(MISREAD), headers=headers)

    demand_problem(answer, 415, "application/cloudevents+json")
    assert answer.headers["accept"].startswith("application/json, ")


def test_claims_come_in_pages(api: Api) -> None:
    """Each page names where the next begins; the last one nothing."""
    api.post("faults", [FAULT | {"spot_id": f"E{number}"} for number in range(5)])

    first = api.get("claims", limit=3).json()
    second = api.get("claims", limit=3, before=first["next_before"]).json()

    assert [len(page["claims"]) for page in (first, second)] == [3, 2]
    assert second["next_before"] is None
    assert len({claim["id"] for page in (first, second) for claim in page["claims"]}) == 5
    assert [claim["spot_id"] for claim in api.get("claims", spot_id="E4").json()["claims"]] == ["E4"]


def test_a_wrong_question_is_a_problem(api: Api) -> None:
    """Never an internal error."""
    demand_problem(api.get("claims", limit=0), 422)
    demand_problem(api.get("claims", limit=1001), 422)
    demand_problem(api.get("claims", before="yesterday"), 422)
    demand_problem(api.get("claims", spot_id="\0"), 422)
    demand_problem(api.get("claims", status="nope"), 422, "there are observed, submitted")
    demand_problem(api.get("deliveries", claim_id="\0"), 422)
    demand_problem(api.get("deliveries", limit="many"), 422)


def test_a_claim_that_is_not_there_is_a_problem(api: Api) -> None:
    """Whatever stands in its place, while there is only one claim to find."""
    api.post("faults", FAULT)

    for claim_id in (SOMEBODY, "nonsense", "%25%25%25%25%25%25", "______", "%5C%5C%5C%5C%5C%5C"):
        demand_problem(api.get(f"claims/{claim_id}"), 404)
        demand_problem(api.get(f"claims/{claim_id}/events"), 404)
        demand_problem(api.get("deliveries", claim_id=unquote(claim_id)), 404)
    demand_problem(api.get("claims/%00%00%00%00%00%00"), 404)


def test_nobody_reads_or_writes_without_a_token(anybody: httpx.Client) -> None:
    """Every address of the API asks for one."""
    for header in ({}, *({"Authorization": text} for text in ("Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz"))):
        for path in (
            "claims",
            f"claims/{SOMEBODY}",
            f"claims/{SOMEBODY}/events",
            "deliveries",
            "quarantine",
            "stream",
        ):
            demand_problem(anybody.get(f"/api/v1/{path}", headers=header), 401)
        for path in ("faults", "usage-records", f"claims/{SOMEBODY}/decisions"):
            demand_problem(anybody.post(f"/api/v1/{path}", json={"decision": "approve"}, headers=header), 401)


def test_auditors_read_and_file_nothing(api: Api) -> None:
    """That is what they are for."""
    assert api.get("claims", "auditor").status_code == 200
    demand_problem(api.post("faults", FAULT, "auditor"), 403)
    demand_problem(api.post("usage-records", MISREAD, "auditor"), 403)


def test_probes_metrics_and_the_page_answer(anybody: httpx.Client, reviewed: str) -> None:
    """For whoever runs it, on this machine."""
    assert anybody.get("/healthz").json() == {"status": "ok"}
    assert anybody.get("/readyz").json() == {"status": "ready", "problems": []}
    metrics = anybody.get("/metrics").text
    assert 'spotclaim_claims_active{claim_type="usage_discrepancy",status="under_review"} 1.0' in metrics
    assert 'spotclaim_faults_received_total{outcome="opened"}' in metrics
    page = anybody.get("/")
    assert (page.status_code, reviewed[-8:] in page.text) == (200, True)


def test_what_happens_is_streamed(anybody: httpx.Client, api: Api) -> None:
    """As server-sent events, while somebody listens."""
    heard = threading.Event()

    def report() -> None:
        numbers = count()
        while not heard.wait(0.1):
            api.post("faults", FAULT | {"spot_id": f"E{next(numbers)}"})

    with (
        anybody.stream("GET", "/api/v1/stream", headers=as_role("operator")) as stream,
        ThreadPoolExecutor(1) as pool,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        reporting = pool.submit(report)
        entry = next(line for line in stream.iter_lines() if line.startswith("data: "))
        heard.set()
        reporting.result()

    assert '"kind":"opened"' in entry


def test_every_address_is_described(anybody: httpx.Client) -> None:
    """In the OpenAPI document; and one that is not there is a problem like any other."""
    described = anybody.get("/openapi.json").json()["paths"]

    assert {"/api/v1/faults", "/api/v1/usage-records", "/api/v1/claims", "/readyz", "/metrics"} <= set(described)
    assert all(action["summary"] for path in described.values() for action in path.values())
    demand_problem(anybody.get("/api/v1/nothing"), 404)
    demand_problem(anybody.delete("/api/v1/claims"), 405)


def test_a_question_that_nobody_would_hear_is_refused(api: Api, anybody: httpx.Client) -> None:
    """A misspelt parameter, or one given twice; the problem names those there are."""
    demand_problem(api.get("claims", statsu="approved"), 422, "there are status, spot_id, code, before, limit")
    demand_problem(api.get(f"claims/{SOMEBODY}", verbose="yes"), 422, "there are none")
    demand_problem(api.get("claims", code=["A", "B"]), 422, "give it once")
    demand_problem(api.get("claims", code=""), 422)
    demand_problem(api.get("claims", status=""), 422)


def test_an_address_names_its_methods(anybody: httpx.Client) -> None:
    """All of them, for whoever took another."""
    answer = anybody.put("/api/v1/delegations")
    demand_problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


def test_no_text_may_hold_what_the_database_cannot(api: Api, reviewed: str) -> None:
    """Refused before anything is written."""
    for path, body in (
        ("notes", {"note": "a\0b"}),
        ("withdrawal", {"note": "a\0b"}),
        ("decisions", {"decision": "approve", "version": 1, "note": "a\0b"}),
        ("evidence", {"kind": "note", "note": "a\0b"}),
    ):
        demand_problem(api.post(f"claims/{reviewed}/{path}", body, "admin"), 422, "U+0000")
    demand_problem(api.post("delegations", {"to": "a\0b", "until": NOW.isoformat()}, "manager"), 422)
