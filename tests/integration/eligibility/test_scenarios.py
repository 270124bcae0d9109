"""What claims come to through the API: the scenarios of `tests/samples/verdicts.json`, in both orders.

`SPOTCLAIM_SCENARIOS` names other files of the same form.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from adapters.policy.presets import Preset
from tests.integration.door import Api
from tests.integration.parts import PATIENCE_SECONDS
from tests.servers.waiting import wait_until
from workers.bootstrap.app import App

WARRANTY = {"warranty_until": "2036-12-31"}
SAMPLES = Path(__file__).parents[2] / "samples" / "verdicts.json"
SCENARIOS = json.loads(Path(os.environ.get("SPOTCLAIM_SCENARIOS", SAMPLES)).read_text())


def faults_of(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    return [scenario["fault"]] if "fault" in scenario else scenario["faults"]


# The default policy believes no spot without a warranty; the lenient one believes every spot.
@pytest.mark.parametrize(
    ("system", "known"),
    [(Preset.STRICT, WARRANTY), (Preset.LENIENT, {})],
    indirect=["system"],
    ids=["strict", "lenient"],
)
@pytest.mark.parametrize("records_first", [True, False], ids=["records first", "fault first"])
def test_every_scenario_comes_out_right(
    api: Api, system: App, known: dict[str, Any], *, records_first: bool
) -> None:
    """By the records that decide, and by no others."""
    spots = [registration(one["id"], **known) for one in SCENARIOS]
    usage = [{"spot_id": one["id"]} | record for one in SCENARIOS for record in one["usage"]]
    faults = [{"spot_id": one["id"]} | fault for one in SCENARIOS for fault in faults_of(one)]
    doors = [("usage-records", spots), ("usage-records", usage), ("faults", faults)]
    for path, bodies in doors if records_first else reversed(doors):
        answer = api.post(path, bodies)
        assert answer.json()["accepted"] == len(bodies), answer.text
        assert wait_until(lambda: system.work.steps.due() == 0, PATIENCE_SECONDS)

    found = {
        claim["spot_id"]: verdict(api, claim["id"]) for claim in api.get("claims", limit=200).json()["claims"]
    }

    wrong = [
        (one["id"], one["what"], one["expected"], found.get(one["id"]))
        for one in SCENARIOS
        if not comes_out(found.get(one["id"]), **one["expected"])
    ]
    assert not wrong, "\n".join(map(str, wrong))


def registration(spot_id: str, **known: Any) -> dict[str, Any]:
    data = {"spot_id": spot_id, "zone": "hz", "max_power_kw": 22, "time_zone": "UTC"} | known
    event = {"specversion": "1.0", "id": spot_id, "source": "registry", "type": "spotclaim.spot.registered.v1"}
    return event | {"data": data}


def verdict(api: Api, claim_id: str) -> dict[str, Any]:
    claim = api.get(f"claims/{claim_id}").json()
    return dict(claim["verdict"])


def comes_out(
    verdict: dict[str, Any] | None, outcome: list[str], names: str | None = None, never: list[str] | None = None
) -> bool:
    if verdict is None or verdict["outcome"] not in outcome:
        return False
    text = json.dumps(verdict["answers"])
    return (names is None or names in text) and not any(f'"{one}"' in text for one in never or ())
