"""`spotclaim up` with its embedded parts, in a data folder and on a port of its own."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from adapters.postgres.engine import connect
from adapters.postgres.people.tokens import Tokens
from tests.acceptance.installation import Answer, Process, await_that, command, settings, succeed
from tests.builders import a_policy_file
from tests.servers.waiting import PATIENCE_SECONDS

TOKEN = "a-token-for-tests"


class Up:
    """One installation in one process. Its data folder must lie where PostgreSQL's account may look."""

    def __init__(self, folder: Path, *options: str, token: str | None = TOKEN, **given: object) -> None:
        self.data = folder / "data"
        own = {"data": self.data, "port": 0} | ({"bootstrap_token": token} if token else {})
        if "policy" not in given:
            own["policy"] = a_policy_file(folder, incidents=False)
        self.given = settings(**own, **given)
        self.process = Process(folder / "up.log", self.given, "up", *options)

    def start(self) -> httpx.Client:
        """Starts it and returns a client of its API that holds the token."""
        self.process.start(until_it_says=" ready ")
        await_that("the line with the address", lambda: self.address is not None)
        return self.client(TOKEN)

    @property
    def address(self) -> str | None:
        found = re.search(r"console=(http://[\d.]+:\d+)\s", self.process.said)
        return found[1] if found else None

    def client(self, token: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=self.address or "", headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        )

    def command(self, *arguments: object) -> Answer:
        return command(self.given, *arguments)

    def succeed(self, *arguments: object) -> Answer:
        return succeed(self.given, *arguments)

    def postgres_processes(self) -> list[psutil.Process]:
        """Every process of PostgreSQL that works in the data folder."""
        folder = str(self.data / "postgres")
        return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == folder]

    def add_token(self, name: str, role: str, token: str) -> None:
        """Gives somebody a token, past any command."""
        place = (self.data / "postgres" / "postmaster.pid").read_text().splitlines()[4]
        engine = connect(f"postgresql://postgres@/postgres?host={place}")
        Tokens(engine).put(name, role, token)
        engine.dispose()

    def end(self) -> None:
        """Ends it and its PostgreSQL, however they are."""
        self.process.kill()
        await_that("PostgreSQL is gone", self._no_postgres_left)

    def _no_postgres_left(self) -> bool:
        left = self.postgres_processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return not left


def claims_of(api: httpx.Client, spot_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _get(api, "/api/v1/claims", spot_id=spot_id)["claims"]
    return found


def await_routed_and_announced(api: httpx.Client, spot_id: str) -> dict[str, Any]:
    """The only claim of the spot, once it is under review and announced."""

    def announced() -> bool:
        claims = claims_of(api, spot_id)
        return bool(claims) and claims[0]["status"] == "under_review" and _announced(api, claims[0])

    await_that(f"the claim of {spot_id} is under review and announced", announced)
    (claim,) = claims_of(api, spot_id)
    return claim


def _announced(api: httpx.Client, claim: dict[str, Any]) -> bool:
    """Whether its only message was sent, and its own record says so."""
    found = _get(api, "/api/v1/deliveries", claim_id=claim["id"])["deliveries"]
    events = _get(api, f"/api/v1/claims/{claim['id']}/events")["events"]
    announced = "claim.announced" in [event["kind"] for event in events]
    return announced and [delivery["status"] for delivery in found] == ["sent"]


def _get(api: httpx.Client, path: str, **query: str) -> Any:
    return api.get(path, params=query).raise_for_status().json()
