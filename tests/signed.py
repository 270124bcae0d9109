"""Meters of the tests: each has a key of its own and signs OCMF with it, as a real one does."""

import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.builders import FAULT_TIME

_STATUS = "S"


class Meter:
    """A meter with a key on a curve; `algorithm` is how OCMF names it, where that is not the usual one."""

    def __init__(self, curve: ec.EllipticCurve | None = None, algorithm: str | None = None) -> None:
        self._key = ec.generate_private_key(curve or ec.SECP256R1())
        self._algorithm = {"SA": algorithm} if algorithm else {}

    @property
    def der(self) -> bytes:
        """The public key."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def pem(self) -> bytes:
        """The public key as people send it."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def key(self) -> str:
        """The public key as it is pinned."""
        return self.der.hex()

    def signs(self, *readings: dict[str, Any], **more: Any) -> str:
        """An OCMF text over these readings."""
        payload = json.dumps({"FV": "1.0", "PG": "T1", "MS": "M-1", "IS": False, "RD": readings} | more)
        signature = self._key.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex()
        return f"OCMF|{payload}|{json.dumps(self._algorithm | {'SD': signature})}"

    def session(self, begin: float = 100.0, end: float = 111.0, **more: Any) -> str:
        """One text over both ends of the session of `tests.builders.a_usage_record`."""
        return self.signs(a_reading("B", begin, **more), a_reading("E", end, **more))


def a_reading(why: str | None, register: Any, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    """A reading of the main register in kWh, by a meter that is well."""
    hour = 11 if why == "E" else 10
    moment = at or FAULT_TIME.replace(hour=hour)
    stated = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S},000+0000 {more.pop('clock', _STATUS)}"
    reading = {"TM": stated, "TX": why, "RV": register, "RI": "1-b:1.8.0", "RU": "kWh", "ST": "G"}
    return {name: value for name, value in (reading | more).items() if value is not None}


def in_xml(text: str, key: str = "", **attributes: str) -> str:
    """The text as transparency software has it."""
    named = "".join(f' {name}="{value}"' for name, value in attributes.items())
    packed = text.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<values><value transactionId="1" context="Transaction.End">'
        f'<signedData format="OCMF"{named}>{packed}</signedData><publicKey encoding="plain">{key}</publicKey>'
        "</value></values>"
    )
