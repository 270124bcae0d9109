"""Formats numbers with their nouns, finds what was meant, and checks texts that are to be stored."""

from collections.abc import Iterable
from difflib import get_close_matches


def count(number: int, noun: str, plural: str = "") -> str:
    """Returns a number with its noun: "1 claim", "1,200 claims"; `plural` is for irregular nouns."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def measure(number: float, unit: str) -> str:
    """Returns a measure with its unit: "1 hour", "1.5 hours"."""
    text = f"{number:g}"
    return f"{text} {unit if text == '1' else f'{unit}s'}"


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """Says that there is no such word, which one is nearest, and which there are."""
    words = list(known)
    near = get_close_matches(word.upper(), words, n=1) or get_close_matches(word.lower(), words, n=1)
    meant = f"; the nearest is {near[0]}" if near else ""
    return f"There is no {what} {word[:64]!r}{meant}. There are: {', '.join(words)}."


def storable(text: str) -> bool:
    """Checks whether a database and every reader of JSON can hold the text.

    U+0000 and halves of surrogate pairs are what they cannot hold.
    """
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
