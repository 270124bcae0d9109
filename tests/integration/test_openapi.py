"""Whatever somebody sends, by the document or against it: no internal error, and no answer that is not in it."""

import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from ingest.api import create_app
from tests.integration.door import Api, as_role
from workers.bootstrap import App

EXAMPLES = int(os.environ.get("SPOTCLAIM_API_EXAMPLES", "5"))
FAULT = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
# What these say of a sound request depends on what was asked before: of the same key, of the same message.
REMEMBERS = ("/api/v1/faults", "/api/v1/usage-records", "/api/v1/quarantine/{key}/replay")
DOCUMENT = create_app(MagicMock()).openapi()

# A stream never ends.
described = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/api/v1/stream")


@pytest.fixture
def address(api: Api, system: App) -> Iterator[str]:
    """Of the whole system, which has a claim and a message in quarantine."""
    api.post("faults", [FAULT, {}])
    return f"http://{system.settings.host}:{system.settings.port}"


@described.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, address: str) -> None:
    """For whoever may do everything."""
    excluded = [positive_data_acceptance] if case.operation.path in REMEMBERS else []
    case.call_and_validate(base_url=address, headers=as_role("admin"), excluded_checks=excluded)


def test_the_document_is_the_one_that_is_served(anybody: httpx.Client) -> None:
    """It does not depend on what is inside."""
    assert anybody.get("/openapi.json").json() == DOCUMENT
