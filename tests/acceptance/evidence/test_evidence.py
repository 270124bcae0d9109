"""Evidence through the HTTP door of a running `up`, and by the command line beside it."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.claims.test_api import problem
from tests.acceptance.embedded import Up, await_routed_and_announced
from tests.acceptance.messages import fault
from tests.builders import a_png
from tests.servers import temporary_folder

REGISTER = {"register": 18234.5, "unit": "kWh", "time": "2026-03-10T11:00:00+01:00"}
READING = {"kind": "meter_reading", "data": REGISTER, "note": "read on site"}
LIMIT = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One installation for all tests of this file; each keeps to spots of its own."""
    with temporary_folder() as folder:
        up = Up(folder)
        try:
            up.start().close()
            for role in ("operator", "auditor"):
                up.add_token(f"the-{role}", role, f"token-of-the-{role}")
            yield up
        finally:
            up.end()


@pytest.fixture
def api(up: Up) -> Iterator[httpx.Client]:
    """A client with the token of an operator."""
    with up.client("token-of-the-operator") as client:
        yield client


def a_claim_of(api: httpx.Client, spot_id: str, **data: Any) -> str:
    """The address of the evidence of a claim that is under review."""
    answer = api.post("/api/v1/faults", json=fault("evidence", 1, spot_id, **data)["data"])
    assert answer.status_code == 202, answer.text
    return f"/api/v1/claims/{await_routed_and_announced(api, spot_id)['id']}/evidence"


def photo(content: bytes, name: str = "meter.png", media_type: str | None = "image/png") -> dict[str, Any]:
    """The parts of a form with a photo."""
    return {"files": {"file": (name, content, media_type)}, "data": {"kind": "photo"}}


def test_items_and_files_are_filed_and_listed(api: httpx.Client) -> None:
    """With what came with the fault, who added each, what is missing, and the digest of what was filed."""
    place = a_claim_of(api, "FILED*1", evidence=[{"kind": "session", "session_id": "s-1"}])

    reading = api.post(place, json=READING)
    picture = api.post(place, **photo(a_png()) | {"data": {"kind": "photo", "note": "the display"}})

    assert (reading.status_code, picture.status_code) == (201, 201), picture.text
    assert picture.json()["file"] == {
        "name": "meter.png",
        "media_type": "image/png",
        "size": len(a_png()),
        "sha256": sha256(a_png()).hexdigest(),
    }
    listed = api.get(place).json()
    assert listed["items"][:2] == [reading.json(), picture.json()]
    assert [(item["kind"], item["source"], item["added_by"]) for item in listed["items"]] == [
        ("meter_reading", "filed", "the-operator"),
        ("photo", "filed", "the-operator"),
        ("session", "fault", "the-operator"),
    ]
    assert listed["items"][2]["data"] == {"session_id": "s-1"}
    assert (listed["missing"], len(listed["digest"])) == ([], 64)
    claim = api.get(place.removesuffix("/evidence")).json()
    assert claim["evidence_digest"] == listed["digest"]
    events = api.get(place.removesuffix("/evidence") + "/events").json()
    assert [event["kind"] for event in events["events"]][-2:] == ["claim.evidence_added"] * 2
    assert events["intact"]


@pytest.mark.parametrize(
    ("kind", "data", "pointer"),
    [
        ("meter_reading", None, "/data/register"),
        ("meter_reading", {"x": "lol"}, "/data/register"),
        ("meter_reading", REGISTER | {"register": -1}, "/data/register"),
        ("meter_reading", REGISTER | {"time": "2026-03-10T11:00:00"}, "/data/time"),
        ("reservation_response", {"status": "Rejected"}, "/data/time"),
        ("session", {}, "/data/session_id"),
        ("photo", {"url": "http://example.org/1", "sha256": "ab" * 32}, "/data/url"),
        ("document", {"url": "https://example.org/1"}, "/data/sha256"),
        ("note", {"text": "x"}, "/note"),
    ],
)
def test_what_holds_nothing_is_no_evidence(api: httpx.Client, kind: str, data: Any, pointer: str) -> None:
    """The problem names the field, and nothing is on file."""
    place = a_claim_of(api, f"NOTHING*{kind}{pointer}"[:64])

    refused = problem(api.post(place, json={"kind": kind, "data": data}), 422)

    assert (refused.get("pointer", refused), pointer.rsplit("/", 1)[-1] in refused["detail"]) == (pointer, True)
    assert api.get(place).json()["items"] == []


def test_a_fault_without_its_evidence_is_in_quarantine(up: Up, api: httpx.Client) -> None:
    """Nothing is lost: the problem points at the piece, and the message waits to be mended."""
    said = {**fault("empty", 1, "EMPTY*1")["data"], "evidence": [{"kind": "photo"}, {"kind": "meter_reading"}]}

    answer = api.post("/api/v1/faults", json=[said])

    [item] = answer.json()["items"]
    assert (answer.status_code, item["problem"]["pointer"]) == (422, "/0/evidence/0/url")
    with up.client("a-token-for-tests") as admin:
        kept = admin.get("/api/v1/quarantine").json()["quarantine"]
    assert ["data.evidence.0" in row["sentence"] for row in kept if row["reason"] == "MISSING_FIELD"] == [True]


def test_the_same_item_sent_again_is_one(api: httpx.Client) -> None:
    """A program that lost its answer gets it again."""
    place = a_claim_of(api, "AGAIN*1")

    first, again = (api.post(place, **photo(a_png(b"again"))) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(api.get(place).json()["items"]) == 1


def test_a_file_comes_back_as_it_was_sent(api: httpx.Client) -> None:
    """To be saved, never shown: whatever it is, it does not act in the console's name."""
    place = a_claim_of(api, "BACK*1")
    item = api.post(place, **photo(a_png(), "a Zähler' %41.png")).json()

    answer = api.get(f"{place}/{item['id']}/file")

    assert answer.content == a_png()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"a Z_hler' _41.png\"; filename*=UTF-8''a%20Z%C3%A4hler%27%20%2541.png"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_the_limit_is_ten_mebibytes(api: httpx.Client) -> None:
    """Exactly that is taken; one byte more, and a body that has no end, are not."""
    place = a_claim_of(api, "LARGE*1")
    largest = a_png() + bytes(LIMIT - len(a_png()))

    item = api.post(place, **photo(largest))
    assert item.status_code == 201, item.text
    assert api.get(f"{place}/{item.json()['id']}/file").content == largest

    assert "10,485,761 bytes" in str(problem(api.post(place, **photo(largest + b"x")), 413)["detail"])
    problem(api.post(place, **photo(largest * 2)), 413)
    problem(api.post(place, json={"kind": "note", "note": "x" * 70_000}), 413)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    opening = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    endless = (opening + b"x" * 65536 if part == 0 else b"x" * 65536 for part in range(1000))
    problem(api.post(place, content=endless, headers=headers), 413)
    assert len(api.get(place).json()["items"]) == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../x", "x.png"),
        ("..\\..\\windows\\x.png", "x.png"),
        ("a\r\nSet-Cookie: stolen.png", "a%0D%0ASet-Cookie stolen.png"),
        ("gnp.\u202etxt.exe", "gnp.txt.exe.png"),
        ("صورة.png", "صورة.png"),
        ("x" * 2000 + ".png", "x" * 120 + ".png"),
        ("<script>.png", "script.png"),
        (".", "file.png"),
    ],
)
def test_hostile_names(api: httpx.Client, name: str, kept: str) -> None:
    """They lead nowhere, break no header, and show as they are."""
    place = a_claim_of(api, f"NAMES*{sha256(name.encode()).hexdigest()[:8]}")

    item = api.post(place, **photo(a_png(), name)).raise_for_status().json()

    assert item["file"]["name"] == kept
    answer = api.get(f"{place}/{item['id']}/file").raise_for_status()
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.png", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg", "image/svg+xml"),
        (b"<!doctype html><script>alert(1)</script>", "a.png", "image/png"),
        (b"<!doctype html><script>alert(1)</script>", "a.txt", "text/plain"),
        (a_png(), "a.jpg", "image/jpeg"),
        (b"PK\x03\x04" + bytes(60), "a.zip", "application/zip"),
        (b"MZ" + bytes(60), "a.exe", "application/octet-stream"),
    ],
)
def test_disguises_are_refused(api: httpx.Client, content: bytes, name: str, declared: str) -> None:
    """The bytes tell what a file is, not the sender."""
    place = a_claim_of(api, "DISGUISE*1")

    problem(api.post(place, **photo(content, name, declared)), 415)

    assert api.get(place).json()["items"] == []


def test_what_cannot_be_evidence(api: httpx.Client) -> None:
    """Each with what is wrong, in a problem document."""
    place = a_claim_of(api, "WRONG*1")

    codes = {
        "UNKNOWN_KIND": {"kind": "rumour", "note": "x"},
        "FILE_MISSING": {"kind": "photo", "note": "x"},
        "NOTE_MISSING": {"kind": "note"},
        "MISSING_FIELD": {"kind": "session", "data": {}},
    }
    for code, body in codes.items():
        assert problem(api.post(place, json=body), 422)["code"] == code
    assert (
        problem(api.post(place, content=b'{"kind": "note", "note": "a\\u0000b"}'), 422)["code"] == "NUL_CHARACTER"
    )
    for body in ({"kind": "note", "note": 7}, {"note": "x"}, {"kind": "note", "note": "x", "file": "y"}, [], 7):
        problem(api.post(place, json=body), 422)
    problem(api.post(place, data={"kind": "photo"}, files={"picture": ("a.png", a_png())}), 422)
    problem(api.post(place, data={"kind": "photo", "a": "1", "b": "2"}, files={"file": ("a.png", a_png())}), 422)
    problem(api.post(place, content=b"nothing of the kind", headers={"Content-Type": "multipart/form-data"}), 422)
    problem(api.post(place, content=b"--b", headers={"Content-Type": "multipart/form-data; boundary=b"}), 422)
    problem(api.post(place, data={"kind": "note"}), 415)
    assert api.get(place).json()["items"] == []


def test_an_item_is_withdrawn(api: httpx.Client) -> None:
    """It stays in the list and its file can still be had; it is not withdrawn twice."""
    place = a_claim_of(api, "WITHDRAWN*1")
    item = api.post(place, **photo(a_png())).json()

    problem(api.post(f"{place}/{item['id']}/withdrawal", json={"reason": " "}), 422)
    answer = api.post(f"{place}/{item['id']}/withdrawal", json={"reason": "wrong spot"})

    assert answer.raise_for_status().json()["withdrawn_by"] == "the-operator"
    assert api.get(place).json()["items"] == [answer.json()]
    assert api.get(place).json()["digest"] == ""
    assert api.get(f"{place}/{item['id']}/file").content == a_png()
    problem(api.post(f"{place}/{item['id']}/withdrawal", json={"reason": "wrong spot"}), 409)


def test_auditors_and_strangers(up: Up, api: httpx.Client) -> None:
    """Auditors read everything and add nothing; strangers do neither."""
    place = a_claim_of(api, "ROLES*1")
    item = api.post(place, **photo(a_png())).json()
    reason = {"reason": "x"}

    with up.client("token-of-the-auditor") as auditor:
        assert len(auditor.get(place).json()["items"]) == 1
        assert auditor.get(f"{place}/{item['id']}/file").status_code == 200
        problem(auditor.post(place, json=READING), 403)
        problem(auditor.post(f"{place}/{item['id']}/withdrawal", json=reason), 403)
    with up.client(None) as stranger:
        problem(stranger.get(place), 401)
        problem(stranger.get(f"{place}/{item['id']}/file"), 401)
        problem(stranger.post(place, json=READING), 401)
        problem(stranger.post(f"{place}/{item['id']}/withdrawal", json=reason), 401)


def test_what_is_not_there(api: httpx.Client) -> None:
    """A claim, an item, another claim's item, and an item without a file."""
    place, other = a_claim_of(api, "NOT*1"), a_claim_of(api, "NOT*2")
    reading = api.post(place, json=READING).json()

    for path in ("00000000-0000-7000-8000-000000000000", "x", "%00", "..%2F..", reading["id"]):
        problem(api.get(f"{place}/{path}/file"), 404)
    problem(api.post(f"{other}/{reading['id']}/withdrawal", json={"reason": "x"}), 404)
    problem(api.get("/api/v1/claims/unknown/evidence"), 404)
    problem(api.post("/api/v1/claims/unknown/evidence", json=READING), 404)


def test_a_closed_claim_takes_nothing(up: Up, api: httpx.Client) -> None:
    """That is a conflict."""
    place = a_claim_of(api, "CLOSED*1")
    with up.client("a-token-for-tests") as admin:
        claim = admin.get(place.removesuffix("/evidence")).json()
        said = {"decision": "reject", "version": claim["version"], "note": "no fault found"}
        admin.post(place.replace("/evidence", "/decisions"), json=said).raise_for_status()

    problem(api.post(place, json=READING), 409)
    problem(api.post(place, **photo(a_png())), 409)


def test_the_command_line_beside_a_running_up(up: Up, api: httpx.Client, tmp_path: Path) -> None:
    """A note and a file are added, listed with what came with the fault, and shown in the claim's story."""
    place = a_claim_of(api, "CLI*1", evidence=[{"kind": "session", "session_id": "\x1b[31mred"}])
    claim_id = place.split("/")[-2]
    picture = tmp_path / "meter [bold] 7.png"
    picture.write_bytes(a_png())

    note = up.succeed("evidence", "add", claim_id[-8:], "--kind", "note", "--note", "[red]seen[/red]")
    reading = json.dumps(REGISTER)
    up.succeed("evidence", "add", claim_id, "--kind", "meter_reading", "--content", reading)
    filed = up.succeed("evidence", "add", claim_id, "--kind", "photo", "--file", picture, "--json")
    again = up.succeed("evidence", "add", claim_id, "--kind", "photo", "--file", picture)

    assert re.search(r"note [0-9a-f-]{36} added\.", note.output)
    assert filed.json["added_by"].startswith("cli:")
    assert "was on file already" in again.output
    listed = up.succeed("evidence", "list", claim_id).output
    assert "[red]seen[/red]" in listed
    assert "meter [bold] 7.png (image/png" in listed
    assert "4 items; nothing is missing" in listed
    assert "\x1b" not in listed
    assert up.succeed("evidence", "list", claim_id, "--json").json == api.get(place).json()
    assert "added evidence: photo (image/png" in up.succeed("claim", claim_id).output


def test_the_command_line_says_what_is_wrong(up: Up, api: httpx.Client, tmp_path: Path) -> None:
    """In one line, with exit code 1; wrong usage is 2."""
    claim_id = a_claim_of(api, "CLI*2").split("/")[-2]
    page, large = tmp_path / "page.png", tmp_path / "large.png"
    page.write_bytes(b"<html>")
    large.write_bytes(bytes(LIMIT + 1))

    for arguments, word in (
        ([claim_id, "--kind", "photo", "--file", page], "of no type that is taken"),
        ([claim_id, "--kind", "photo", "--file", large], "10,485,761 bytes"),
        ([claim_id, "--kind", "rumour", "--note", "x"], "There is no kind"),
        ([claim_id, "--kind", "meter_reading", "--note", "x"], "A meter reading needs `register`"),
        ([claim_id, "--kind", "meter_reading", "--content", '{"x": "lol"}'], "A meter reading needs `register`"),
        ([claim_id, "--kind", "session", "--content", "5"], "must be a JSON object"),
        ([claim_id, "--kind", "session", "--content", "{"], "--content: "),
        (["ffffffff", "--kind", "note", "--note", "x"], "No claim is called"),
    ):
        answer = up.command("evidence", "add", *arguments)
        assert (answer.code, answer.errors.count("\n")) == (1, 1), answer
        assert word in answer.errors
    assert up.command("evidence", "add", claim_id, "--kind", "photo", "--file", tmp_path / "none").code == 2
    assert up.command("evidence", "add", claim_id).code == 2
