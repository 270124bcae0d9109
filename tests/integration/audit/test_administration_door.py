"""Administrative acts over HTTP: auditors and administrators read who changed what."""

from datetime import timedelta

import pytest

from tests.integration.door import NOW, Api, demand_problem


def test_who_acts_over_http_is_on_record(api: Api) -> None:
    """A delegation that an administrator ends is ended by the administrator, and not by who gave it."""
    lending = {"to": "manager's program", "until": (NOW + timedelta(days=1)).isoformat()}
    given = api.post("delegations", lending, "reviewer")
    assert given.status_code == 201
    assert api.delete(f"delegations/{given.json()['id']}", "admin").status_code == 200

    acts = api.get("administration", "auditor").json()["acts"]

    said = [(act["actor"], act["sentence"]) for act in acts if "delegation" in act["kind"]]
    lent = "the authority of the reviewer reviewer's program to manager's program"
    assert sorted(said) == [
        ("admin's program", f"ended the loan of {lent}"),
        ("reviewer's program", f"lent {lent} until {NOW + timedelta(days=1):%Y-%m-%d %H:%M} UTC"),
    ]
    [ended] = api.get("administration", "admin", kind="administration.delegation_ended").json()["acts"]
    assert ended["actor"] == "admin's program"
    assert api.get("administration", "admin", since="2099-01-01T00:00:00Z").json() == {"acts": []}
    assert len(api.get("administration", "admin", limit=1).json()["acts"]) == 1


@pytest.mark.parametrize("role", ["operator", "reviewer", "manager"])
def test_others_do_not_read_it(api: Api, role: str) -> None:
    """It names people and what they may."""
    demand_problem(api.get("administration", role), 403, "reads no administrative acts")


@pytest.mark.parametrize(
    "since", ["3915-11-05T15:59:12-17:13", "9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+09:00"]
)
def test_any_offset_is_a_time(api: Api, since: str) -> None:
    """Also one that no database takes, or that leads out of the calendar."""
    assert api.get("administration", "admin", since=since).status_code == 200


def test_what_is_no_kind_or_moment_is_refused(api: Api) -> None:
    """In the words of the API."""
    assert api.get("administration", "admin", kind="claim.opened").status_code == 422
    assert api.get("administration", "admin", since=str(NOW.date())).status_code == 422
