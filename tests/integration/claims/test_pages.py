"""The pages of a claim and of an incident: where the links of notifications lead."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urljoin

import httpx
import pytest

from tests.contracts.receivers import WebHook, web_hook
from tests.integration.door import NOW, Api, demand_problem, running
from tests.integration.parts import PATIENCE_SECONDS, Clock
from tests.servers.loopback import HOST, free_port
from tests.servers.waiting import wait_until
from workers.bootstrap.app import App, build
from workers.settings import load_settings

HOSTILE = "E1<script>alert(1)</script>"
WRITTEN = "what somebody wrote"
CLAIM = ("claim.under_review", "GROUND_FAILURE")
INCIDENT = ("incident.opened", "POWER_FAILURE")
NOWHERE = "00000000-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def hook() -> Iterator[WebHook]:
    with web_hook() as running:
        yield running


@pytest.fixture(scope="module")
def system(module_database_url: str, hook: WebHook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Everything in one process, which notifies a web hook."""
    port = free_port()
    with ExitStack() as stack:
        settings = load_settings(
            database_url=module_database_url,
            data=tmp_path_factory.mktemp("data"),
            host=HOST,
            port=port,
            destinations={"ops": f"json://{hook.address}/a-secret-path"},
            allow_internal_destinations=True,
            public_url=f"http://{HOST}:{port}",
            policy="lenient",
        )
        app = build(settings, stack, clock=Clock(NOW))
        stack.enter_context(running(app))
        yield app


@pytest.fixture
def sent(system: App, api: Api, hook: WebHook) -> dict[tuple[str, str], str]:
    """The links that people were sent, of a claim whose spot has a hostile name and of an incident."""
    hook.posted.clear()
    private = {"affected_user": WRITTEN, "description": WRITTEN}
    api.post("faults", {"spot_id": HOSTILE, "error": {"taxonomy": "spotclaim", "code": CLAIM[1]}} | private)
    for spot in ("E1", "E2", "E3"):
        error = {"taxonomy": "spotclaim", "code": INCIDENT[1]}
        api.post("faults", {"spot_id": spot, "zone": "north", "error": error})
    assert wait_until(lambda: {CLAIM, INCIDENT} <= links(hook).keys(), PATIENCE_SECONDS)
    assert wait_until(lambda: system.work.steps.due() == 0, PATIENCE_SECONDS)
    return links(hook)


def links(hook: WebHook) -> dict[tuple[str, str], str]:
    facts = [body["spotclaim"] for _, body in hook.posted]
    return {(fact["event"], fact["code"]): item["link"] for fact in facts for item in fact["items"]}


def shown(anybody: httpx.Client, address: str) -> str:
    """The page at this address, which is there."""
    answer = anybody.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), address
    return answer.text


def test_the_link_of_a_notification_leads_to_its_page(
    anybody: httpx.Client, sent: dict[tuple[str, str], str]
) -> None:
    """Of a claim and of an incident; with nothing that is markup, private or secret."""
    claim, incident = shown(anybody, sent[CLAIM]), shown(anybody, sent[INCIDENT])

    assert "ground failure on spot E1&lt;script&gt;alert(1)&lt;/script&gt;" in claim
    assert "<td>notified ops</td>" in claim
    assert "power failure in zone north" in incident
    assert [word in claim for word in ("<script>", WRITTEN, "a-secret-path")] == [False] * 3


def test_pages_lead_to_each_other(anybody: httpx.Client, sent: dict[tuple[str, str], str]) -> None:
    """From the table to every claim and incident, from an incident to its claims and back."""
    start, ways = f"{anybody.base_url}/", {}
    todo = [start]
    while todo:
        here = todo.pop()
        ways[here] = {urljoin(here, link) for link in re.findall(r'href="([^"]*)"', shown(anybody, here))}
        todo += sorted(ways[here] - set(ways) - set(todo))

    incident = sent[INCIDENT]
    members = {page for page in ways if "/claims/" in page} - {sent[CLAIM]}
    assert ways[start] == {sent[CLAIM], incident, *members}
    assert len(members) == 3
    assert ways[incident] == {start, *members}
    assert all(ways[page] == {start, incident} for page in members)


def test_its_history_says_what_people_did_and_not_what_they_wrote(
    anybody: httpx.Client, api: Api, sent: dict[tuple[str, str], str]
) -> None:
    """By whom and as what; notes are for those who decide."""
    link = sent[CLAIM]
    assert api.decide(link[-36:], "approve", "reviewer", note=WRITTEN).status_code == 200
    incident_id = sent[INCIDENT][-36:]
    assert api.post(f"incidents/{incident_id}/root-cause", {"root_cause": "a fuse"}).status_code == 200
    assert api.post(f"incidents/{incident_id}/closing", {"note": WRITTEN}).status_code == 200

    claim, incident = shown(anybody, link), shown(anybody, sent[INCIDENT])

    assert "<td>reviewer&#39;s program</td><td>stage passed as reviewer</td>" in claim
    assert "<dd>a fuse</dd>" in incident
    assert "<td>operator&#39;s program</td><td>the incident is over: person</td>" in incident
    assert WRITTEN not in claim + incident


@pytest.mark.parametrize("name", [NOWHERE, "nonsense", "%00%00%00%00%00%00", "%25%25%25%25%25%25", "%3Cscript%3E"])
@pytest.mark.parametrize("kind", ["claims", "incidents"])
def test_what_is_not_there_is_a_page_too(anybody: httpx.Client, kind: str, name: str) -> None:
    """For people, and in the style of the others."""
    answer = anybody.get(f"/{kind}/{name}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Not found" in answer.text
    assert "<style>" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/", f"/claims/{NOWHERE}", f"/incidents/{NOWHERE}"])
def test_beyond_this_machine_a_token_is_the_password(
    system: App, anybody: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """On all pages, whether or not there is something to see."""
    monkeypatch.setattr("ingest.api.app._is_loopback", lambda _host: False)

    refused = anybody.get(path, auth=("anybody", "wrong"))

    demand_problem(refused, 401, "password")
    assert refused.headers["www-authenticate"] == "Basic"
    assert anybody.get(path).status_code == 401
    assert anybody.get(path, auth=("anybody", "token of auditor")).status_code in (200, 404)
