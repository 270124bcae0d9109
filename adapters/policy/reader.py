"""Reads the policy from YAML. Everything wrong is told at once, with file, line and what would be right."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from adapters.policy.document import PolicyDocument, policy_of
from domain.errors import SetupError
from domain.policy import Policy


class PolicyWrong(SetupError):
    """The file can be read, and what it says cannot be a policy: a line for each thing wrong."""


def load_policy(path: Path | None = None) -> Policy:
    """The policy in that file, or the built-in default. Raises `SetupError`, a line for each thing wrong."""
    return read_policy(path)[0]


def restore_policy(content: str) -> Policy:
    """The policy of which `read_policy` gave this content, once. Raises `ValueError` for anything else."""
    return policy_of(PolicyDocument.model_validate_json(content))


def read_policy(path: Path | None = None) -> tuple[Policy, str]:
    """As `load_policy`; with it what the file holds, as canonical JSON: the same for files that say the same."""
    name = str(path) if path else "the built-in policy"
    try:
        text = path.read_text() if path else (files("domain") / "policy.yaml").read_text()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if twice := list(_written_twice(node)):
            raise PolicyWrong("\n".join(f"{name}, {problem}" for problem in twice))
        given = yaml.safe_load(text)
        # Strictly, while what was stored once is restored as it was taken then.
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
    # What the file says and not what it was taken for, which later versions of this program may take otherwise.
    return policy_of(document), json.dumps(given, sort_keys=True, separators=(",", ":"), default=str)


def _written_twice(root: yaml.Node | None) -> Iterator[str]:
    """Keys that one mapping has twice: YAML readers take the last one without a word."""
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


# YAML's own types, of which none stands for another: "40" is a text, and so is 1e3; yes and no are no numbers.
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
    """The names that the part of the file at this path may have."""
    kind: Any = PolicyDocument
    for part in path:
        # Within a list or a mapping, the last argument of its type is the type of what lies there.
        kind = kind.model_fields[part].annotation if _is_part(kind) else get_args(kind)[-1]
    return list(kind.model_fields)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _line(node: Any, path: tuple[int | str, ...]) -> int:
    """The line of the deepest part of the path that the file has; of a setting, that of its name."""
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
