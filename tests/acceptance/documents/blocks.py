"""Reads the console blocks of a document: commands after `$ `, and what each is shown to print."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOMS = ("domain", "ingest", "adapters", "workers", "docker", "tests")
_FENCE = re.compile(r"^```(\w*)$(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One command of a block. `line` is its line in the document; `shown` is what it prints, as far as shown."""

    line: int
    text: str
    shown: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text.replace("\\\n", " "), comments=True)

    @property
    def stays(self) -> bool:
        """Whether it runs on behind the next commands."""
        return self.words[-1:] == ["&"] or self.words[:2] == ["make", "run"]


def documents() -> list[Path]:
    """Every README of the repository, the first one first."""
    return [ROOT / "README.md", *sorted(path for room in ROOMS for path in (ROOT / room).rglob("README.md"))]


def commands(document: Path) -> Iterator[Command]:
    """The commands of all console blocks, in order."""
    text = document.read_text()
    for kind, first_line, body in _blocks(text):
        if kind == "console":
            yield from _commands(body, first_line)


def stray_prompts(document: Path) -> list[int]:
    """Lines that show a prompt outside a console block, where nobody would run them."""
    return [
        first_line + number
        for kind, first_line, body in _blocks(document.read_text())
        if kind != "console"
        for number, line in enumerate(body)
        if line.startswith("$ ")
    ]


def _blocks(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """Each fenced block: its kind, the number of its first line, its lines."""
    for found in _FENCE.finditer(text):
        yield found[1], text.count("\n", 0, found.start()) + 2, found[2].strip("\n").splitlines()


def _commands(lines: list[str], first_line: int) -> Iterator[Command]:
    place = 0
    while place < len(lines):
        begin = place
        assert lines[begin].startswith("$ "), f"line {first_line + begin}: output of no command: {lines[begin]}"
        text = lines[begin].removeprefix("$ ")
        place += 1
        while not _complete(text):
            text += "\n" + lines[place]
            place += 1
        shown_from = place
        while place < len(lines) and not lines[place].startswith("$ "):
            place += 1
        yield Command(first_line + begin, text, tuple(lines[shown_from:place]))


def _complete(text: str) -> bool:
    """Whether a shell would carry it out, and not wait for another line."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")
