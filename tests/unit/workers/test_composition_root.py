"""The composition root: the only place that constructs adapters, in parts of at most eight fields."""

import ast
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

import workers
from workers.bootstrap import audit, foundation, live, notifications, people, queries, services, work

_ROOT = Path(workers.__file__).parent
_MODULES = sorted(path for path in _ROOT.rglob("*.py") if _ROOT / "bootstrap" not in path.parents)


def _adapters_imported(tree: ast.AST) -> dict[str, type]:
    """The classes of adapters that a module names."""
    names = [
        (node.module, alias.name, alias.asname or alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("adapters")
        for alias in node.names
    ]
    found = {local: getattr(import_module(module), name, None) for module, name, local in names}
    return {local: item for local, item in found.items() if isinstance(item, type)}


def _is_value(item: type) -> bool:
    """Whether it is an error, or an immutable value that holds nothing open."""
    frozen = is_dataclass(item) and item.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return issubclass(item, (BaseException, tuple)) or frozen


@pytest.mark.parametrize("module", _MODULES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_adapters_are_constructed_only_in_the_composition_root(module: Path) -> None:
    tree = ast.parse(module.read_text())
    adapters = {name for name, item in _adapters_imported(tree).items() if not _is_value(item)}
    called = {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert adapters & called == set()


def test_no_part_has_more_than_eight_fields() -> None:
    parts = [
        foundation.Foundation, queries.Queries, live.Live, notifications.Notifications, audit.Audit,
        people.People, services.Services, work.Work,
    ]  # fmt: skip
    assert {part.__name__: len(fields(part)) for part in parts if len(fields(part)) > 8} == {}
