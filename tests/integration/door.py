"""The HTTP door of the whole system, and somebody at it."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.policy.presets import Preset, preset_text
from tests.integration.parts import PATIENCE_SECONDS, Clock, Everyone
from tests.servers.loopback import HOST, free_port, listening
from tests.servers.waiting import wait_until
from workers.bootstrap.app import App, build
from workers.roles import up
from workers.settings import load_settings

# Not in the past: the database's clock decides when a claim's clock is read, and its claims are opened now.
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def system(
    request: pytest.FixtureRequest, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    """Everything in one process, serving HTTP, by the lenient policy unless a module asks for another preset.

    Its clock stands still, so nothing may be late.
    """
    preset = getattr(request, "param", Preset.LENIENT)
    policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
    policy.write_text(re.sub(r", stage_hours: \d+", "", preset_text(preset)))
    with ExitStack() as stack:
        settings = load_settings(database_url=module_database_url, host=HOST, port=free_port(), policy=policy)
        app = build(settings, stack, clock=Clock(NOW), notifier=Everyone())
        stack.enter_context(running(app))
        yield app


@contextmanager
def running(app: App) -> Iterator[None]:
    thread = threading.Thread(target=up.run, args=[app], kwargs={"with_demo": False})
    thread.start()
    try:
        assert wait_until(lambda: listening(app.settings.port), PATIENCE_SECONDS)
        yield
    finally:
        app.stopping.set()
        thread.join(2 * PATIENCE_SECONDS)
        assert not thread.is_alive()


@pytest.fixture
def anybody(system: App, emptied_database_url: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    for role in ("operator", "reviewer", "manager", "auditor", "admin"):
        system.people.tokens.put(f"{role}'s program", role, f"token of {role}")
    with httpx.Client(
        base_url=f"http://{HOST}:{system.settings.port}", trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        yield client
    # What one test leaves pending must not be done in the next one's time.
    assert wait_until(lambda: system.work.steps.due() == 0, PATIENCE_SECONDS)


class Api:
    """Asks with a token of the role that is named."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, role: str = "operator", **parameters: Any) -> httpx.Response:
        return self._client.get(f"/api/v1/{path}", params=parameters, headers=as_role(role))

    def post(self, path: str, body: Any, role: str = "operator") -> httpx.Response:
        return self._client.post(f"/api/v1/{path}", json=body, headers=as_role(role))

    def put(self, path: str, body: Any, role: str = "admin") -> httpx.Response:
        return self._client.put(f"/api/v1/{path}", json=body, headers=as_role(role))

    def delete(self, path: str, role: str = "operator") -> httpx.Response:
        return self._client.delete(f"/api/v1/{path}", headers=as_role(role))

    def decide(self, claim_id: str, decision: str, role: str, **more: Any) -> httpx.Response:
        """By somebody who has just looked at the claim, unless a version is given."""
        seen = {"version": self.get(f"claims/{claim_id}").json().get("version", 1)}
        return self.post(f"claims/{claim_id}/decisions", {"decision": decision, **seen, **more}, role)

    def events(self, claim_id: str) -> list[dict[str, Any]]:
        return list(self.get(f"claims/{claim_id}/events").json()["events"])


def as_role(role: str) -> dict[str, str]:
    """The headers of a program with that role."""
    return {"Authorization": f"Bearer token of {role}"}


@pytest.fixture
def api(anybody: httpx.Client) -> Api:
    return Api(anybody)


def demand_problem(answer: httpx.Response, status: int, words: str = "") -> None:
    """RFC 9457: every refusal says what, in one form."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert words in answer.json()["detail"]
