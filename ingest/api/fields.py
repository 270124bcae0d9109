"""Field types of requests: storable text, and choices from a list."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

STORABLE = r"^[^\x00]*$"


def storable(text: str) -> str:
    """Checks that a text can be stored. Raises `ValueError` for U+0000, which PostgreSQL refuses."""
    if "\0" in text:
        raise ValueError("the text holds U+0000, which no database text can hold")
    return text


def _described(pattern: str) -> Any:
    return Field(json_schema_extra={"pattern": pattern})


Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(storable), _described(STORABLE)]
Note = Annotated[str, Field(max_length=4000), AfterValidator(storable), _described(STORABLE)]
RejectionCode = Annotated[
    str,
    Field(max_length=64, pattern=STORABLE, description="A reason of the policy's catalogue; of rejections alone."),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    AfterValidator(storable),
    _described(r"^[^\x00]*[^\s\x00][^\x00]*$"),
]


def one_of(what: str, words: Sequence[str]) -> Callable[[str], str]:
    """Creates a check that raises `ValueError`, listing the choices, for any other word."""

    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"there is no {what} {word[:64]!r}; there are {', '.join(words)}")
        return word

    return check
