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
from domain.errors import SetupError, WrongKey

_MEND = "Bring it back, or let another sign by `spotclaim audit new-key --reason …`."
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

    def has(self, key: str) -> bool:
        """Tells whether a key is among them, by its id."""
        return key in self._keys

    def signed(self, checkpoint: Checkpoint) -> bool:
        """Tells whether one of the keys signed this checkpoint."""
        key = self._keys.get(checkpoint.key)
        try:
            if key is not None:
                key.verify(bytes.fromhex(checkpoint.signature), checkpoint.statement())
        except InvalidSignature:
            return False
        return key is not None


def signing_key(file: Path, expected: str | None = None) -> AuditKey:
    """Reads the signing key, or creates the first one, readable by its owner alone.

    The public key is written beside it, with the ending `.pub`. `expected` is the id of the key that is to sign,
    where one signed before: that is never made anew. Raises `SetupError`, and `WrongKey` for a missing or another
    key.
    """
    if expected is not None and not file.exists():
        raise WrongKey(f"SPOTCLAIM_AUDIT_KEY: {_missing(file, expected)} {_MEND}")
    key = read_key(file, make=expected is None)
    if expected not in (None, key.id):
        raise WrongKey(f"SPOTCLAIM_AUDIT_KEY: {file} is the key {key.id}, and {expected} is to sign. {_MEND}")
    return key


def _missing(file: Path, expected: str) -> str:
    """Says that a key is not there; only where its public key is left is it known to have been."""
    if public_file(file).exists():
        return f"{file} is gone, the key {expected} that is to sign."
    return f"this machine has no key ({file}); {expected} is to sign, which may be on another machine."


def read_key(file: Path, *, make: bool = False) -> AuditKey:
    """Reads the key in a file, or makes one where there is none. Raises `SetupError`."""
    try:
        if make and not file.exists():
            _make(file)
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise SetupError(f"SPOTCLAIM_AUDIT_KEY: {file} cannot be used ({error.strerror}).") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SetupError(f"SPOTCLAIM_AUDIT_KEY: {file} is no Ed25519 key in PEM without a password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"SPOTCLAIM_AUDIT_KEY: {file} is a key of another kind than Ed25519.")
    return AuditKey(key)


def replace_key(file: Path, expected: str | None) -> AuditKey:
    """Puts a new key in place of the expected one; another that is there already is taken as it is.

    The public keys of before stay beside it, after the new one: they verify earlier checkpoints. Raises
    `SetupError`.
    """
    if not file.exists() or read_key(file).id == expected:
        new = file.with_name(f"{file.name}.new")
        new.unlink(missing_ok=True)
        read_key(new, make=True)
        public_file(new).unlink(missing_ok=True)
        new.replace(file)
    key, public = read_key(file), public_file(file)
    before = public.read_bytes() if public.exists() else b""
    if key.public_pem not in before:
        public.write_bytes(key.public_pem + before)
    return key


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
