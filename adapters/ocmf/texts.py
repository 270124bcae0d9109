"""Takes OCMF texts out of what they come in: base64, hexadecimal digits, the XML of transparency software."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

OCMF: Final = "OCMF"
_BEGIN: Final = "OCMF|"
_XML: Final = "<"
_HEX: Final = re.compile(r"[0-9A-Fa-f\s]+")
_ELEMENTS: Final = ("signedData", "encodedData")
# Base64 of an XML whose values are base64 again.
_DEEPEST: Final = 3


class Malformed(Exception):
    """A text that is not what it says it is."""


class Document(NamedTuple):
    """One signed text, its format where that is known, whether a public key came with it, and its context."""

    format: str | None
    text: str
    with_key: bool = False
    context: str = ""


def documents(text: str, stated: str | None, with_key: bool = False, depth: int = 0) -> list[Document]:
    """Lists the signed texts within a text, whose format is `stated`. Raises `Malformed`."""
    text = text.strip().removeprefix("\ufeff")
    if text.startswith(_BEGIN):
        return [Document(OCMF, text, with_key or text.count("|") > 2)]
    if text.startswith(_XML):
        return list(_of_xml(text, with_key, depth))
    inner = decoded(text) if depth < _DEEPEST else None
    if inner is not None and inner.lstrip().startswith((_BEGIN, _XML)):
        return documents(inner, stated, with_key, depth + 1)
    if stated is not None and stated.strip().upper().startswith(OCMF):
        raise Malformed(f"it is no {OCMF}: that begins with {_BEGIN}")
    return [Document(stated, text, with_key)]


def decoded(text: str) -> str | None:
    """Decodes hexadecimal digits or base64; None for what is neither, or holds no text."""
    try:
        packed = "".join(text.split())
        if _HEX.fullmatch(text) and len(packed) % 2 == 0:
            return bytes.fromhex(packed).decode()
        return base64.b64decode(packed, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _of_xml(text: str, with_key: bool, depth: int) -> Iterator[Document]:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException:
        raise Malformed("its XML declares a document type or entities, which are not read") from None
    except (ParseError, ValueError, LookupError):
        raise Malformed("its XML cannot be read") from None
    within = [(_name(child.tag), child, parent) for parent in root.iter() for child in parent]
    with_key = with_key or any(name == "publicKey" and element.text for name, element, _ in within)
    signed = [
        (element, value) for name, element, value in within if name in _ELEMENTS and (element.text or "").strip()
    ]
    if not signed or depth >= _DEEPEST:
        raise Malformed("its XML holds no signed value")
    for element, value in signed:
        context = value.get("context") or ""
        for found in documents(element.text or "", element.get("format"), with_key, depth + 1):
            yield found._replace(context=found.context or context)


def _name(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
