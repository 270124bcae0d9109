"""Notifications over HTTP: what failed is sent again, some things are silenced, destinations are kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.postgres.store import PostgresStore
from domain.changes import Changes
from domain.notifications.delivery import Delivery
from domain.steps import INCIDENT
from tests.builders import a_delivery
from tests.integration.door import NOW, Api, demand_problem
from tests.integration.parts import PATIENCE_SECONDS
from tests.servers.waiting import wait_until
from workers.bootstrap.app import App

SECRET = "hunter2-hunter2"
NOBODY = "00000000-0000-7000-8000-000000000001"
CHANGERS = ("operator", "reviewer", "manager", "admin")


def on_record(system: App, **changes: Any) -> Delivery:
    delivery = a_delivery(event="incident.opened", subject_kind=INCIDENT, **changes)
    with PostgresStore(system.foundation.engine).transaction() as transaction:
        transaction.record(Changes(delivery))
    return delivery


def a_wish(**changes: Any) -> dict[str, Any]:
    until = (datetime.now(UTC) + timedelta(hours=4)).isoformat()
    return {"why": "works on the transformer", "until": until, "zones": ["harbour"]} | changes


def refused_changes(api: Api, path: str, body: Any) -> list[int]:
    return [api.post(path, body, role).status_code for role in ("auditor", "nobody")]


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_what_came_to_nothing_is_sent_again(system: App, api: Api, status: str) -> None:
    """By its whole id or the end of it, once; what is on its way or has arrived is a conflict."""
    delivery = on_record(system, status=status, attempts=8, answer="500")

    answer = api.post(f"deliveries/{delivery.id[-8:]}/resend", None)

    assert (answer.status_code, answer.json()["id"]) == (200, delivery.id)
    assert wait_until(lambda: api.get("deliveries", status="sent").json()["deliveries"] != [], PATIENCE_SECONDS)
    demand_problem(api.post(f"deliveries/{delivery.id}/resend", None), 409, "is sent; what failed or is unknown")


def test_who_only_looks_sends_nothing_again(system: App, api: Api) -> None:
    """Nor does anybody what is not there."""
    delivery = on_record(system, status="failed")

    assert refused_changes(api, f"deliveries/{delivery.id}/resend", None) == [403, 401]
    for unknown in (NOBODY, "x", "%00"):
        demand_problem(api.post(f"deliveries/{unknown}/resend", None), 404)
    assert [row["status"] for row in api.get("deliveries", "auditor").json()["deliveries"]] == ["failed"]


@pytest.mark.parametrize("role", CHANGERS)
def test_a_silence_is_made_shown_and_ended(api: Api, role: str) -> None:
    """Who, why and until when; it stays on record."""
    made = api.post("silences", a_wish(codes=["OTHER"]), role)

    assert made.status_code == 201
    silence = made.json()
    assert (silence["created_by"], silence["why"]) == (f"{role}'s program", "works on the transformer")
    assert (silence["zones"], silence["codes"], silence["severities"]) == (["harbour"], ["OTHER"], [])
    assert api.get("silences", "auditor").json()["silences"] == [silence]
    ended = api.delete(f"silences/{silence['id'][-8:]}", role).json()
    assert (ended["id"], ended["ended_by"]) == (silence["id"], f"{role}'s program")
    assert api.get("silences").json()["silences"] == []
    assert api.get("silences", ended=True).json()["silences"] == [ended]
    demand_problem(api.delete(f"silences/{silence['id']}"), 404)


def test_a_silence_is_heeded(api: Api) -> None:
    """What it covers is logged, with who said so, and not sent."""
    api.post("silences", a_wish(zones=[], everything=True))
    fault = {"spot_id": "E1", "error": {"taxonomy": "spotclaim", "code": "GROUND_FAILURE"}}
    api.post("faults", fault | {"occurred_at": NOW.isoformat()})

    assert wait_until(lambda: api.get("deliveries").json()["deliveries"] != [], PATIENCE_SECONDS)
    [delivery] = api.get("deliveries").json()["deliveries"]
    assert delivery["status"] == "silenced"
    assert "silenced by operator's program until" in delivery["answer"]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"zones": []}, 409, "or everything"),
        ({"until": "2020-01-01T00:00:00Z"}, 409, "ends after it begins"),
        ({"until": "2999-01-01T00:00:00Z"}, 409, "within 366 days"),
        ({"until": "2026-01-01T00:00:00"}, 422, "until"),
        ({"from": "2998-01-01T00:00:00Z"}, 409, "ends after it begins"),
        ({"why": " "}, 422, "why"),
        ({"codes": ["E42"]}, 422, "there is no code 'E42'"),
        ({"severities": ["mild"]}, 422, "there is no severity 'mild'"),
        ({"claim_types": ["x"]}, 422, "there is no claim type 'x'"),
        ({"zones": ["a\0b"]}, 422, "U+0000"),
        ({"destinations": ["nobody"]}, 404, "no destination nobody"),
        ({"zone": "north"}, 422, "zone"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(
    api: Api, changes: dict[str, Any], status: int, words: str
) -> None:
    """And nothing is silenced."""
    demand_problem(api.post("silences", a_wish(**changes)), status, words)

    assert api.get("silences", ended=True).json()["silences"] == []


def test_who_only_looks_silences_nothing(api: Api) -> None:
    """Nor ends what others have silenced."""
    silence = api.post("silences", a_wish()).json()

    assert refused_changes(api, "silences", a_wish()) == [403, 401]
    demand_problem(api.delete(f"silences/{silence['id']}", "auditor"), 403)
    for unknown in (NOBODY, "x", "%00"):
        demand_problem(api.delete(f"silences/{unknown}"), 404)
    assert api.get("silences").json()["silences"] == [silence]


def test_destinations_are_kept_by_admins(system: App, api: Api) -> None:
    """Added, given another URL, removed; whatever is answered shows no part of it but the schema."""
    [default] = api.get("destinations").json()["destinations"]
    added = api.put("destinations/night desk", {"url": f"mailtos://me:{SECRET}@example.org"})
    changed = api.put("destinations/night desk", {"url": f"json://me:{SECRET}@example.org/{SECRET}"})
    listed = api.get("destinations", "auditor")
    removed = api.delete("destinations/night desk", "admin")

    assert (default["name"], default["schema"], default["added_by"]) == ("ops", "log", "default")
    assert (added.status_code, added.json()["schema"], changed.json()["schema"]) == (200, "mailtos", "json")
    assert changed.json() == listed.json()["destinations"][1]
    assert changed.json()["added_by"] == "admin's program"
    assert removed.json() == {"name": "night desk", "named_by_policy": False}
    assert api.get("destinations").json()["destinations"] == [default]
    for answer in (added, changed, listed, removed):
        assert SECRET not in answer.text
        assert "example.org" not in answer.text
    demand_problem(api.delete("destinations/night desk", "admin"), 404, "no destination night desk")


@pytest.mark.parametrize(
    "body", [{"url": f"pigeon://{SECRET}"}, {"url": f"slack://{SECRET}"}, {"url": [SECRET]}, {"uri": SECRET}, {}]
)
def test_a_destination_that_cannot_be_used_is_refused(api: Api, body: dict[str, Any]) -> None:
    """At once, and without its secrets."""
    answer = api.put("destinations/night", body)

    demand_problem(answer, 422)
    assert SECRET not in answer.text
    assert len(api.get("destinations").json()["destinations"]) == 1
    demand_problem(api.put("destinations/" + "n" * 65, {"url": "log://"}), 422)
    demand_problem(api.put("destinations/%07", {"url": "log://"}), 422, "printable")


def test_the_policy_is_mentioned_when_it_names_what_is_removed(api: Api) -> None:
    """Nothing would start until it is there again, or unnamed."""
    api.put("destinations/ops", {"url": "log://"})

    assert api.delete("destinations/ops", "admin").json() == {"name": "ops", "named_by_policy": True}


def test_a_destination_is_tried_out(system: App, api: Api) -> None:
    """The answer says what came of it; one that is not there is not found."""
    answer = api.post("destinations/ops/test", None, "admin")

    assert answer.json() == {"destination": "ops", "status": "sent", "answer": "delivered"}
    demand_problem(api.post("destinations/nobody/test", None, "admin"), 404, "nobody")


@pytest.mark.parametrize("role", ["operator", "reviewer", "manager", "auditor"])
def test_nobody_else_keeps_destinations(api: Api, role: str) -> None:
    """They see which there are."""
    demand_problem(api.put("destinations/night", {"url": "log://"}, role), 403, role)
    demand_problem(api.delete("destinations/ops", role), 403, role)
    demand_problem(api.post("destinations/ops/test", None, role), 403, role)
    assert [row["name"] for row in api.get("destinations", role).json()["destinations"]] == ["ops"]
