"""Formats numbers with their nouns, and checks texts that are to be stored."""


def count(number: int, noun: str, plural: str = "") -> str:
    """Returns a number with its noun: "1 claim", "1,200 claims"; `plural` is for irregular nouns."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def measure(number: float, unit: str) -> str:
    """Returns a measure with its unit: "1 hour", "1.5 hours"."""
    text = f"{number:g}"
    return f"{text} {unit if text == '1' else f'{unit}s'}"


def storable(text: str) -> bool:
    """Checks whether a database and every reader of JSON can hold the text.

    U+0000 and halves of surrogate pairs are what they cannot hold.
    """
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
