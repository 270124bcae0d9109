"""Reads the public key of a meter, in whatever way a maker writes it."""

import re
from typing import Final

from adapters.ocmf.texts import OCMF
from domain.errors import SetupError

MOST_BYTES: Final = 16 * 1024
EXTRA: Final = "pip install 'spotclaim[signed]'"
_ARMOUR: Final = re.compile(r"-----[A-Z ]+-----")
_TAKEN: Final = "DER, PEM, hexadecimal digits or base64"


def read_public_key(raw: bytes) -> str:
    """Reads a key on an elliptic curve, and returns its DER in hexadecimal digits.

    Raises `SetupError` for what is no such key, and where the library is missing.
    """
    try:
        from pyocmf import EncodingError, PublicKey, PublicKeyError
    except ImportError:
        raise SetupError(f"To read keys of {OCMF}: {EXTRA}") from None
    if len(raw) > MOST_BYTES:
        raise SetupError(f"That is no public key: it has more than {MOST_BYTES:,} bytes.")
    try:
        return str(PublicKey.from_string(_packed(raw)).key).lower()
    except (PublicKeyError, EncodingError, ImportError):
        raise SetupError(f"That is no public key on a known elliptic curve, in {_TAKEN}.") from None


def _packed(raw: bytes) -> str:
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return raw.hex()
    if "PRIVATE KEY" in text:
        raise SetupError(
            "That is a private key; the public one is wanted, and the private one stays in the meter."
        )
    # The Open Charge Alliance writes how it is packed before it: oca:base16:asn1:3059…
    return "".join(_ARMOUR.sub("", text).rpartition(":")[2].split())
