"""Pieces of evidence, sound and not, for the domain and for the database alike."""

from typing import Any, Final

from tests.builders import PIECES, a_piece

SOUND: Final[list[dict[str, Any]]] = [
    *(a_piece(kind) for kind in PIECES),
    a_piece("meter_reading", register=0, unit="Wh"),
    a_piece("meter_reading", register=2**62),
    a_piece("meter_reading", time="2026-03-10t11:00:00.123456789z"),
    a_piece("meter_reading", time="2026-03-10 11:00:00-00:00"),
    a_piece("session", session_id=4711),
    a_piece("photo", url="https://example.org", sha256="AB" * 32),
    a_piece("photo", url="https://example.org:8443/a?b=c#d"),
]

REFUSED: Final[list[dict[str, Any]]] = [
    *(a_piece("meter_reading", register=register) for register in (-1, -0.001, "18234.5", True, [1], {})),
    *(a_piece("meter_reading", unit=unit) for unit in ("kwh", "", "MWh", 1, ["kWh"])),
    *(
        a_piece(kind, time=time)
        for kind in ("meter_reading", "reservation_response")
        for time in (
            "yesterday",
            "2026-03-10",
            "2026-03-10T11:00:00",
            "2026-03-10T11:00Z",
            "20260310T110000Z",
            5,
            "",
        )
    ),
    *(a_piece("reservation_response", status=status) for status in ("", " \n", 5, ["Rejected"])),
    *(a_piece("session", session_id=session_id) for session_id in ("", " ", True, ["s"])),
    *(a_piece("note", text=text) for text in ("", " \t", 5)),
    *(
        a_piece(kind, url=url)
        for kind in ("photo", "document")
        for url in ("http://example.org/1", "https://", "https://a:b@example.org/", "https://a b", "file:///1", 5)
    ),
    *(a_piece("photo", sha256=digest) for digest in ("ab" * 31, "xy" * 32, "ab" * 33, 5)),
]
