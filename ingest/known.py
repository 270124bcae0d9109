"""Words of which there are only so many."""

from collections.abc import Callable, Sequence


def one_of(what: str, words: Sequence[str]) -> Callable[[str], str]:
    """A check that raises `ValueError`, naming the words there are, for any other."""

    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"there is no {what} {word[:64]!r}; there are {', '.join(words)}")
        return word

    return check
