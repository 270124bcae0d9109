"""Files as evidence: the bytes tell the type, and the name is made safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import EvidenceRefused, EvidenceTooLarge, MediaTypeRefused
from domain.evidence.file import MEDIA_TYPES, MOST_BYTES, Upload, clean_name, settle, settle_media_type

TEXT = ("text/plain", "text/csv")
JSON = ("application/json", *TEXT)


@pytest.mark.parametrize(
    ("possible", "declared", "name", "settled"),
    [
        (("image/png",), "image/png", "a.png", "image/png"),
        (("image/png",), None, "", "image/png"),
        (("image/png",), "application/octet-stream", "a.jpg", "image/png"),
        (("image/jpeg",), "image/jpg", "a.jpg", "image/jpeg"),
        (("image/jpeg",), "IMAGE/JPEG; quality=9", "a.jpg", "image/jpeg"),
        (TEXT, None, "a.txt", "text/plain"),
        (TEXT, None, "READINGS.CSV", "text/csv"),
        (TEXT, "text/csv; charset=utf-8", "a", "text/csv"),
        (TEXT, "application/csv", "a", "text/csv"),
        (JSON, None, "a", "application/json"),
        (JSON, None, "a.txt", "text/plain"),
        (JSON, "text/plain", "a.json", "text/plain"),
    ],
)
def test_the_bytes_tell_the_type(possible: tuple[str, ...], declared: str | None, name: str, settled: str) -> None:
    """Where they leave a choice, the sender's word counts, or else the name's ending."""
    assert settle_media_type(possible, declared, name) == settled


@pytest.mark.parametrize(
    ("possible", "declared"),
    [
        ((), None),
        ((), "image/png"),
        (("image/png",), "image/jpeg"),
        (("image/png",), "text/html"),
        (TEXT, "image/png"),
        (TEXT, "application/json"),
        (("application/pdf",), "nonsense"),
    ],
)
def test_a_type_that_the_bytes_belie_is_refused(possible: tuple[str, ...], declared: str | None) -> None:
    """So are bytes of no type that is taken."""
    with pytest.raises(MediaTypeRefused):
        settle_media_type(possible, declared, "a.png")


def test_the_limit_is_ten_mebibytes() -> None:
    """Exactly that is taken, and one byte more is not; nor is nothing."""
    assert settle(Upload(bytes(MOST_BYTES), "a.png"), ["image/png"]).size == 10 * 1024 * 1024

    with pytest.raises(EvidenceTooLarge, match="10,485,761 bytes"):
        settle(Upload(bytes(MOST_BYTES + 1), "a.png"), ["image/png"])
    with pytest.raises(EvidenceRefused, match="empty"):
        settle(Upload(b"", "a.png"), ["image/png"])


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("meter.png", "meter.png"),
        ("Zähler 7.PNG", "Zähler 7.PNG"),
        ("../../x", "x.png"),
        ("..\\..\\x.png", "x.png"),
        ("/etc/passwd", "passwd.png"),
        ("C:\\photos\\meter.png", "meter.png"),
        ("", "file.png"),
        ("..", "file.png"),
        (".png", "png.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie x.png"),
        ("a\0b.png", "ab.png"),
        ("invoice.exe", "invoice.exe.png"),
        ("gnp.\u202etxt.exe", "gnp.txt.exe.png"),
        ("صورة العداد.png", "صورة العداد.png"),
        ("a\u2028b\ud800.png", "ab.png"),
        ('<b>"x"|*?.png', "bx.png"),
        ("x" * 1000 + ".png", "x" * 120 + ".png"),
    ],
)
def test_a_name_is_made_safe(name: str, cleaned: str) -> None:
    """It leads nowhere, shows as it is, and ends as its type does."""
    assert clean_name(name, "image/png") == cleaned


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(sorted(MEDIA_TYPES)))
def test_any_name_is_made_safe(name: str, media_type: str) -> None:
    """Whatever a sender calls it; and a safe name stays as it is."""
    cleaned = clean_name(name, media_type)

    assert cleaned.isprintable() or " " in cleaned
    assert not set(cleaned) & set('/\\<>:"|?*\r\n\0')
    assert not cleaned.startswith(".")
    assert cleaned.lower().endswith(MEDIA_TYPES[media_type])
    assert len(cleaned) <= 126
    assert clean_name(cleaned, media_type) == cleaned
