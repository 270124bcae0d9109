"""Reads the policy from YAML and reports every mistake with file, line and a remedy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from adapters.policy.document import PolicyDocument, policy_of
from adapters.policy.presets import policy_text
from domain.errors import SetupError
from domain.policy.policy import Policy

# Every process reads the policy, and the parser in C takes a tenth of the time; not every platform has it.
_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PolicyWrong(SetupError):
    """The file can be read but is no valid policy; one line for each mistake."""


def load_policy(path: Path | None = None) -> Policy:
    """Reads a policy as `read_policy` does. Raises `SetupError`, a line for each mistake."""
    return read_policy(path)[0]


def restore_policy(content: str) -> Policy:
    """Restores a policy from the content that `read_policy` gave. Raises `ValueError`."""
    return policy_of(PolicyDocument.model_validate_json(content))


def read_policy(path: Path | None = None) -> tuple[Policy, str]:
    """Reads a policy file, a preset by its name, or the strict one; returns its content as canonical JSON too.

    Files that say the same have the same content. Raises `SetupError`.
    """
    name = str(path) if path else "the built-in policy"
    try:
        text = policy_text(path)
        loader = _loader(text)
        node = yaml.compose(text, Loader=loader)
        if twice := list(_written_twice(node)):
            raise PolicyWrong("\n".join(f"{name}, {problem}" for problem in twice))
        given = yaml.load(text, Loader=loader)  # noqa: S506
        # Strictly; a policy that was stored before is restored leniently, as it was read then.
        document = PolicyDocument.model_validate(given, strict=True)
    except OSError as error:
        raise SetupError(f"{name} cannot be read: {error.strerror}.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyWrong(f"{name}, line {line}: not YAML: {error.problem}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PolicyWrong(f"{name}, line {line}: not YAML: {error.reason}.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyWrong(f"{name}, line {line}: not UTF-8.") from None
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise PolicyWrong("\n".join(_problem(name, node, problem) for problem in problems)) from None
    # The file's content as it stands, since a later version of this program may interpret it differently.
    return policy_of(document), json.dumps(given, sort_keys=True, separators=(",", ":"), default=str)


def _loader(text: str) -> Any:
    """The fast loader; where it cannot read the text the one in Python, which says better why."""
    try:
        yaml.compose(text, Loader=_FAST_LOADER)
    except yaml.YAMLError:
        return yaml.SafeLoader
    return _FAST_LOADER


def _written_twice(root: yaml.Node | None) -> Iterator[str]:
    """Yields keys that one mapping repeats, since YAML readers silently take the last one."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        # An alias may lead back to where it came from.
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
            continue
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                yield f"line {line}: {name} is given twice, first in line {lines[name]}; keep one."
            lines.setdefault(name, line)
        waiting += reversed([value for _, value in node.value])


# YAML's own types, without conversion: "40" is a text, and so is 1e3; yes and no are no numbers.
_TYPES = {
    "string_type": "this must be a text; write it in quotes",
    "float_type": "this must be a plain number, such as 40 or 0.75, without quotes",
    "int_type": "this must be a whole number, such as 5, without quotes",
    "bool_type": "this must be true or false, without quotes",
    "list_type": "this must be a list; write it in brackets, as [this]",
    "date_type": "a holiday is a date, such as 2026-12-25",
    "missing": "is missing",
}


def _problem(name: str, root: Any, problem: Any) -> str:
    path = tuple(part for part in problem["loc"] if part != "[key]")
    place = ".".join(str(part) for part in path)
    message = _TYPES.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    if problem["type"] == "extra_forbidden":
        message = f"is no setting; here there are {', '.join(_settings_at(path[:-1]))}"
    elif problem["type"] == "model_type":
        message = f"there must be settings here: {', '.join(_settings_at(path))}"
    return f"{name}, line {_line(root, path)}: {place or 'policy'}: {message}."


def _settings_at(path: tuple[int | str, ...]) -> list[str]:
    """Lists the settings that are allowed at this path of the file."""
    kind: Any = PolicyDocument
    for part in path:
        # The last type argument of a list or a mapping is the type of its items.
        kind = kind.model_fields[part].annotation if _is_part(kind) else get_args(kind)[-1]
    return list(kind.model_fields)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _line(node: Any, path: tuple[int | str, ...]) -> int:
    """Returns the line of the deepest part of the path that the file has.

    For a setting, it is the line of its name.
    """
    found = node
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found, node = next(
                ((key, value) for key, value in node.value if key.value == str(part)), (found, None)
            )
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node = node.value[part]
        else:
            break
    return int(found.start_mark.line) + 1 if found is not None else 1
