"""Every package says in a few lines what lives there, where to enter, and which words it defines."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LAYERS = ("domain", "ingest", "adapters", "workers")
PACKAGES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("__init__.py"))


@pytest.mark.parametrize("file", PACKAGES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_docstring_has_five_to_twelve_lines(file: Path) -> None:
    """From the opening quotes to the closing ones."""
    first = ast.parse(file.read_text()).body[:1]
    assert first and isinstance(first[0], ast.Expr) and isinstance(first[0].value, ast.Constant)
    assert first[0].end_lineno is not None

    assert 5 <= first[0].end_lineno - first[0].lineno + 1 <= 12


def test_every_package_has_a_docstring_of_its_own() -> None:
    """A folder with modules has an `__init__`, but for the migrations, which Alembic reads as files."""
    folders = {path.parent for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}
    versions = ROOT / "adapters" / "postgres" / "migrations" / "versions"

    assert sorted(f for f in folders - {path.parent for path in PACKAGES} if versions not in f.parents) == []
