"""What a claim's story says of the messages that it was made of."""

from dataclasses import asdict
from typing import Any

from tests.builders import a_claim, a_fault
from workers.cli.claims.claim_view import story

FLAW = "Outside the standard: errorCode 'Broken' is not one of the permitted values"


def reported(*faults: dict[str, Any]) -> list[str]:
    """The first lines of the story, to the time it was first seen."""
    rows = [asdict(a_fault(**fault)) for fault in faults]
    lines = list(story(asdict(a_claim()) | {"verdict": None}, None, [], [], rows, [], intact=True))
    return lines[3 : next(place for place, line in enumerate(lines) if line.startswith("  first seen"))]


def test_what_messages_describe_is_shown_with_its_number() -> None:
    """The most frequent first, below the codes; a clear may describe as well, and silence says nothing."""
    other = {"description": "the latch is bent"}
    lines = reported({"description": FLAW}, other, other, {"description": FLAW, "cleared": True}, other, {})

    assert lines[-2:] == [
        "    described, 3 times: the latch is bent",
        f"    described, 2 times: {FLAW}",
    ]
    assert len(lines) == 3
    assert reported({}, {"description": ""}) == reported({}, {})


def test_descriptions_without_end_are_shown_in_bounds() -> None:
    """Five of them, each as long as one reads; the rest is counted, and programs have it all."""
    lines = reported(*({"description": f"{number} {'x' * 500}"} for number in range(7)))

    assert [len(line) for line in lines[1:6]] == [len("    described, 1 time: ") + 401] * 5
    assert lines[1].endswith("x…")
    assert lines[6] == "    and in 2 other ways; --json has them all"


def test_fields_that_nobody_knows_are_named() -> None:
    """Once each, whatever they held."""
    lines = reported({"unknown": {"occured_at": 1}}, {"unknown": {"occured_at": 2, "build": 3}}, {})

    assert lines[-1] == "  fields that are not known, and were kept: build, occured_at"
