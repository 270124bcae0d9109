"""Compares what a command printed with what a document shows of it.

A document shows one day's run, so some of it stands for whatever comes in its place:

- an id of 8 hexadecimal digits, a UUID or a claim's number stands for one throughout, in commands too;
- a moment from the day on which the documents were written stands for any, an earlier one for itself;
- a digest and a time that something took stand for any;
- `…` stands for the rest of a line, and alone on a line for any number of lines.

Spaces do not count. The rows of a table, which begins with a space, may come in another order.
"""

import re
from collections.abc import Sequence

WRITTEN_ON = "2026-11-30"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NUMBER = r"\bSC-\d{4}-\d{6}\b"
_TOKEN = re.compile(
    rf"(?P<uuid>{_UUID})|(?P<number>{_NUMBER})|(?P<digest>\b[0-9a-f]{{12,}}\b)|(?P<id>\b[0-9a-f]{{8}}\b)"
    r"|(?P<moment>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?)"
    r"|(?P<took>\b\d+\.\d+(?= seconds\b| s\b| of \d+ h\b))|(?P<port>\b8080\b)|(?P<rest>…)"
)


class Meanings:
    """What the ids and the port of a document stand for, as far as it is known by now."""

    def __init__(self, port: int) -> None:
        self._actual = {"8080": str(port)}

    def meant(self, text: str) -> str:
        """A command of the document with what its ids and its port stand for."""
        for written, actual in self._actual.items():
            text = re.sub(rf"\b{written}\b", actual, text)
        return text

    def agree(self, shown: Sequence[str], printed: Sequence[str], *, gaps: bool = False) -> bool:
        """Whether the lines printed are those shown, with any others between where there are `gaps`."""
        wanted, there = _squeezed(shown), _squeezed(printed)
        if gaps:
            wanted = [part for line in wanted for part in ("…", line)] + ["…"]
        elif shown and shown[0].startswith(" "):
            return self._agree_anyhow(wanted, there)
        known = self._follow(wanted, there, self._actual)
        self._actual = known or self._actual
        return known is not None

    def _agree_anyhow(self, wanted: list[str], there: list[str]) -> bool:
        known, left = dict(self._actual), list(there)
        for line in wanted:
            if line == "…":
                left = []
                break
            found = next(
                ((other, more) for other in left if (more := _match(line, other, known)) is not None), None
            )
            if found is None:
                return False
            left.remove(found[0])
            known = found[1]
        self._actual = known if not left else self._actual
        return not left

    def _follow(self, wanted: list[str], there: list[str], known: dict[str, str]) -> dict[str, str] | None:
        """What is known once these lines are taken for those; None if they cannot be."""
        if not wanted:
            return None if there else known
        if wanted[0] == "…":
            tails = (self._follow(wanted[1:], there[start:], known) for start in range(len(there) + 1))
            return next((tail for tail in tails if tail is not None), None)
        more = _match(wanted[0], there[0], known) if there else None
        return None if more is None else self._follow(wanted[1:], there[1:], more)


def _squeezed(lines: Sequence[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if line.strip()]


def _match(shown: str, printed: str, known: dict[str, str]) -> dict[str, str] | None:
    """What is known once this line is taken for that one; None if it cannot be."""
    groups: dict[str, str] = {}
    pattern, end = "", 0
    for token in _TOKEN.finditer(shown):
        pattern += re.escape(shown[end : token.start()])
        pattern += _any(str(token.lastgroup), token[0], known, groups)
        end = token.end()
    found = re.fullmatch(pattern + re.escape(shown[end:]), printed)
    if found is None:
        return None
    more = {written: found[group] for written, group in groups.items()}
    tails = {written[-8:]: actual[-8:] for written, actual in more.items() if len(written) == len(actual) == 36}
    return known | tails | more


def _any(kind: str, written: str, known: dict[str, str], groups: dict[str, str]) -> str:
    """The pattern of whatever this stands for."""
    if kind == "rest":
        return ".*"
    if kind == "digest":
        return "[0-9a-f]+"
    if kind == "took":
        return r"\d+\.\d+"
    if kind == "moment":
        return r"[-\d:. T]+?" if written >= WRITTEN_ON else re.escape(written)
    if written in known:
        return re.escape(known[written])
    if written in groups:
        return f"(?P={groups[written]})"
    groups[written] = f"id{len(groups)}"
    if kind == "uuid":
        tail = known.get(written[-8:])
        return f"(?P<{groups[written]}>" + (f"[0-9a-f-]{{28}}{tail}" if tail else _UUID) + ")"
    return f"(?P<{groups[written]}>{_NUMBER if kind == 'number' else '[0-9a-f]{8}'})"
