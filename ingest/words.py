"""Words that people and programs send: what a text may hold, and words of which there are only so many."""

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import StringConstraints

# No text of the database can hold U+0000.
STORABLE = r"^[^\x00]*$"
_STORABLE_AND_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=STORABLE)]
Note = Annotated[str, StringConstraints(max_length=4000, pattern=STORABLE)]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_STORABLE_AND_NOT_BLANK),
]


def one_of(what: str, words: Sequence[str]) -> Callable[[str], str]:
    """A check that raises `ValueError`, naming the words there are, for any other."""

    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"there is no {what} {word[:64]!r}; there are {', '.join(words)}")
        return word

    return check
