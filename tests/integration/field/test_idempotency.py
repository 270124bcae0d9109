"""Idempotency keys: a program that lost its answer asks again, and nothing is taken in twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest

from adapters.postgres.field.idempotency import IdempotencyKeys
from domain.errors import KeyReused
from tests.integration.door import Api, as_role, demand_problem
from tests.integration.parts import Spotclaim

FAULT = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
LIST = [FAULT, FAULT, {"spot_id": "E1"}]


def post(client: httpx.Client, key: str, body: Any = None, path: str = "faults", role: str = "operator") -> Any:
    content = orjson.dumps(LIST if body is None else body)
    return client.post(f"/api/v1/{path}", content=content, headers=as_role(role) | {"Idempotency-Key": key})


def count(api: Api) -> int:
    return int(api.get("claims").json()["claims"][0]["fault_count"])


def test_a_repeated_request_has_the_first_ones_answer(anybody: httpx.Client, api: Api) -> None:
    """And changes nothing, though none of its items has an id."""
    first = post(anybody, '"8e03978e"')
    again = post(anybody, "8e03978e")

    assert (first.status_code, first.json()["accepted"]) == (202, 2)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert count(api) == 2


def test_requests_at_once_are_one(anybody: httpx.Client, api: Api) -> None:
    """Eight, each of which is answered."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(anybody, "at once").json(), range(8)))

    assert answers == [answers[0]] * 8
    assert count(api) == 2


def test_without_a_key_every_request_is_its_own(anybody: httpx.Client, api: Api) -> None:
    """As two reports of one spot may be."""
    for key in ("a", "b"):
        post(anybody, key)
    assert count(api) == 4


def test_a_key_stands_for_one_request(anybody: httpx.Client, api: Api) -> None:
    """Another body, or another address, is refused, and nothing of it is taken in."""
    post(anybody, "k")

    demand_problem(post(anybody, "k", [FAULT]), 422, "stands for another request")
    demand_problem(post(anybody, "k", path="usage-records"), 422, "stands for another request")
    assert count(api) == 2
    assert post(anybody, "k", [FAULT], role="manager").status_code == 202


@pytest.mark.parametrize("key", ["", '""', "x" * 256, '"half', "back\\slash", "tab\there"])
def test_a_key_that_is_none_is_refused(anybody: httpx.Client, key: str) -> None:
    """Rather than taken for another."""
    demand_problem(post(anybody, key), 422, "Idempotency-Key")


def test_a_key_is_forgotten_after_a_day(spotclaim: Spotclaim) -> None:
    """Its own request may change then; keys that nobody uses any more are cleared away by those who come."""
    keys = IdempotencyKeys(spotclaim.engine)
    for key in ("old", "unused", "fresh"):
        keys("program", key, b"first")
    spotclaim.rows(
        "UPDATE idempotency_keys SET used_at = now() - interval '25 hours' WHERE key <> %s", _newest(spotclaim)
    )

    keys("program", "old", b"second")

    assert spotclaim.value("SELECT count(*) FROM idempotency_keys") == 2
    for key, request in (("old", b"first"), ("fresh", b"second")):
        with pytest.raises(KeyReused):
            keys("program", key, request)


def _newest(spotclaim: Spotclaim) -> bytes:
    return bytes(spotclaim.value("SELECT key FROM idempotency_keys ORDER BY used_at DESC LIMIT 1"))
