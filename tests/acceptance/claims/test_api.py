"""The HTTP door of a running `up`: what it takes in, what it shows, and how it refuses."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.embedded import Up, await_routed_and_announced, claims_of
from tests.acceptance.messages import MALFORMED, fault
from tests.servers import temporary_folder

# Those of DESIGN, section 8, whose subject exists; incidents and the audit sweep bring their own.
METRICS = [
    *("faults_received_total", "claims_opened_total", "claims_active", "claims_closed_total"),
    *("claim_resolution_seconds", "quarantined_total", "step_delay_seconds", "steps_pending"),
    *("notifications_total", "notification_delay_seconds", "steps_oldest_seconds", "sla_breaches_total"),
]


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One installation for all tests of this file; each keeps to spots of its own."""
    with temporary_folder() as folder:
        up = Up(folder)
        try:
            up.start().close()
            for role in ("operator", "reviewer", "manager", "auditor"):
                up.add_token(f"the-{role}", role, f"token-of-the-{role}")
            yield up
        finally:
            up.end()


@pytest.fixture
def api(up: Up) -> Iterator[httpx.Client]:
    """A client with the token of an admin."""
    with up.client("a-token-for-tests") as client:
        yield client


def report(api: httpx.Client, spot_id: str, code: str = "GROUND_FAILURE") -> dict[str, object]:
    """The claim that a fault of the spot led to, under review and announced."""
    answer = api.post("/api/v1/faults", json=fault("api", 1, spot_id, code)["data"])
    assert answer.status_code == 202, answer.text
    return await_routed_and_announced(api, spot_id)


def decide(api: httpx.Client, claim: dict[str, object], decision: str, **more: object) -> httpx.Response:
    """By somebody who has just looked at the claim, unless a version is given."""
    address = f"/api/v1/claims/{claim['id']}"
    seen = {"version": api.get(address).json().get("version", 1)}
    return api.post(f"{address}/decisions", json={"decision": decision, **seen, **more})


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    """The problem document (RFC 9457) of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document


def test_a_list_is_answered_item_by_item(api: httpx.Client) -> None:
    """The good items are accepted, each bad one has a problem document, and lies in quarantine."""
    good, other = (fault("list", number, f"LIST*{number}")["data"] for number in (1, 2))
    bad = {"error": {"taxonomy": "spotclaim", "code": "OTHER"}, "zone": "list-without-a-spot"}
    worse = fault("list", 3, "LIST*3") | {"type": "spotclaim.coffee.spilt.v1"}

    answer = api.post("/api/v1/faults", json=[good, bad, worse, "nonsense", other])

    assert answer.status_code == 202, answer.text
    items = answer.json()["items"]
    assert [item["status"] for item in items] == ["accepted", "refused", "refused", "refused", "accepted"]
    assert [item["problem"]["code"] for item in items[1:4]] == ["MISSING_FIELD", "UNKNOWN_TYPE", "INVALID_FIELD"]
    assert all(item["problem"]["status"] == 422 and item["problem"]["detail"] for item in items[1:4])
    for spot in ("LIST*1", "LIST*2"):
        await_routed_and_announced(api, spot)
    assert claims_of(api, "LIST*3") == []
    quarantined = [row["reason"] for row in api.get("/api/v1/quarantine").json()["quarantine"]]
    assert sorted(quarantined) == ["INVALID_FIELD", "MISSING_FIELD", "UNKNOWN_TYPE"]


@pytest.mark.parametrize("kind", ["not JSON", "NaN", "duplicate keys", "an escaped NUL", "1e400", "far too deep"])
def test_a_body_that_cannot_be_read(api: httpx.Client, kind: str) -> None:
    """Nothing of it is taken in, and the sender learns why."""
    body, code = MALFORMED[kind]

    document = problem(api.post("/api/v1/faults", content=body), 422)

    assert document["code"] == code


def test_the_same_event_twice_counts_once(api: httpx.Client) -> None:
    """A program that lost its answer may send the whole CloudEvent again."""
    event = fault("again", 1, "AGAIN*1")
    for _ in range(2):
        assert api.post("/api/v1/faults", json=event).status_code == 202

    assert await_routed_and_announced(api, "AGAIN*1")["fault_count"] == 1


def test_the_page_lists_claims(api: httpx.Client) -> None:
    """Anybody on this machine may look; what a station wrote is text, and never markup."""
    report(api, "PAGE*<b>1</b>")

    page = httpx.get(f"{api.base_url}/", trust_env=False)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "PAGE*&lt;b&gt;1&lt;/b&gt;" in page.text
    assert "<b>1</b>" not in page.text
    assert "ground failure" in page.text


@pytest.mark.parametrize("name", METRICS)
def test_a_documented_metric_is_there(api: httpx.Client, name: str) -> None:
    """Dashboards and alerts rely on the names in DESIGN."""
    assert f"spotclaim_{name}" in re.findall(r"^# TYPE (\S+) ", _metrics(api), re.MULTILINE)


def test_a_claim_from_report_to_resolution(up: Up, api: httpx.Client) -> None:
    """Two approvals and a resolution close it, and its time to resolve becomes a metric."""
    claim = report(api, "LIFE*1", "OVER_CURRENT")
    before = _resolutions(api)

    statuses = []
    for role, decision in (("reviewer", "approve"), ("manager", "approve"), ("operator", "resolve")):
        with up.client(f"token-of-the-{role}") as person:
            answer = decide(person, claim, decision, note="seen on site")
        statuses.append(answer.raise_for_status().json()["status"])

    assert statuses == ["under_review", "approved", "resolved"]
    assert _resolutions(api) == before + 1
    assert re.search(
        r'^spotclaim_claims_closed_total\{.*outcome="resolved".*within_sla="true".*\} ',
        _metrics(api),
        re.MULTILINE,
    )
    chain = api.get(f"/api/v1/claims/{claim['id']}/events").json()
    decided = [(event["kind"], event["actor"]) for event in chain["events"] if event["actor"].startswith("the-")]
    assert decided == [
        ("claim.stage_passed", "the-reviewer"),
        ("claim.approved", "the-manager"),
        ("claim.resolved", "the-operator"),
    ]
    assert chain["intact"]


def _metrics(api: httpx.Client) -> str:
    answer = httpx.get(f"{api.base_url}/metrics", trust_env=False)
    assert answer.status_code == 200
    return answer.text


def _resolutions(api: httpx.Client) -> float:
    found = re.findall(r"^spotclaim_claim_resolution_seconds_count\{.*\} (\S+)$", _metrics(api), re.MULTILINE)
    return sum(map(float, found))


@pytest.mark.parametrize("path", ["claims", "claims/some-id", "deliveries", "quarantine", "stream"])
@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_strangers_read_nothing(up: Up, path: str, token: str | None) -> None:
    """No token, a wrong one and an empty one are all the same."""
    with up.client(token) as stranger:
        answer = stranger.get(f"/api/v1/{path}")

    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_strangers_write_nothing(up: Up, api: httpx.Client) -> None:
    """Neither a fault nor a decision."""
    claim = report(api, "STRANGER*1")
    with up.client(None) as stranger:
        problem(stranger.post("/api/v1/faults", json=fault("api", 1, "STRANGER*2")["data"]), 401)
        problem(decide(stranger, claim, "approve"), 401)
    assert claims_of(api, "STRANGER*2") == []


def test_the_wrong_role_is_told_which_is_right(up: Up, api: httpx.Client) -> None:
    """The first stage of a critical claim is the reviewer's; an auditor neither decides nor files."""
    claim = report(api, "ROLE*1")

    assert "filed" in str(problem(decide(api, claim, "approve"), 403)["detail"])
    with up.client("token-of-the-operator") as operator:
        assert "reviewer" in str(problem(decide(operator, claim, "approve"), 403)["detail"])
    with up.client("token-of-the-auditor") as auditor:
        problem(decide(auditor, claim, "approve"), 403)
        problem(auditor.post("/api/v1/faults", json=fault("api", 1, "ROLE*2")["data"]), 403)
        assert auditor.get("/api/v1/claims").status_code == 200


@pytest.mark.parametrize(
    "unknown", ["00000000-0000-7000-8000-000000000000", "x", "ffffffff", "%00", "'; --", "a%25"]
)
def test_an_unknown_claim(api: httpx.Client, unknown: str) -> None:
    """It is not found, whatever is asked of it."""
    problem(api.get(f"/api/v1/claims/{unknown}"), 404)
    problem(api.get(f"/api/v1/claims/{unknown}/events"), 404)
    problem(decide(api, {"id": unknown}, "approve"), 404)


def test_an_illegal_action_is_a_conflict(api: httpx.Client) -> None:
    """What the state allows is listed; so is a claim that has moved on since it was seen."""
    claim = report(api, "ILLEGAL*1")

    assert "approve" in str(problem(decide(api, claim, "resolve"), 409)["detail"])
    problem(decide(api, claim, "approve", version=1), 409)
    decide(api, claim, "reject", note="a test").raise_for_status()
    problem(decide(api, claim, "approve"), 409)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/claims?limit=0", 422),
        ("/api/v1/claims?limit=many", 422),
        ("/api/v1/claims?before=yesterday", 422),
        ("/api/v1/claims?spot_id=%00", 422),
        ("/api/v1/deliveries?claim_id=unknown", 404),
    ],
)
def test_a_wrong_question_is_a_problem(api: httpx.Client, path: str, status: int) -> None:
    """The address or a parameter makes no sense."""
    problem(api.get(path), status)


def test_a_rejection_takes_a_note(api: httpx.Client) -> None:
    """What is missing is named, of one claim and of each of many; nothing was decided."""
    claims = [report(api, f"NOTELESS*{number}") for number in range(2)]
    many = {"decision": "reject", "claims": [{"claim": c["id"], "version": c["version"]} for c in claims]}

    for note in ({}, {"note": " "}):
        assert "note is missing" in str(problem(decide(api, claims[0], "reject", **note), 422)["detail"])
        items = api.post("/api/v1/decisions", json=many | note).raise_for_status().json()["items"]
        assert [(item["claim"], item["problem"]["status"]) for item in items] == [(c["id"], 422) for c in claims]
    assert "U+0000" in str(problem(decide(api, claims[0], "approve", note="\0"), 422)["detail"])
    assert [api.get(f"/api/v1/claims/{c['id']}").json()["status"] for c in claims] == ["under_review"] * 2

    items = api.post("/api/v1/decisions", json=many | {"note": "no fault found"}).json()["items"]
    assert [item["status"] for item in items] == ["rejected"] * 2


def test_an_unknown_decision_is_a_problem(api: httpx.Client) -> None:
    """So is a body that is no JSON, and a method that the address does not know."""
    claim = report(api, "UNKNOWN*1")

    problem(decide(api, claim, "dance"), 422)
    problem(api.post(f"/api/v1/claims/{claim['id']}/decisions", content=b"{"), 422)
    problem(api.delete(f"/api/v1/claims/{claim['id']}"), 405)
