"""Nothing from outside commands the terminal of whoever looks."""

import pytest

from workers.runtime.escaping import escape_event, escaped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä 漢 🙂", "plain ä 漢 🙂"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("two\nlines", "two\\nlines"),
        ("turned \u202eback", "turned \\u202eback"),
        ("\x9bcsi", "\\x9bcsi"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    """What they would do is shown instead of done."""
    assert escaped(text) == shown


def test_some_may_be_kept() -> None:
    """A message's own line ends, where it is shown whole."""
    assert escaped("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


def test_log_lines_are_made_visible() -> None:
    """All their texts; numbers stay numbers, and a trace keeps its lines."""
    event = {"event": "x\x07", "count": 3, "exception": "a\nb\x07"}
    assert escape_event(None, "info", event) == {"event": "x\\x07", "count": 3, "exception": "a\nb\\x07"}
