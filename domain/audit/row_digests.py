"""Joins the digests of several rows into one, for an event that rests on all of them."""

from collections.abc import Mapping
from hashlib import sha256


def joined(digests: Mapping[str, str]) -> str:
    """Returns the SHA-256 of rows by their keys, each with its own digest, in any order."""
    lines = (f"{key.replace('-', '')} {digest}\n" for key, digest in digests.items())
    return sha256("".join(sorted(lines)).encode()).hexdigest()
