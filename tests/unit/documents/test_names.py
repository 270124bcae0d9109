"""What the documents name is there: files and folders, functions in them, targets of make, other documents.

A name in a README is what a reader goes by, and nothing else notices when it goes.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.documents.blocks import ROOMS, ROOT, documents

_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FUNCTION = re.compile(r"([\w/]+\.py):([A-Za-z_][\w.]*)")
_PATH = re.compile(rf"(?:{'|'.join(ROOMS)})/[\w./-]*")
_TARGET = re.compile(r"make ([a-z][\w-]*).*")

each_document = pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))


@each_document
def test_functions_exist(document: Path) -> None:
    """`file.py:name`: a function, a class, a constant or `Class.method` of that file."""
    named = [match.groups() for span in _spans(document) if (match := _FUNCTION.fullmatch(span))]

    assert [f"{file}:{name}" for file, name in named if name not in _names(ROOT / file)] == []


@each_document
def test_paths_exist(document: Path) -> None:
    """Whatever begins with a folder of the house; a module may be named without `.py`."""
    named = [span for span in _spans(document) if _PATH.fullmatch(span)]

    assert [path for path in named if not ((ROOT / path).exists() or (ROOT / f"{path}.py").is_file())] == []


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    """From where the document lies."""
    links = [link for link in _LINK.findall(_prose(document)) if "://" not in link]

    assert [link for link in links if not (document.parent / link.partition("#")[0]).exists()] == []


@each_document
def test_targets_of_make_exist(document: Path) -> None:
    """`make TARGET`."""
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = [match[1] for span in _spans(document) if (match := _TARGET.fullmatch(span))]

    assert sorted(set(named) - targets) == []


def test_names_are_looked_for() -> None:
    """The search finds what is there, and misses what is not."""
    here = _names(Path(__file__))

    assert {"_SPAN", "_names", "test_paths_exist"} <= here
    assert "Class.method" in set(_defined(ast.parse("class Class:\n    def method(self): ...")))
    assert "nobody" not in here
    assert _names(ROOT / "domain" / "nowhere.py") == set()


def _prose(document: Path) -> str:
    return _BLOCK.sub("", document.read_text())


def _spans(document: Path) -> list[str]:
    return _SPAN.findall(_prose(document))


@cache
def _names(file: Path) -> set[str]:
    """What a file defines at its top, and the methods of its classes; nothing for a file that there is not."""
    return set(_defined(ast.parse(file.read_text()))) if file.is_file() else set()


def _defined(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name, body=body):
                yield name
                yield from (f"{name}.{part.name}" for part in body if isinstance(part, ast.FunctionDef))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass
