"""A sandbox that bounds the time and the size of operators' templates."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_STEPS: Final = 10_000
MOST_CHARACTERS: Final = 100_000
LONGEST_SECONDS: Final = 2.0
_LARGEST_NUMBER, _LARGEST_BASE, _LARGEST_EXPONENT = 10**15, 1000, 16


class TooMuch(Exception):
    """The template exceeds a limit of time, size or steps."""


@dataclass(slots=True)
class _Budget:
    """Counts what one rendering has used: loop iterations, calls and inclusions together."""

    steps: int = 0
    ends_at: float = field(default_factory=lambda: time.monotonic() + LONGEST_SECONDS)

    def take(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuch(f"more than {MOST_STEPS:,} turns of loops and calls")
        if time.monotonic() > self.ends_at:
            raise TooMuch(f"more than {LONGEST_SECONDS:g} seconds")


_budget: ContextVar[_Budget] = ContextVar("budget")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Counts iterations, calls and inclusions, and bounds the text, products and powers."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters["counted"] = _counted

    def render(self, name: str, facts: Mapping[str, Any]) -> str:
        """Renders a template. Raises `TooMuch`, and whatever a template may raise."""
        token = _budget.set(_Budget())
        try:
            return "".join(_bounded(self.get_template(name).generate(facts)))
        finally:
            _budget.reset(token)

    def get_template(self, *args: Any, **options: Any) -> Template:
        """Loads a template and counts it, also one that is included, imported or extended."""
        _budget.get().take()
        return super().get_template(*args, **options)

    def call(__self, __context: Any, __obj: Any, *args: Any, **options: Any) -> Any:  # noqa: N805
        """Calls a macro or a function and counts it.

        The odd parameter names leave all others to the arguments of templates.
        """
        _budget.get().take()
        return super().call(__context, __obj, *args, **options)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes a product or a power if its result stays small. Raises `TooMuch`."""
        if operator == "**":
            fits = abs(left) <= _LARGEST_BASE and abs(right) <= _LARGEST_EXPONENT
        else:
            texts = isinstance(left, Sized) or isinstance(right, Sized)
            fits = _size(left) * _size(right) <= (MOST_CHARACTERS if texts else _LARGEST_NUMBER)
        if not fits:
            raise TooMuch("a product or a power that is too large")
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > MOST_CHARACTERS:
            raise TooMuch(f"a template of more than {MOST_CHARACTERS:,} characters")
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            if loop.recursive:
                raise TemplateSyntaxError("a loop must not be recursive", loop.lineno, name, filename)
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return tree


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _budget.get().take()
        yield item


def _bounded(pieces: Iterable[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MOST_CHARACTERS:
            raise TooMuch(f"more than {MOST_CHARACTERS:,} characters")
        yield piece


def _size(value: Any) -> Any:
    return len(value) if isinstance(value, Sized) else abs(value)
