"""What bytes are, whatever they are called."""

import io
import wave
import zipfile

import pytest

from adapters.file_types import sniff
from tests.builders import a_png

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(64) + b"\xff\xd9"
EXIF = b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00" + bytes(64) + b"\xff\xd9"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
TEXT = ("text/plain", "text/csv")
JSON = ("application/json", *TEXT)


@pytest.mark.parametrize(
    ("content", "types"),
    [
        (a_png(), ("image/png",)),
        (JPEG, ("image/jpeg",)),
        (EXIF, ("image/jpeg",)),
        (EXIF + b"\x00\x00\x01\xb7", ("image/jpeg",)),
        (a_png() + b"</svg>", ("image/png",)),
        (b"\xff\xd8\xff\xdb" + bytes(64), ("image/jpeg",)),
        (b"\xff\xd8\xff\xee" + bytes(64), ("image/jpeg",)),
        (GIF, ("image/gif",)),
        (GIF.replace(b"89a", b"87a"), ("image/gif",)),
        (WEBP, ("image/webp",)),
        (WEBP.replace(b"VP8L", b"VP8 "), ("image/webp",)),
        (WEBP.replace(b"VP8L", b"VP8X"), ("image/webp",)),
        (PDF, ("application/pdf",)),
        (b"%PDF-1.4\nall of it in ASCII\n%%EOF", ("application/pdf",)),
        (b"The display shows 18234.5 kWh.\r\n", TEXT),
        ("Zähler, Straße\tü\n".encode(), TEXT),
        (b"\xef\xbb\xbfspot;kwh\nE1;1,5\n", TEXT),
        (b"<34>Oct 11 22:14:15 station: latch\n", TEXT),
        (b"BM is a note, MZ too", TEXT),
        (b'{"register_kwh": 18234.5}', JSON),
        (b"[1, 2]", JSON),
        (b'{"cut short', TEXT),
        (b"17", TEXT),
    ],
)
def test_what_is_taken(content: bytes, types: tuple[str, ...]) -> None:
    """Pictures, PDF and texts; other possible types of a text are included."""
    assert sniff(content) == types


def an_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("picture.png", a_png())
    return buffer.getvalue()


def a_sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(bytes(100))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg></svg>",
        b"\xef\xbb\xbf \r\n<!DOCTYPE html><p>",
        b"<HTML><script>alert(1)</script>",
        b"<!-- --><script>",
        b"<a href=x>",
        b"\x00<html>",
        an_archive(),
        an_archive() + a_png(),
        b"MZ\x90\x00" + bytes(100) + a_png()[-12:],
        b"\x7fELF\x02\x01\x01" + bytes(64),
        a_sound(),
        b"RIFF\x00\x00\x00\x00ABCD" + bytes(20),
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(40),
        b"\xff\xd8" + bytes(40),
        b"\\377\\330\\377\x00",
        a_png()[1:],
        b" " + a_png(),
        "Straße".encode("latin-1"),
        "UTF-16".encode("utf-16"),
        b"a\x00b",
        b"\x1b[2J\x07bell",
        b"BM" + bytes(60),
        b"\xff",
    ],
)
def test_what_is_not_taken(content: bytes) -> None:
    """Markup that can act, archives, executables, sounds, other pictures, and bytes that are no text."""
    assert sniff(content) == ()
