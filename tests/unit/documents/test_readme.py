"""The README is short, in size and in its sentences; so are the sentences of the manual."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.acceptance.documents.blocks import ROOT, documents

MOST_BYTES = 10_000
MOST_WORDS = 18
_NO_PROSE = re.compile(r"^```.*?^```|^[|#<].*?$|^!?\[.*?\]:.*?$", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^\s*(?:- |\d+\. )", re.MULTILINE)
_END = re.compile(r"(?<=[.!?:])\s+|\n\s*\n")


def test_readme_is_short() -> None:
    """What is longer belongs beside what it describes."""
    assert len((ROOT / "README.md").read_bytes()) <= MOST_BYTES


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_short(document: Path) -> None:
    """Half of them have 18 words or fewer."""
    lengths = [len(sentence.split()) for sentence in _sentences(document.read_text())]

    assert median(lengths) <= MOST_WORDS


def _sentences(text: str) -> Iterator[str]:
    """What a reader reads from a capital letter to a full stop, without blocks, tables and headings."""
    prose = _ITEM.sub("\n\n", _NO_PROSE.sub("", text))
    yield from (part for part in _END.split(prose) if part.strip())
