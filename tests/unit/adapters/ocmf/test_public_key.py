"""Public keys of meters are read as makers write them."""

import sys
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from adapters.ocmf.public_key import read_public_key
from domain.errors import SetupError
from tests.signed import Meter

METER = Meter()


@pytest.mark.parametrize(
    "raw",
    [
        METER.der,
        METER.pem,
        METER.key.encode(),
        METER.key.upper().encode(),
        b64encode(METER.der),
        b"  " + b64encode(METER.der)[:40] + b"\n" + b64encode(METER.der)[40:] + b"\n",
        b"oca:base16:asn1:" + METER.key.encode(),
    ],
    ids=["DER", "PEM", "hexadecimal", "capitals", "base64", "lines", "Open Charge Alliance"],
)
def test_a_key_is_the_same_in_whatever_form(raw: bytes) -> None:
    """Its DER in hexadecimal digits."""
    assert read_public_key(raw) == METER.key


_RSA = rsa.generate_private_key(65537, 2048).public_key()
_PRIVATE = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no public key on a known elliptic curve"),
        (b"hello", "no public key on a known elliptic curve"),
        (METER.der[:-1], "no public key on a known elliptic curve"),
        (_RSA.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "no public key on a known"),
        (_PRIVATE, "That is a private key"),
        (b"30" * 10_000, "more than 16,384 bytes"),
    ],
    ids=["nothing", "text", "cut off", "RSA", "private", "too long"],
)
def test_what_is_no_such_key_is_refused(raw: bytes, reason: str) -> None:
    """In one line, without the text itself."""
    with pytest.raises(SetupError, match=reason):
        read_public_key(raw)


def test_without_the_extra_the_refusal_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is pinned that nobody read."""
    monkeypatch.setitem(sys.modules, "pyocmf", None)

    with pytest.raises(SetupError, match=r"pip install 'spotclaim\[signed\]'"):
        read_public_key(METER.der)
