"""Quarantine over HTTP: who may look, replay and discard, and what they are answered."""

from base64 import b64decode
from typing import Any

import httpx
import orjson
import pytest

from tests.builders import an_event
from tests.integration.door import Api, as_role, demand_problem

GOOD = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}


@pytest.fixture
def refused(api: Api) -> str:
    """The key of bare data that lacks its error."""
    api.post("faults", {"spot_id": "E1"})
    [row] = api.get("quarantine").json()["quarantine"]
    return str(row["key"])


def replay(client: httpx.Client, key: str, body: bytes = b"", role: str = "operator") -> httpx.Response:
    return client.post(f"/api/v1/quarantine/{key}/replay", content=body, headers=as_role(role))


def states(api: Api) -> list[tuple[Any, ...]]:
    rows = api.get("quarantine", state="all").json()["quarantine"]
    return [(row["state"], row["settled_by"], row["settled_why"]) for row in rows]


def test_a_message_is_shown_with_its_bytes(api: Api, refused: str) -> None:
    """By the beginning of its key, decoded as far as it goes."""
    shown = api.get(f"quarantine/{refused[:8]}", "auditor").json()

    assert (shown["reason"], shown["decoded"]) == ("MISSING_FIELD", {"spot_id": "E1"})
    assert orjson.loads(b64decode(shown["body_base64"])) == {"spot_id": "E1"}
    assert shown["sentence"] == "data.error: Field required."


@pytest.mark.parametrize("body", [b"\xff\x00", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 5000, b"9" * 5000])
def test_any_bytes_can_be_shown(anybody: httpx.Client, api: Api, body: bytes) -> None:
    """Whatever they are, they come back as they were."""
    anybody.post("/api/v1/faults", content=body, headers=as_role("operator"))
    [row] = api.get("quarantine").json()["quarantine"]

    assert b64decode(api.get(f"quarantine/{row['key']}").json()["body_base64"]) == body


def test_an_edited_message_is_taken_in_once(anybody: httpx.Client, api: Api, refused: str) -> None:
    """The body of the replay is the message; the second one is a conflict."""
    answer = replay(anybody, refused, orjson.dumps(GOOD))

    assert (answer.status_code, answer.json()) == (200, {"key": refused, "state": "replayed", "new": True})
    demand_problem(replay(anybody, refused, orjson.dumps(GOOD)), 409, "replayed by operator's program")
    [claim] = api.get("claims").json()["claims"]
    assert (claim["fault_count"], claim["filed_by"]) == (1, "operator's program")
    assert api.get("quarantine").json() == {"quarantine": []}
    assert states(api) == [("replayed", "operator's program", "")]


def test_what_is_refused_again_is_a_problem_and_stays(anybody: httpx.Client, api: Api, refused: str) -> None:
    """As it was sent, or as it was edited, with the new reason."""
    answer = replay(anybody, refused)
    demand_problem(answer, 422, "data.error")
    assert answer.json()["code"] == "MISSING_FIELD"

    demand_problem(replay(anybody, refused, b"nonsense"), 422, "Not JSON")
    shown = api.get(f"quarantine/{refused}").json()
    assert (shown["state"], shown["reason"], shown["edited"]) == ("open", "NOT_JSON", "nonsense")
    assert shown["decoded"] == {"spot_id": "E1"}


def test_a_message_is_discarded_with_a_reason(api: Api, refused: str) -> None:
    """And not without one."""
    for body in ({}, {"reason": " "}, {"reason": "x" * 4001}, {"reason": "\0"}, {"why": "noise"}):
        demand_problem(api.post(f"quarantine/{refused}/discard", body), 422)

    assert api.post(f"quarantine/{refused}/discard", {"reason": "noise"}).json()["state"] == "discarded"
    assert states(api) == [("discarded", "operator's program", "noise")]
    demand_problem(api.post(f"quarantine/{refused}/discard", {"reason": "noise"}), 409)


def test_auditors_look_and_settle_nothing(anybody: httpx.Client, api: Api, refused: str) -> None:
    """That is what they are for."""
    demand_problem(replay(anybody, refused, orjson.dumps(GOOD), "auditor"), 403)
    demand_problem(api.post(f"quarantine/{refused}/discard", {"reason": "noise"}, "auditor"), 403)
    assert states(api) == [("open", None, "")]


def test_wrong_questions_are_problems(anybody: httpx.Client, api: Api) -> None:
    """They name what there is."""
    demand_problem(api.get("quarantine", state="nope"), 422, "open, replayed, discarded, all")
    demand_problem(api.get("quarantine/zz"), 404)
    demand_problem(replay(anybody, "0123abcd"), 404)
    demand_problem(api.post("quarantine/0123abcd/discard", {"reason": "noise"}), 404)
    demand_problem(replay(anybody, "0123abcd", b" " * (17 * 1024 * 1024)), 413)


def test_a_replayed_event_keeps_its_identity(anybody: httpx.Client, api: Api) -> None:
    """So it is the duplicate of the one that its source sent again meanwhile."""
    bad = an_event({"spot_id": "E1"}, id="m-1")
    api.post("faults", bad)
    api.post("faults", bad | {"data": GOOD})
    [row] = api.get("quarantine").json()["quarantine"]

    demand_problem(replay(anybody, row["key"], orjson.dumps(bad | {"id": "m-2", "data": GOOD})), 422, "keeps")
    assert replay(anybody, row["key"], orjson.dumps(bad | {"data": GOOD})).json()["new"] is False
    assert api.get("claims").json()["claims"][0]["fault_count"] == 1
