"""Steps: what each kind says beside its subjects, how one is split, and that every kind is carried out."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest

from domain import steps
from domain.steps import (
    CLAIM,
    DELIVERY,
    INCIDENT,
    KINDS,
    Announce,
    CheckClocks,
    Deliver,
    Detect,
    Escalate,
    RecordNotified,
    Remind,
    Retry,
    Route,
    SendDigest,
    SettleIncident,
    Step,
    Submit,
    Verify,
)
from tests.builders import NOW, a_policy
from workers import steps as workers_steps
from workers.services.circuit_breaker import CircuitBreaker
from workers.steps.registry import LANES, STEPS, StepParts, build_handlers, kinds_in

IDS = ["a", "b", "c"]
# What each kind is about, and what is in its payload: both are columns of its row.
EXAMPLES: list[tuple[Step, str, dict[str, Any]]] = [
    (Submit(IDS), CLAIM, {}),
    (Verify(IDS), CLAIM, {}),
    (Detect(IDS), CLAIM, {}),
    (Route(IDS), CLAIM, {}),
    (Escalate(IDS, "under_review:1"), CLAIM, {"state_key": "under_review:1"}),
    (CheckClocks(IDS, 2), CLAIM, {"pauses": 2}),
    (SettleIncident(IDS), INCIDENT, {}),
    (Announce(IDS, state_key="approved:1"), CLAIM, {"state_key": "approved:1", "event": ""}),
    (Announce(IDS, event="sla_breached.resolve"), CLAIM, {"state_key": "", "event": "sla_breached.resolve"}),
    (
        Announce(IDS, subject_kind=INCIDENT, event="incident.grew"),
        INCIDENT,
        {"state_key": "", "event": "incident.grew"},
    ),
    (
        Remind(IDS, "repeat", "claim.under_review", "ops"),
        CLAIM,
        {"reason": "repeat", "occasion": "claim.under_review", "destination": "ops"},
    ),
    (
        Remind(IDS, "escalation", "incident.grew 8", "ops", subject_kind=INCIDENT),
        INCIDENT,
        {"reason": "escalation", "occasion": "incident.grew 8", "destination": "ops"},
    ),
    (SendDigest(IDS), DELIVERY, {}),
    (Deliver(IDS, "ops"), DELIVERY, {"destination": "ops"}),
    (Retry(IDS), DELIVERY, {}),
    (RecordNotified(IDS, "d-1"), CLAIM, {"delivery_id": "d-1"}),
    (RecordNotified(IDS, "d-1", subject_kind=INCIDENT), INCIDENT, {"delivery_id": "d-1"}),
]
steps_of_every_kind = pytest.mark.parametrize("step", [step for step, *_ in EXAMPLES], ids=lambda step: step.kind)


@pytest.mark.parametrize(
    ("step", "subject_kind", "payload"), EXAMPLES, ids=lambda value: getattr(value, "kind", "")
)
def test_what_a_kind_says(step: Step, subject_kind: str, payload: dict[str, Any]) -> None:
    """The payload has what only this kind has, JSON-ready, and makes the same step again."""
    assert (step.subject_ids, step.subject_kind, step.due_at, step.attempts, step.id) == (
        IDS,
        subject_kind,
        None,
        0,
        0,
    )
    assert step.payload == payload == json.loads(json.dumps(payload))
    assert KINDS[step.kind](IDS, subject_kind=subject_kind, **payload) == step


def test_every_kind_has_a_name_of_its_own() -> None:
    """None is missing here, in the table, or among the classes."""
    classes = {kind for kind in vars(steps).values() if isinstance(kind, type) and issubclass(kind, Step)}

    assert {type(step) for step, *_ in EXAMPLES} == set(KINDS.values()) == classes - {Step}
    assert all(name == kind.KIND for name, kind in KINDS.items())


@steps_of_every_kind
def test_a_step_is_split_in_two(step: Step) -> None:
    """Both are due at once, failed once more, and are new rows; all else they have of the whole."""
    whole = replace(step, due_at=NOW, attempts=2, id=7)

    halves = whole.halves()

    assert halves == [
        replace(step, subject_ids=["a"], attempts=3),
        replace(step, subject_ids=["b", "c"], attempts=3),
    ]
    assert {type(half) for half in halves} == {type(step)}
    assert (whole.subject_ids, whole.id) == (IDS, 7)


@pytest.mark.parametrize("number", [2, 3, 500])
def test_each_subject_is_in_one_half(number: int) -> None:
    """In the order they had."""
    ids = [f"c-{n}" for n in range(number)]

    one, other = Verify(ids).halves()

    assert one.subject_ids + other.subject_ids == ids
    assert 0 <= len(other.subject_ids) - len(one.subject_ids) <= 1


def test_every_kind_is_registered() -> None:
    """Under its name, with its own payload, in one of the lanes."""
    assert {name: kind.payload for name, kind in STEPS.items()} == KINDS
    assert sorted(name for lane in LANES for name in kinds_in(lane)) == sorted(KINDS)


def test_every_kind_has_a_module_of_its_name() -> None:
    """And the folder has nothing else."""
    modules = {file.stem for file in Path(workers_steps.__path__[0]).glob("*.py")}

    assert modules == {*KINDS, "__init__", "registry"}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_carried_out_in_its_module(name: str) -> None:
    """By the handler that the registry builds."""
    anything = cast(Any, None)
    parts = StepParts(
        policy=a_policy(),
        policies=lambda _: a_policy(),
        clock=lambda: NOW,
        windows=anything,
        threshold=lambda *_: 3,
        notifier=anything,
        breaker=CircuitBreaker(2),
    )

    handler = type(build_handlers(parts)[name])

    assert getattr(import_module(f"workers.steps.{name}"), handler.__name__) is handler
    assert handler.__module__ == f"workers.steps.{name}"


@steps_of_every_kind
def test_what_sets_steps_apart_is_in_their_payload(step: Step) -> None:
    """Else they would all travel together."""
    apart_by = STEPS[step.kind].apart_by

    assert apart_by is None or step.payload[apart_by]
