"""The key that signs checkpoints, and the file that they are appended to."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.audit.checkpoint_file import CheckpointFile, read_checkpoints
from adapters.audit.signing_key import PublicKeys, public_file, signing_key
from domain.audit.chain import GENESIS
from domain.audit.checkpoint import Checkpoint
from domain.errors import SetupError


def a_checkpoint(key: str) -> Checkpoint:
    return Checkpoint(size=1, root=GENESIS, at="2026-03-10T12:00:00.000000Z", previous=GENESIS, key=key)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """However many ask for it at the same time."""
    file = tmp_path / "deep" / "audit-key.pem"

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: signing_key(file).id, range(8)))

    assert len(set(made)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == ["audit-key.pem", "audit-key.pub"]


def test_a_signature_holds_for_its_checkpoint_and_its_key(tmp_path: Path) -> None:
    """Any change breaks it; several keys may be trusted."""
    ours, other = signing_key(tmp_path / "ours.pem"), signing_key(tmp_path / "other.pem")
    signed = ours.sign(a_checkpoint(ours.id))
    keys = PublicKeys(other.public_pem + ours.public_pem)

    assert keys.signed(signed)
    assert not PublicKeys(other.public_pem).signed(signed)
    assert not keys.signed(other.sign(a_checkpoint(ours.id)))
    assert not keys.signed(Checkpoint(2, signed.root, signed.at, signed.previous, signed.key, signed.signature))


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """And not replaced by a new one, which would sign in its place."""
    file = tmp_path / "audit-key.pem"
    file.write_bytes(content)

    with pytest.raises(SetupError, match="SPOTCLAIM_AUDIT_KEY"):
        signing_key(file)
    assert file.read_bytes() == content


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """An RSA key signs nothing here."""
    file = tmp_path / "audit-key.pem"
    key = generate_private_key(65537, 2048)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(SetupError, match="another kind than Ed25519"):
        signing_key(file)


def test_an_impossible_folder_is_refused(tmp_path: Path) -> None:
    """In one line that names the setting."""
    (tmp_path / "file").write_text("")

    with pytest.raises(SetupError, match="SPOTCLAIM_AUDIT_KEY"):
        signing_key(tmp_path / "file" / "audit-key.pem")


def test_what_a_crash_left_unfinished_is_cut_off(tmp_path: Path) -> None:
    """The lines before it stay as they are."""
    file = CheckpointFile(tmp_path / "checkpoints.jsonl")
    file.append(['{"a":1}', '{"b":2}'])
    with file.path.open("a") as stream:
        stream.write('{"unfin')

    assert file.last() == '{"b":2}'
    file.append(['{"c":3}'])
    assert file.path.read_text().splitlines() == ['{"a":1}', '{"b":2}', '{"c":3}']


def test_checkpoints_are_read_from_files_and_folders(tmp_path: Path) -> None:
    """Prose around them is passed over."""
    (tmp_path / "a.txt").write_text('Dear auditor,\n{"a":1}\nbye\n')
    (tmp_path / "b.jsonl").write_text('{"b":2}\n')

    assert list(read_checkpoints(tmp_path)) == [("a.txt:2", '{"a":1}'), ("b.jsonl:1", '{"b":2}')]
    assert list(read_checkpoints(tmp_path / "b.jsonl")) == [("b.jsonl:1", '{"b":2}')]


def test_the_public_key_lies_beside(tmp_path: Path) -> None:
    """To be given to auditors."""
    key = signing_key(tmp_path / "audit-key.pem")

    assert public_file(tmp_path / "audit-key.pem").read_bytes() == key.public_pem
