"""Defines the checkpoint: the signed state of the log of audit events.

It is kept where nobody who writes the database can alter it. One line of canonical JSON, keys sorted and no
spaces:

    {"at":"2026-03-10T12:00:00.000000Z","key":"…","previous":"…","root":"…","signature":"…","size":1234}

`size` is how many events the log held and `root` the root of the Merkle tree over them (RFC 6962), 64 hexadecimal
digits. `previous` is the SHA-256 of the checkpoint line before this one, sixty-four zeros in the first. `key` is
how the SHA-256 of the 32 bytes of the public key begins, 16 digits. `signature` is Ed25519, 128 digits, over the
line without its `signature`.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from domain.audit.chain import GENESIS

_FORMS = {
    "at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
    "key": re.compile(r"[0-9a-f]{16}"),
    "previous": re.compile(r"[0-9a-f]{64}"),
    "root": re.compile(r"[0-9a-f]{64}"),
    "signature": re.compile(r"[0-9a-f]{128}"),
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint; `signature` is empty until it is signed."""

    size: int
    root: str
    at: str
    previous: str
    key: str
    signature: str = ""

    def statement(self) -> bytes:
        """Returns the bytes that are signed."""
        said = asdict(self)
        del said["signature"]
        return _canonical(said).encode()

    def signed(self, signature: str) -> "Checkpoint":
        """Returns the checkpoint with its signature."""
        return replace(self, signature=signature)

    def line(self) -> str:
        """Returns the line that is kept and sent."""
        return _canonical(asdict(self))


def parse(line: str) -> Checkpoint:
    """Reads the checkpoint from a line.

    Raises `ValueError`, saying what is wrong, for any other line.
    """
    said = json.loads(line)
    if not isinstance(said, dict) or said.keys() != {"size", *_FORMS}:
        raise ValueError("not the fields of a checkpoint")
    if type(said["size"]) is not int or said["size"] < 0:
        raise ValueError("its size is no number of events")
    for name, form in _FORMS.items():
        if not isinstance(said[name], str) or not form.fullmatch(said[name]):
            raise ValueError(f"its {name} is not one")
    return Checkpoint(**said)


def digest(line: str | None) -> str:
    """Returns the digest by which the next checkpoint names this line."""
    return sha256(line.encode()).hexdigest() if line else GENESIS


def _canonical(said: dict[str, Any]) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"))
