"""The store: reads with locks, and one `record` that writes a whole decision."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from adapters.postgres import reads, writes
from adapters.postgres.eligibility.evaluation_reads import as_array, read_cases, read_evidence_kinds
from adapters.postgres.engine import translated_errors
from domain.changes import Decision, Step
from domain.claims.claim import Claim, SpotAndCode
from domain.claims.decide import Delegation
from domain.claims.hold_down import Report
from domain.claims.lifecycle import JUDGED
from domain.eligibility.evaluation import Case
from domain.evidence.item import Evidence, Reported
from domain.field.batch import Quarantined
from domain.field.fault import Fault
from domain.field.quarantine import Entry
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.incidents.incident import Incident
from domain.incidents.windows import Group, Sighting
from domain.notifications.delivery import Delivery
from domain.notifications.group import NewsGroup
from domain.notifications.notice import News
from domain.notifications.silence import Silence
from domain.policy import Policy

_key = attrgetter("key")


class PostgresTransaction:
    """One transaction. Implements `domain.ports.store.Transaction`.

    Statements go to the driver as they are: to prepare and wrap a small one would take longer than to run it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection.connection

    def _execute(self, sql: str, *parameters: object) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(sql, parameters)
        return cursor

    def known_messages(self, keys: Sequence[str]) -> set[str]:
        return {key for (key,) in self._execute(reads.KNOWN_MESSAGES, as_array(keys))}

    def open_claims(self, pairs: Iterable[SpotAndCode]) -> dict[SpotAndCode, Claim]:
        wanted = orjson.dumps(sorted(pairs)).decode()
        claims = [Claim(*row) for row in self._execute(reads.OPEN_CLAIMS, wanted)]
        return {(claim.spot_id, claim.code): claim for claim in claims}

    def stray_clears(self, begins: Mapping[SpotAndCode, datetime]) -> dict[SpotAndCode, list[Fault]]:
        wanted = orjson.dumps([(*pair, since) for pair, since in begins.items()]).decode()
        found: dict[SpotAndCode, list[Fault]] = {}
        for row in self._execute(reads.STRAY_CLEARS, wanted):
            fault = Fault(row[0].replace("-", ""), *row[1:])
            found.setdefault((fault.spot_id, fault.code), []).append(fault)
        return found

    def reports(self, claims: Sequence[Claim]) -> list[list[Report]]:
        reports: list[list[Report]] = [[] for _ in claims]
        for place, moment, cleared in self._execute(reads.FAULT_TIMES, as_array([c.id for c in claims])):
            reports[place - 1].append((moment, cleared))
        return reports

    def claims(self, ids: Sequence[str]) -> list[Claim]:
        return [Claim(*row) for row in self._execute(reads.CLAIMS, as_array(ids))]

    def last_changes(self, claim_ids: Sequence[str]) -> dict[str, int]:
        return dict(self._execute(reads.LAST_CHANGES, as_array(claim_ids)))

    def cases(self, claims: Sequence[Claim], policy: Policy) -> list[Case]:
        return read_cases(self._execute, claims, policy)

    def delegations_to(self, name: str, now: datetime) -> list[Delegation]:
        return [Delegation(*row) for row in self._execute(reads.DELEGATIONS_TO, name, now)]

    def evidence(self, claim_id: str) -> list[Evidence]:
        return [Evidence(*row) for row in self._execute(reads.EVIDENCE, claim_id)]

    def reported_evidence(self, claim_id: str) -> list[Reported]:
        return [Reported(*row) for row in self._execute(reads.REPORTED_EVIDENCE, claim_id)]

    def evidence_kinds(self, claim_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        return read_evidence_kinds(self._execute, claim_ids)

    def deliveries(self, ids: Sequence[str]) -> list[Delivery]:
        return [Delivery(*row) for row in self._execute(reads.DELIVERIES, list(ids))]

    def news_groups(self, wanted: Sequence[NewsGroup]) -> list[NewsGroup]:
        once = {group.id: group for group in wanted}
        self._execute(writes.INSERT_GROUPS.sql, writes.INSERT_GROUPS.rows(once.values()))
        return [NewsGroup(*row) for row in self._execute(reads.GROUPS, as_array(list(once)))]

    def gathering(self, delivery_ids: Sequence[str]) -> list[NewsGroup]:
        return [NewsGroup(*row) for row in self._execute(reads.GATHERING, as_array(delivery_ids))]

    def take_gathered(self, delivery_ids: Sequence[str]) -> dict[str, list[News]]:
        gathered: dict[str, list[News]] = {}
        for delivery_id, news in self._execute(writes.TAKE_GATHERED, as_array(delivery_ids)):
            gathered.setdefault(delivery_id, []).append(News(**news))
        return gathered

    def recent_deliveries(
        self, destinations: Iterable[str], since: datetime, limit: int
    ) -> dict[str, list[datetime]]:
        names = sorted(set(destinations))
        self._execute(writes.TAKE_TURNS_TELLING, names)
        recent: dict[str, list[datetime]] = {}
        for destination, due_at in self._execute(reads.RECENT_DELIVERIES, names, since, limit, limit):
            recent.setdefault(destination, []).append(due_at)
        return recent

    def silences(self, now: datetime) -> list[Silence]:
        return [Silence(*row) for row in self._execute(reads.SILENCES, now, now)]

    def told(self, about: Sequence[str]) -> dict[str, list[str]]:
        ids = as_array(about)
        return dict(self._execute(reads.TOLD, ids, ids))

    def sightings(self, claim_ids: Sequence[str]) -> list[Sighting]:
        return [Sighting(*row) for row in self._execute(reads.SIGHTINGS, as_array(claim_ids))]

    def sightings_since(self, moment: datetime) -> list[Sighting]:
        return [Sighting(*row) for row in self._execute(reads.SIGHTINGS_SINCE, moment)]

    def take_turns_opening(self, codes: Iterable[str]) -> None:
        self._execute(writes.TAKE_TURNS_OPENING, sorted(codes))

    def open_incidents(self, codes: Iterable[str]) -> list[Incident]:
        return [Incident(*row) for row in self._execute(reads.OPEN_INCIDENTS, sorted(codes))]

    def last_closed(self, group: Group) -> Incident | None:
        return next((Incident(*row) for row in self._execute(reads.LAST_CLOSED, *group)), None)

    def incidents(self, ids: Sequence[str]) -> list[Incident]:
        return [Incident(*row) for row in self._execute(reads.INCIDENTS, as_array(ids))]

    def incidents_of(self, claim_ids: Sequence[str]) -> dict[str, str]:
        return dict(self._execute(reads.INCIDENTS_OF, as_array(claim_ids)))

    def claims_of_incident(self, incident_id: str) -> list[str]:
        return [claim_id for (claim_id,) in self._execute(reads.CLAIMS_OF_INCIDENT, incident_id)]

    def open_claims_of_spots(self, spots: Sequence[str], code: str) -> list[str]:
        return [claim_id for (claim_id,) in self._execute(reads.OPEN_CLAIMS_OF_SPOTS, list(spots), code)]

    def take_steps(self, kind: str, ids: Sequence[int]) -> list[Step]:
        return [Step(*row) for row in self._execute(reads.STEPS, list(ids), kind)]

    def record(self, decision: Decision) -> None:
        parts = (
            (writes.INSERT_FAULTS, decision.faults),
            (writes.INSERT_CLAIMS, decision.opened),
            # Before the claims: a change of status is held against the evidence that is there.
            (writes.INSERT_EVIDENCE, decision.evidence),
            (writes.UPDATE_CLAIMS, decision.changed),
            (writes.UPDATE_COUNTED, decision.counted),
            (writes.INSERT_EVENTS, decision.events),
            (writes.UPDATE_GROUPS, decision.groups),
            (writes.INSERT_DELIVERIES, decision.deliveries),
            (writes.UPDATE_ATTEMPTED, decision.attempted),
            (writes.INSERT_GATHERED, decision.gathered),
            (writes.INSERT_INCIDENTS, decision.incidents),
            (writes.INSERT_LINKS, decision.links),
            (writes.INSERT_STEPS, decision.steps),
        )
        statements: list[tuple[str, object]] = [(write.sql, write.rows(items)) for write, items in parts if items]
        if decision.done:
            statements.append((writes.FINISH_STEPS, decision.done))
        if not statements:
            return
        script = "; ".join(sql for sql, _ in statements)
        if decision.steps:
            script += "; " + writes.WAKE_RELAY
        self._execute(script, *(rows for _, rows in statements))

    def postpone_step(self, step: Step, due_at: datetime, error: str) -> None:
        self._execute(
            "UPDATE steps SET attempts = attempts + 1, due_at = %s, leased_until = NULL, last_error = %s"
            " WHERE id = %s",
            due_at,
            error,
            step.id,
        )

    def record_usage(self, records: Sequence[UsageRecord]) -> int:
        spots = sorted({record.spot_id for record in records})
        self._execute(writes.TAKE_TURNS, spots)
        new = self._insert(writes.INSERT_USAGE, records)
        if new:
            sessions = {(record.spot_id, record.session_id) for record in records}
            self._execute(writes.SETTLE_USAGE, orjson.dumps(list(sessions)).decode())
            self._wake_claims(spots)
        return new

    def register_spots(self, spots: Sequence[Spot]) -> int:
        new = self._insert(writes.INSERT_SPOTS, spots)
        if new:
            self._wake_claims(sorted({spot.spot_id for spot in spots}))
        return new

    def _insert(self, write: writes.Write, items: Sequence[UsageRecord] | Sequence[Spot]) -> int:
        """How many were new. In one order for everybody, so that two writers cannot deadlock."""
        new: int = self._execute(write.sql, write.rows(sorted(items, key=_key))).rowcount
        return new

    def _wake_claims(self, spots: list[str]) -> None:
        """Owes a new check to the claims of these spots that nobody has decided yet."""
        if self._execute(writes.OWE_VERIFICATION, spots, list(JUDGED)).rowcount:
            self._execute(writes.WAKE_RELAY)

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        times = Counter(item.key for item in items)
        once = {item.key: asdict(item) | {"times": times[item.key]} for item in items}
        rows = orjson.dumps([once[key] for key in sorted(once)]).decode()
        self._execute(writes.INSERT_QUARANTINE, rows)

    def quarantined(self, key: str) -> Entry | None:
        for row in self._execute(reads.QUARANTINED, key):
            entry = Entry(*row)
            # They come as views of the driver's memory.
            entry.body, entry.edited = bytes(entry.body), entry.edited and bytes(entry.edited)
            return entry
        return None

    def settle_quarantined(self, entry: Entry) -> None:
        self._execute(
            writes.SETTLE_QUARANTINED,
            entry.state,
            entry.reason,
            entry.sentence,
            entry.edited,
            entry.message_key,
            entry.settled_at,
            entry.settled_by,
            entry.settled_why,
            entry.key,
        )


class PostgresStore:
    """Implements `domain.ports.store.Store`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with translated_errors(), self._engine.begin() as connection:
            yield PostgresTransaction(connection)
