"""Puts a transaction together from the subjects, and says in which order it writes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine

from adapters.postgres.audit.events import INSERT_EVENTS, EventRows
from adapters.postgres.claims.claims import INSERT_CLAIMS, INSERT_OPENED, UPDATE_CLAIMS, UPDATE_COUNTED, ClaimRows
from adapters.postgres.eligibility.evaluation_reads import EvaluationReads
from adapters.postgres.engine import translated_errors
from adapters.postgres.evidence.items import INSERT_EVIDENCE, EvidenceRows
from adapters.postgres.field.faults import INSERT_FAULTS, FaultRows
from adapters.postgres.field.quarantine import QuarantineRows
from adapters.postgres.field.spots import SpotRows
from adapters.postgres.field.usage import UsageRows
from adapters.postgres.incidents.incidents import DELETE_LINKS, INSERT_INCIDENTS, INSERT_LINKS, IncidentRows
from adapters.postgres.incidents.sightings import SightingReads
from adapters.postgres.notifications.deliveries import INSERT_DELIVERIES, UPDATE_ATTEMPTED, DeliveryRows
from adapters.postgres.notifications.groups import INSERT_COLLECTED, UPDATE_GROUPS, GroupRows
from adapters.postgres.notifications.silences import SilenceRows
from adapters.postgres.people.delegations import DelegationRows
from adapters.postgres.statements import Write
from adapters.postgres.steps.steps import FINISH_STEPS, INSERT_STEPS, StepRows
from domain.audit.chain import AuditEvent
from domain.audit.event import COUNTED, NEW, OPENED, WHOLE
from domain.changes import ATTEMPTED, Changes, DoneStep
from domain.claims.claim import Claim
from domain.evidence.item import Evidence
from domain.field.fault import Fault
from domain.field.signed_value import CheckSigned, unchecked
from domain.incidents.incident import Incident, Link, Unlink
from domain.notifications.delivery import Collected, Delivery
from domain.notifications.group import NotificationGroup
from domain.steps import Step

# Which statement writes which part of a record, in the order in which they run.
WRITES: Final[Mapping[tuple[type, str], Write]] = {
    (Fault, WHOLE): INSERT_FAULTS,
    (Claim, NEW): INSERT_CLAIMS,
    (Claim, OPENED): INSERT_OPENED,
    # Before the claims: a change of status is held against the evidence that is there.
    (Evidence, WHOLE): INSERT_EVIDENCE,
    (Claim, WHOLE): UPDATE_CLAIMS,
    (Claim, COUNTED): UPDATE_COUNTED,
    (AuditEvent, WHOLE): INSERT_EVENTS,
    (NotificationGroup, WHOLE): UPDATE_GROUPS,
    (Delivery, WHOLE): INSERT_DELIVERIES,
    (Delivery, ATTEMPTED): UPDATE_ATTEMPTED,
    (Collected, WHOLE): INSERT_COLLECTED,
    (Incident, NEW): INSERT_INCIDENTS,
    (Incident, WHOLE): INSERT_INCIDENTS,
    (Link, WHOLE): INSERT_LINKS,
    (Unlink, WHOLE): DELETE_LINKS,
    (Step, WHOLE): INSERT_STEPS,
    (DoneStep, WHOLE): FINISH_STEPS,
}


class PostgresTransaction(
    FaultRows,
    UsageRows,
    SpotRows,
    QuarantineRows,
    ClaimRows,
    EvaluationReads,
    EvidenceRows,
    IncidentRows,
    SightingReads,
    DeliveryRows,
    GroupRows,
    SilenceRows,
    EventRows,
    StepRows,
    DelegationRows,
):
    """Reads and writes within one transaction. Implements `domain.ports.store.Transaction`."""

    def record(self, changes: Changes) -> None:
        """Writes everything in the order of `WRITES` and in one round trip.

        Raises `TypeError` for records that have no statement.
        """
        if unknown := changes.parts - WRITES.keys():
            raise TypeError(f"there is no statement for {unknown}")
        parts: list[tuple[Write, list[Any]]] = [(write, changes.of(*kind)) for kind, write in WRITES.items()]
        parts = [(write, records) for write, records in parts if records]
        if parts:
            statements = [write.sql for write, _ in parts] + [write.afterwards for write, _ in parts]
            self._execute("; ".join(filter(None, statements)), *(write.rows(items) for write, items in parts))


class PostgresStore:
    """Implements `domain.ports.store.Store`. Signed meter values are checked by `check_signed`."""

    def __init__(self, engine: Engine, check_signed: CheckSigned = unchecked) -> None:
        self._engine = engine
        self._check_signed = check_signed

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with translated_errors(), self._engine.begin() as connection:
            transaction = PostgresTransaction(connection)
            transaction.check_signed = self._check_signed
            yield transaction
