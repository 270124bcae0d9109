"""The Ed25519 key that signs checkpoints, and the public keys that verify them."""

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from domain.audit.checkpoint import Checkpoint
from domain.errors import SetupError

_PEM_END = b"-----END PUBLIC KEY-----"


class AuditKey:
    """Signs checkpoints."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.id = _id(key.public_key())
        self.public_pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, checkpoint: Checkpoint) -> Checkpoint:
        """Returns the checkpoint with this key's signature."""
        return checkpoint.signed(self._key.sign(checkpoint.statement()).hex())


class PublicKeys:
    """Verifies signatures against one or more public keys."""

    def __init__(self, pem: bytes) -> None:
        """Reads public keys, concatenated in PEM. Raises `ValueError` unless all are Ed25519."""
        blocks = [block + _PEM_END for block in pem.split(_PEM_END)[:-1]]
        try:
            keys = [load_pem_public_key(block) for block in blocks]
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from None
        if not keys or not all(isinstance(key, Ed25519PublicKey) for key in keys):
            raise ValueError("no public keys of Ed25519 in PEM")
        self._keys = {_id(key): key for key in keys if isinstance(key, Ed25519PublicKey)}

    def signed(self, checkpoint: Checkpoint) -> bool:
        """Tells whether one of the keys signed this checkpoint."""
        key = self._keys.get(checkpoint.key)
        try:
            if key is not None:
                key.verify(bytes.fromhex(checkpoint.signature), checkpoint.statement())
        except InvalidSignature:
            return False
        return key is not None


def signing_key(file: Path) -> AuditKey:
    """Reads the signing key, or creates one readable by its owner alone.

    The public key is written beside it, with the ending `.pub`. Raises `SetupError`.
    """
    try:
        if not file.exists():
            _make(file)
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise SetupError(f"SPOTCLAIM_AUDIT_KEY: {file} cannot be used ({error.strerror}).") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SetupError(f"SPOTCLAIM_AUDIT_KEY: {file} is no Ed25519 key in PEM without a password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"SPOTCLAIM_AUDIT_KEY: {file} is a key of another kind than Ed25519.")
    return AuditKey(key)


def public_file(key_file: Path) -> Path:
    """Returns the path of a signing key's public key."""
    return key_file.with_suffix(".pub")


def _make(file: Path) -> None:
    """Creates a key file atomically, and never over a key that another process just created."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = mkstemp(prefix=f"{file.name}.", dir=file.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        file.hardlink_to(unfinished)
    except FileExistsError:
        return
    finally:
        Path(unfinished).unlink()
    public_file(file).write_bytes(AuditKey(key).public_pem)


def _id(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def read_public_keys(files: Iterable[Path]) -> PublicKeys:
    """Reads the public keys of these files. Raises `SetupError` for one that cannot be read."""
    pem = b""
    for file in files:
        try:
            pem += file.read_bytes() + b"\n"
        except OSError as error:
            raise SetupError(f"{file} cannot be read: {error.strerror}.") from None
    try:
        return PublicKeys(pem)
    except ValueError:
        raise SetupError("The public key is no Ed25519 key in PEM, as it lies beside the signing key.") from None
