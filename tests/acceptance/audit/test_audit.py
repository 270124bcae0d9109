"""The audit as an operator and an auditor meet it: commands, files, exit codes."""

import json
import stat
from pathlib import Path

import psycopg2
import pytest

from domain.audit import merkle
from domain.audit.checkpoint import parse
from tests.acceptance.installation import command, settings, succeed
from tests.builders import a_message


@pytest.fixture
def given(database_url: str, tmp_path: Path) -> dict[str, str]:
    """An installation that took two faults in, both of which became claims."""
    environment = settings(database_url=database_url, data=tmp_path / "data")
    messages = tmp_path / "faults.jsonl"
    fault = {"error": {"taxonomy": "spotclaim", "code": "METER_MISREAD"}}
    messages.write_bytes(b"\n".join(a_message(fault | {"spot_id": spot}) for spot in ("E1", "E2")))
    succeed(environment, "send", messages)
    return environment


def alter(given: dict[str, str], statement: str) -> None:
    with psycopg2.connect(given["SPOTCLAIM_DATABASE_URL"].replace("+psycopg2", "", 1)) as connection:
        connection.cursor().execute(f"SET LOCAL session_replication_role = replica; {statement}")
    connection.close()


def test_a_record_is_signed_verified_exported_and_verified_elsewhere(
    given: dict[str, str], tmp_path: Path
) -> None:
    """From the first checkpoint to an auditor who has no database; then somebody alters an event."""
    data, archive = tmp_path / "data", tmp_path / "audit.tar"
    line = succeed(given, "audit", "checkpoint").output.strip()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mail.txt").write_text(f"Dear auditor,\n\n{line}\n")

    assert stat.S_IMODE((data / "audit-key.pem").stat().st_mode) == 0o600
    assert (data / "checkpoints.jsonl").read_text() == line + "\n"
    assert succeed(given, "audit", "checkpoint").output.strip() == line, "nothing new, nothing signed"
    assert "Sound" in succeed(given, "audit", "verify").output
    assert "administered thing, and 1 checkpoint written" in succeed(given, "audit", "export", archive).output

    elsewhere = settings(data=tmp_path / "nothing")
    offline = ("audit", "verify", archive, "--pubkey", data / "audit-key.pub", "--checkpoints", kept)
    said = succeed(elsewhere, *offline, "--json").json
    assert (said["sound"], said["claims"], said["outside"], said["signatures_checked"]) == (True, 2, 1, True)
    assert not (tmp_path / "nothing").exists()

    alter(given, "UPDATE audit_events SET actor = 'eve' WHERE seq = 2")
    found = command(given, "audit", "verify")
    assert found.code == 1
    assert "event 2: The event does not follow from the one before. [EVENT_ALTERED]" in found.output
    succeed(given, "audit", "export", archive)
    assert command(elsewhere, *offline).code == 1


def test_a_proof_convinces_whoever_holds_the_checkpoint(given: dict[str, str]) -> None:
    """Before there is one, it is said how to make one."""
    [claim, _] = succeed(given, "claims", "--json").json
    refused = command(given, "audit", "prove", claim["id"])
    assert (refused.code, "spotclaim audit checkpoint" in refused.errors) == (1, True)
    checkpoint = parse(succeed(given, "audit", "checkpoint").output)

    proof = succeed(given, "audit", "prove", claim["id"]).json

    path = [bytes.fromhex(neighbour) for neighbour in proof["path"]]
    leaf = merkle.leaf_hash(bytes.fromhex(proof["event"]["hash"]))
    assert merkle.includes(bytes.fromhex(checkpoint.root), checkpoint.size, proof["position"], leaf, path)
    assert json.loads(proof["checkpoint"])["root"] == checkpoint.root


def test_a_log_that_was_cut_is_not_signed_again(given: dict[str, str]) -> None:
    """The file of checkpoints knows better; the command says which file."""
    succeed(given, "audit", "checkpoint")
    alter(given, "DELETE FROM audit_checkpoints; DELETE FROM audit_log WHERE position > 0")

    refused = command(given, "audit", "checkpoint")

    assert refused.code == 1
    assert "lacks the last checkpoint in" in refused.errors


def test_what_cannot_be_read_is_said_in_one_line(given: dict[str, str], tmp_path: Path) -> None:
    """No archive, no key: wrong usage or a broken archive, and never a trace."""
    nonsense = tmp_path / "nonsense.tar"
    nonsense.write_bytes(b"nonsense" * 100)

    for arguments, code in (
        ((tmp_path / "missing.tar",), 2),
        ((nonsense,), 1),
        (("--pubkey", nonsense), 2),
    ):
        answer = command(given, "audit", "verify", *arguments)
        assert (answer.code, answer.errors.count("\n")) == (code, 1), answer
