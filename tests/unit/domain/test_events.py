"""Every kind of audit event: its body on record, and its sentence for people."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.audit.chain import append, instant
from domain.audit.event import UNSTATED, Event, Restated, Unstated, restated_columns
from domain.claims import correction_events as corrections
from domain.claims import decision_events as decisions
from domain.claims import events as claims
from domain.claims.clock_events import ClockChange, SlaBreached, SlaWarned
from domain.events import KINDS, read, what_follows
from domain.evidence.events import EvidenceAdded, EvidenceWithdrawn
from domain.incidents import correction_events as incident_corrections
from domain.incidents import events as incidents
from domain.steps import KINDS as STEPS
from tests.builders import FAULT_TIME, NOW, a_claim, an_incident
from tests.unit.domain.administration.acts import ACTS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
STRATEGIES: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    NoneType: st.none(),
    Any: st.recursive(
        texts | st.integers() | st.none(), lambda values: st.lists(values, max_size=2), max_leaves=4
    ),
    Unstated: st.just(UNSTATED),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Whatever a field of this type may hold."""
    if annotation in STRATEGIES:
        return STRATEGIES[annotation]
    if annotation is ClockChange:
        return st.builds(ClockChange, **stated(ClockChange))
    parts = [values(part) for part in get_args(annotation)]
    if get_origin(annotation) is list:
        return st.lists(parts[0], max_size=3)
    if get_origin(annotation) is dict:
        return st.dictionaries(parts[0], parts[1], max_size=3)
    return st.one_of(parts)


def stated(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    return {field.name: values(field.type) for field in fields(kind)}


def any_event(kind: type[Event[Any]]) -> st.SearchStrategy[Event[Any]]:
    """Any of this kind, whatever it states and leaves out."""
    if issubclass(kind, Restated):
        columns = {
            name: strategy
            for name, strategy in stated(kind.RECORD).items()
            if name in restated_columns(kind.RECORD)
        }
        return st.builds(kind, st.fixed_dictionaries(columns))
    return st.builds(kind, **stated(kind))


def body_on_record(event: Event[Any]) -> str:
    """The canonical JSON that is hashed."""
    return append(a_claim(), NOW, "somebody", event.KIND, event.body()).body


@pytest.mark.parametrize("kind", KINDS)
# What fails is short as it is; to shorten it would take minutes.
@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_what_is_on_record_is_read_back(kind: str, data: st.DataObject) -> None:
    """And would be written again with the same characters."""
    event = data.draw(any_event(KINDS[kind]))
    body = body_on_record(event)

    again = read(kind, json.loads(body))

    assert again == event
    assert body_on_record(again) == body


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_begins_with_its_subject_and_leads_to_steps(kind: str) -> None:
    """The first word is the kind of subject; every kind has a name of its own."""
    event = KINDS[kind]

    assert kind == event.KIND
    assert kind.split(".")[0] in ("claim", "incident", "administration")
    assert all(STEPS[step.KIND] is step for step in event.LEADS_TO)


def test_the_contributors_page_shows_the_steps() -> None:
    """The table is made from the types of the events."""
    assert f"{what_follows()}\n\n<!-- end of generated" in Path("tests/README.md").read_text()


def test_every_class_of_events_is_a_kind() -> None:
    """None that somebody writes can be missing when it is read."""

    def kinds(base: Any) -> set[str]:
        return {kind for child in base.__subclasses__() for kind in kinds(child)} | {getattr(base, "KIND", "")}

    assert kinds(Event) - {""} == KINDS.keys()


MESSAGE = {"delivery": "d-1", "destination": "ops", "event": "x"}
RULE = {"policy": "v1", "rule": 2, "severity": "high", "estimated_cost": 120.5, "currency": "EUR"}
COUNTS = {"fault_count": 1200, "first_seen_at": FAULT_TIME, "last_seen_at": FAULT_TIME, "cleared_at": None}
SIZE = {"claims": ["c1", "c2"], "claim_count": 7, "peak": 1, "last_seen_at": NOW}
FAILED = {"result": "fail", "sentence": "The warranty ended."}
PASSED = {"result": "pass", "sentence": "The spot is known."}
BY_MAX = {"role": "manager", "on_behalf_of": "max"}
OPENED = claims.ClaimOpened(
    spot_id="E1", code="OTHER", severity="low", connector_id=0, policy="v1", faults=["a"], **COUNTS
)
INCIDENT = incidents.IncidentOpened(
    code="OTHER", kind="zone", place="north", threshold=4, told_peak=5, first_seen_at=NOW, **(SIZE | {"peak": 5})
)
SENTENCES: list[tuple[Event[Any], str]] = [
    (OPENED, "opened with 1 message"),
    (claims.FaultsCounted(faults=["a", "b"], **COUNTS), "2 messages more; 1,200 faults in all"),
    (claims.ClaimSubmitted(why="lasted", episodes=1), "the fault outlasted its hold-down"),
    (claims.ClaimSubmitted(why="flapping", episodes=5), "the fault flaps (5 episodes)"),
    (claims.ClaimLapsed(episodes=1), "the fault cleared while it was observed; it becomes no claim"),
    (claims.ClaimVerified(outcome="eligible", answers=[PASSED]), "found eligible: The spot is known."),
    (
        claims.ClaimVerified(outcome="ineligible", answers=[PASSED, FAILED]),
        "found ineligible: The warranty ended.",
    ),
    (
        claims.ClaimVerified(outcome="eligible", answers=[PASSED], clocks=ClockChange(paused_at=NOW)),
        "found eligible: The spot is known. (clocks paused)",
    ),
    (
        claims.ClaimVerified(outcome="eligible", answers=[PASSED], clocks=ClockChange(resumed_at=NOW)),
        "found eligible: The spot is known. (clocks resumed)",
    ),
    (claims.ClaimNotified(**MESSAGE), "notified ops"),
    (claims.ClaimRestated.of(a_claim()), "everything on record was restated"),
    (
        decisions.ClaimRouted(stages=["reviewer", "manager"], **RULE),
        "under review for the reviewer, then the manager: rule 2, severity high, estimated cost 120.5 EUR",
    ),
    (
        decisions.ClaimEscalated(to="manager", open_to=["operator", "reviewer"]),
        "late at the reviewer, now for the manager too",
    ),
    (decisions.ClaimApproved(**BY_MAX, note="ok"), "approved as manager on behalf of max: ok"),
    (
        decisions.ClaimApproved(automatic=True, **RULE),
        "approved without a person: rule 2, severity high, estimated cost 120.5 EUR",
    ),
    (decisions.StagePassed(stage=1, role="reviewer", note=""), "stage passed as reviewer"),
    (decisions.ClaimRejected(role="reviewer", note="why"), "rejected as reviewer: why"),
    (
        decisions.ClaimRejected(role="reviewer", note="cut", reason_code="MISUSE", because="It was misused."),
        "rejected as reviewer: It was misused. [MISUSE]: cut",
    ),
    (
        corrections.ClaimCorrected(
            role="manager",
            note="measured",
            afresh=True,
            code="METER_REGRESSION",
            code_before="METER_MISREAD",
            severity="high",
            severity_before="low",
        ),
        "corrected the error from METER_MISREAD to METER_REGRESSION and the severity from low to high as manager,"
        " to be judged afresh: measured",
    ),
    (
        corrections.ClaimCorrected(
            **BY_MAX, note="ours", afresh=False, severity="high", severity_before="low", also_filed_by=["ann"]
        ),
        "corrected the severity from low to high as manager on behalf of max: ours",
    ),
    (
        corrections.ClaimRebound(role="manager", note="agreed", policy="v2", policy_before="v1"),
        "bound to policy v2, no more to v1, as manager: agreed",
    ),
    (
        corrections.ClaimMarkedDuplicate(role="manager", note="one fault", of="c-2"),
        "closed as a duplicate of claim c-2 as manager: one fault",
    ),
    (
        corrections.DuplicateTaken(**BY_MAX, note="one fault", duplicate="c-1", afresh=True, **COUNTS),
        "took over duplicate claim c-1, now 1,200 faults in all, as manager on behalf of max, to be judged afresh:"
        " one fault",
    ),
    (decisions.ClaimResolved(role="operator"), "resolved as operator"),
    (decisions.ClaimWithdrawn(role="admin", note="why"), "withdrawn as admin: why"),
    (decisions.ClaimReopened(role="admin", note="why"), "reopened as admin: why"),
    (decisions.ClaimAcknowledged(role="operator"), "acknowledged as operator"),
    (decisions.ClaimNoted(note="a call"), "noted: a call"),
    (
        SlaWarned(clock="resolve", due_at=NOW, used_hours=54.0),
        "must be resolved soon: 54 hours used, due 2026-03-10 12:00 UTC",
    ),
    (SlaBreached(clock="acknowledge", due_at=None, used_hours=4.25), "not acknowledged in time: 4.25 hours used"),
    (
        EvidenceAdded(
            id="e", item_kind="meter_reading", content="c", evidence_digest="d", size=1, media_type="image/png"
        ),
        "added evidence: meter reading (image/png, 1 byte)",
    ),
    (EvidenceAdded(id="e", item_kind="note", content="c", evidence_digest="d"), "added evidence: note"),
    (
        EvidenceAdded(
            id="e",
            item_kind="note",
            content="c",
            evidence_digest="d",
            duplicate="c-1",
            filed_at=NOW,
            filed_by="ann",
        ),
        "added evidence: note, from duplicate claim c-1",
    ),
    (
        EvidenceWithdrawn(id="e", item_kind="photo", evidence_digest="", reason="wrong spot"),
        "withdrew evidence: photo: wrong spot",
    ),
    (INCIDENT, "an incident: 7 claims, 5 spots; usual are fewer than 4"),
    (incidents.IncidentCounted(**SIZE), "2 claims more, 7 in all; at most 1 spot"),
    (incidents.IncidentLinked(**SIZE), "2 claims more, 7 in all; at most 1 spot"),
    (incidents.IncidentMerged(**SIZE, merged="i-2"), "took over 2 claims of incident i-2"),
    (incidents.IncidentGrew(told_peak=10), "the incident is spreading: 10 spots"),
    (incidents.IncidentQuiet(), "fell quiet"),
    (incidents.IncidentClosed(closed_why="person", note="mended"), "the incident is over: person: mended"),
    (
        incidents.IncidentSplit(claims=["c1"], claim_count=6, into="i-3", note="another cause"),
        "1 claim went to incident i-3: another cause",
    ),
    (incident_corrections.ClaimsLeft(claims=["c1"], claim_count=6), "1 claim left: the error was corrected"),
    (incidents.IncidentAcknowledged(note="on my way"), "acknowledged: on my way"),
    (incidents.RootCauseStated(root_cause="a transformer"), "root cause stated: a transformer"),
    (incidents.IncidentNotified(**MESSAGE), "notified ops"),
    (incidents.IncidentRestated.of(an_incident()), "everything on record was restated"),
    *ACTS,
]


@pytest.mark.parametrize(("event", "story"), SENTENCES, ids=lambda value: getattr(value, "KIND", ""))
def test_an_event_is_a_sentence_and_what_was_remarked(event: Event[Any], story: str) -> None:
    """Also once it is read back."""
    again = read(event.KIND, json.loads(body_on_record(event)))

    assert again.story == event.story == story
    assert story == (f"{event.sentence}: {event.remark}" if event.remark else event.sentence)


def test_every_kind_has_its_sentence() -> None:
    """None is left out of the table."""
    assert {event.KIND for event, _ in SENTENCES} == KINDS.keys()


class TestBodies:
    """What stands in them, and what may not."""

    def test_a_stage_that_was_not_stated_is_not_named(self) -> None:
        assert decisions.ClaimEscalated(to="manager").sentence == "late, now for the manager too"

    def test_what_is_not_stated_is_left_out(self) -> None:
        """None is stated as null."""
        change = ClockChange(resolve_due_at=None, paused_at=NOW)

        assert change.body() == {"resolve_due_at": None, "paused_at": instant(NOW)}
        assert ClockChange.read(change.body()) == change

    def test_some_keys_are_not_spelled_like_their_fields(self) -> None:
        """They are hashed, and stay as they were."""
        escalated = decisions.ClaimEscalated(to="manager", open_to=["reviewer"])
        withdrawn = EvidenceWithdrawn(id="e", item_kind="photo", evidence_digest="", reason="wrong")

        assert escalated.body() == {"to": "manager", "from": ["reviewer"]}
        assert withdrawn.body()["kind"] == "photo"

    def test_a_restatement_has_every_column(self) -> None:
        """But for the id, the version and the head, which are the chain's."""
        claim = a_claim(pauses=[NOW, NOW])

        body = json.loads(body_on_record(claims.ClaimRestated.of(claim)))

        assert body.keys() == {field.name for field in fields(claim)} - {"id", "version", "head"}
        assert body["pauses"] == [instant(NOW)] * 2

    def test_what_a_later_version_stated_too_says_nothing(self) -> None:
        """An archive may come from one."""
        body = decisions.ClaimNoted(note="a call").body() | {"mood": "good"}

        assert read("claim.noted", body) == decisions.ClaimNoted(note="a call")
        restated = claims.ClaimRestated.of(a_claim())
        assert read("claim.restated", restated.body() | {"mood": "good", "head": "00"}) == restated

    def test_what_cannot_be_read(self) -> None:
        """A kind that nobody knows, a key that is missing, and a moment that is none."""
        with pytest.raises(LookupError):
            read("claim.exploded", {})
        with pytest.raises(TypeError, match="stage"):
            read("claim.stage_passed", {})
        with pytest.raises(ValueError, match="noon"):
            read("claim.sla_warned", {"clock": "resolve", "due_at": "noon", "used_hours": 1})
