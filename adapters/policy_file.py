"""Reads the policy from YAML. Everything wrong is told at once, with file, line and what would be right."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.approval import ROLES
from domain.catalogue import CLAIM_TYPES
from domain.errors import SetupError
from domain.policy import SEVERITIES, CodePolicy, NotificationRule, Policy, Severity

_EVENTS = ("under_review", "awaiting_evidence", "ineligible", "approved", "rejected", "resolved")
_Hours = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Code(_Part):
    severity: Severity


class _Eligibility(_Part):
    evidence_wait_hours: _Hours
    corroboration_window_days: Annotated[float, Field(gt=0)]
    unknown_spot_passes: bool
    unknown_warranty_passes: bool


class _Rule(_Part):
    event: str
    to: Annotated[list[str], Field(min_length=1)]
    severities: list[Severity] = []
    claim_types: list[str] = []

    @model_validator(mode="after")
    def _known(self) -> "_Rule":
        _demand_known("event", [self.event], [f"claim.{status}" for status in _EVENTS])
        _demand_known("claim type", self.claim_types, sorted(set(CLAIM_TYPES.values())))
        return self


class _Document(_Part):
    version: Annotated[str, Field(min_length=1, max_length=64)]
    codes: dict[str, _Code]
    stages: dict[Severity, Annotated[list[str], Field(min_length=1)]]
    resolve_hours: dict[Severity, _Hours]
    eligibility: _Eligibility
    notifications: list[_Rule]

    @model_validator(mode="after")
    def _complete(self) -> "_Document":
        _demand_known("code", list(self.codes), list(CLAIM_TYPES))
        _demand_all("codes", list(self.codes), list(CLAIM_TYPES))
        _demand_all("stages", list(self.stages), list(SEVERITIES))
        _demand_all("resolve_hours", list(self.resolve_hours), list(SEVERITIES))
        _demand_known("role", [role for roles in self.stages.values() for role in roles], list(ROLES))
        return self


def _demand_known(what: str, given: list[str], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{what} {name!r} is unknown; there are {', '.join(known)}")


def _demand_all(what: str, given: list[str], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in given]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")


def load_policy(path: Path | None = None) -> Policy:
    """The policy in that file, or the built-in default. Raises `SetupError`, a line for each thing wrong."""
    name = str(path) if path else "the built-in policy"
    try:
        text = path.read_text() if path else (files("domain") / "policy.yaml").read_text()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = _Document.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise SetupError(f"SPOTCLAIM_POLICY: {name} cannot be read: {error.strerror}.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SetupError(f"{name}, line {line}: not YAML: {error.problem}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SetupError(f"{name}, line {line}: not YAML: {error.reason}.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SetupError(f"{name}, line {line}: not UTF-8.") from None
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise SetupError("\n".join(_problem(name, node, problem) for problem in problems)) from None
    return _policy(document)


def _policy(document: _Document) -> Policy:
    return Policy(
        version=document.version,
        codes={name: CodePolicy(code.severity) for name, code in document.codes.items()},
        stages={severity: tuple(roles) for severity, roles in document.stages.items()},
        resolve_hours=dict[str, float](document.resolve_hours.items()),
        notifications=tuple(
            NotificationRule(rule.event, tuple(rule.to), tuple(rule.severities), tuple(rule.claim_types))
            for rule in document.notifications
        ),
        **document.eligibility.model_dump(),
    )


def _problem(name: str, root: Any, problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    line = _line(root, problem["loc"])
    return f"{name}, line {line}: {place or 'policy'}: {problem['msg']}."


def _line(node: Any, path: tuple[int | str, ...]) -> int:
    """The line of the deepest part of the path that the file has."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            child = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
        else:
            child = None
        if child is None:
            break
        node = child
    return int(node.start_mark.line) + 1 if node is not None else 1
