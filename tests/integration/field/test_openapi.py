"""Whatever somebody sends, by the document or against it: no internal error, and no answer that is not in it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import ComponentInfo
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ingest.api.app import create_app
from tests.integration.door import Api, as_role
from workers.bootstrap.app import App

EXAMPLES = int(os.environ.get("SPOTCLAIM_API_EXAMPLES", "5"))
FAULT = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
# What these say of a sound request depends on what was asked before, of the same key, of the same message; or on
# what no schema can say of a URL.
REMEMBERS = (
    *("/api/v1/faults", "/api/v1/usage-records", "/api/v1/quarantine/{key}/replay"),
    "/api/v1/destinations/{name}",
)
WRONG = ComponentInfo(mode=GenerationMode.NEGATIVE)
DOCUMENT = create_app(MagicMock()).openapi()

# For whoever may do everything. As a parameter it also gives each operation's test an id of its own: since pytest
# 9.2 the plugin's label is no part of it, and of tests with one id only one is run in parallel.
BY_ROLE = pytest.mark.parametrize("role", ["admin"])

# A stream never ends.
described = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/api/v1/stream")


@pytest.fixture
def address(api: Api, system: App) -> Iterator[str]:
    """Of the whole system, which has a claim and a message in quarantine."""
    api.post("faults", [FAULT, {}])
    return f"http://{system.settings.host}:{system.settings.port}"


SOUND = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
)


def leave_framing_alone(case: Any) -> None:
    """Where a request ends is for the server to find out, which answers for itself before the API hears of it."""
    for name in [name for name in case.headers if name.lower() in ("content-length", "transfer-encoding")]:
        del case.headers[name]


@pytest.fixture
def there(api: Api, address: str) -> dict[str, str]:
    """The ids of what the addresses can name."""
    claim, message = api.get("claims").json()["claims"][0], api.get("quarantine").json()["quarantine"][0]
    note = api.post(f"claims/{claim['id']}/evidence", {"kind": "note", "note": "seen"}).json()
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    silence = api.post("silences", {"why": "a test", "until": until, "zones": ["x"]}).json()
    names = {"claim_id": claim["id"], "key": message["key"], "item_id": note["id"]}
    return names | {"silence_id": silence["id"], "name": "ops"}


@described.include(path_regex=r"\{").parametrize()
@BY_ROLE
@settings(max_examples=5 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_about_what_is_there_is_as_described(
    case: Any, address: str, there: dict[str, str], role: str
) -> None:
    """In whatever state the requests before have left it."""
    leave_framing_alone(case)
    case.path_parameters |= {name: id_ for name, id_ in there.items() if name in case.path_parameters}
    case.call_and_validate(base_url=address, headers=as_role(role), checks=SOUND)


@described.parametrize()
@BY_ROLE
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, address: str, role: str) -> None:
    """Whether it follows the document or not."""
    leave_framing_alone(case)
    excluded = [positive_data_acceptance] if case.operation.path in REMEMBERS else []
    if case.meta.components.get(ParameterLocation.HEADER) == WRONG:
        # It came without a token, or with a wrong one, and is sent with a right one.
        excluded.append(negative_data_rejection)
    response = case.call(base_url=address, headers=as_role(role))
    if refused_by_item(response):
        excluded.append(negative_data_rejection)
    case.validate_response(response, excluded_checks=excluded)


def refused_by_item(response: Any) -> bool:
    """Checks whether a list was accepted but for the items that the answer refuses, each with its problem."""
    if response.status_code != 202:
        return False
    return any(item.get("status") == "refused" for item in response.json().get("items", ()))


def test_the_document_is_the_one_that_is_served(anybody: httpx.Client) -> None:
    """It does not depend on what is inside."""
    assert anybody.get("/openapi.json").json() == DOCUMENT
