"""Defines the ports of the domain. Adapters implement them; tests run one suite over each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.changes import Changes
from domain.claims.claim import Claim, SpotAndCode
from domain.claims.decide import Delegation
from domain.claims.hold_down import Report
from domain.eligibility.evaluation import EvaluationInput
from domain.evidence.file import File, Upload
from domain.evidence.item import Evidence, OnFile, Reported
from domain.field.batch import Batch, Quarantined
from domain.field.fault import Fault
from domain.field.quarantine import QuarantineEntry
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.incidents.incident import Incident
from domain.incidents.windows import Group, Sighting
from domain.notifications.delivery import FAILED, SENT, UNKNOWN, Delivery
from domain.notifications.group import NotificationGroup
from domain.notifications.notice import Notice
from domain.notifications.silence import Silence
from domain.policy.policy import Policy
from domain.steps import Step

Clock = Callable[[], datetime]
"""The present moment, with a time zone."""

DeliverBatch = Callable[[Batch], None]
"""Returns when every message of the batch is durable; raises `TransientError` when that cannot be said."""

Known = Callable[[Batch], set[str]]
"""Returns the keys of those messages of the batch, quarantined ones too, that are in the database already."""


class Sightings(Protocol):
    """Reads what detection needs: sightings and incidents."""

    def sightings(self, claim_ids: Sequence[str]) -> list[Sighting]:
        """Returns these claims as sightings, with the zones and models of their spots."""

    def sightings_since(self, moment: datetime) -> list[Sighting]:
        """Returns all claims whose errors were seen at this moment or later, as sightings."""

    def take_turns_opening(self, codes: Iterable[str]) -> None:
        """Waits for others that would open incidents of these codes, and then locks them out."""

    def open_incidents(self, codes: Iterable[str]) -> list[Incident]:
        """Returns the incidents of these codes that are not closed, locked."""

    def last_closed(self, group: Group) -> Incident | None:
        """Returns the incident of this series that was closed last, not locked."""

    def incidents(self, ids: Sequence[str]) -> list[Incident]:
        """Returns these incidents, locked; unknown ids are left out."""

    def incidents_of(self, claim_ids: Sequence[str]) -> dict[str, str]:
        """Returns the open incidents that these claims belong to, by claim."""

    def open_claims_of_spots(self, spots: Sequence[str], code: str) -> list[str]:
        """Returns the ids of the open claims of these spots and of this code."""


class Transaction(Sightings, Protocol):
    """One database transaction. Reads lock what they return, in one order, so writers cannot deadlock."""

    def known_messages(self, keys: Sequence[str]) -> set[str]:
        """Returns those of the fault keys that were ingested before."""

    def open_claims(self, pairs: Iterable[SpotAndCode]) -> dict[SpotAndCode, Claim]:
        """Returns the open claim of each spot and code, locked."""

    def claim_numbers(self, count: int) -> list[int]:
        """Draws so many numbers for new claims. Nobody draws them again, even if this transaction fails."""

    def stray_clears(self, begins: Mapping[SpotAndCode, datetime]) -> dict[SpotAndCode, list[Fault]]:
        """Returns clears without a claim of these spots and codes, from their moments on."""

    def reports(self, claims: Sequence[Claim]) -> list[list[Report]]:
        """Returns when each claim's error was raised and cleared, in any order; some thousands at most."""

    def claims(self, ids: Sequence[str]) -> list[Claim]:
        """Returns these claims, locked; unknown ids are left out."""

    def last_changes(self, claim_ids: Sequence[str]) -> dict[str, int]:
        """Returns each claim's last event number, notifications of it left out."""

    def cases(self, claims: Sequence[Claim], policy: Policy) -> list[EvaluationInput]:
        """Reads the evaluation input of these claims, with their signed meter values checked."""

    def usage_digests(self, keys: Sequence[str]) -> dict[str, str]:
        """Returns the digest over the whole row of each of these usage records, by key."""

    def delegations_to(self, name: str, now: datetime) -> list[Delegation]:
        """Returns the delegations to this person that have not ended by `now`."""

    def evidence(self, claim_id: str) -> list[Evidence]:
        """Returns what was filed for the claim, withdrawn or not, oldest first."""

    def reported_evidence(self, claim_id: str) -> list[Reported]:
        """Returns what came with the claim's faults, oldest first, up to `REPORTED_PIECES`."""

    def evidence_kinds(self, claim_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Returns the kinds of evidence on file for each claim, filed or from its faults."""

    def deliveries(self, ids: Sequence[str]) -> list[Delivery]:
        """Returns these deliveries, locked."""

    def notification_groups(self, wanted: Sequence[NotificationGroup]) -> list[NotificationGroup]:
        """Returns these groups as they are, locked; a missing one is made as given."""

    def collecting(self, delivery_ids: Sequence[str]) -> list[NotificationGroup]:
        """Returns the groups that collect in these deliveries, locked."""

    def take_collected(self, delivery_ids: Sequence[str]) -> dict[str, list[Notice]]:
        """Removes the notices that these deliveries collected, and returns them in order."""

    def recent_deliveries(
        self, destinations: Iterable[str], since: datetime, limit: int
    ) -> dict[str, list[datetime]]:
        """Returns when the latest messages of each destination are or were due, latest first. Each attempt counts,
        from `since` on. Others wait to schedule messages for them until this transaction ends."""

    def silences(self, now: datetime) -> list[Silence]:
        """Returns the silences in force at this moment."""

    def notified(self, about: Sequence[str]) -> dict[str, list[str]]:
        """Returns the destinations that were notified of each claim or incident before."""

    def claims_of_incident(self, incident_id: str) -> list[str]:
        """Returns the ids of all claims that belong to an incident."""

    def linked_incident(self, claim_id: str) -> Incident | None:
        """Returns the incident that a claim belongs to, open or closed, locked."""

    def take_steps(self, kind: str, ids: Sequence[int]) -> list[Step]:
        """Returns those of the steps that are pending and not held by others, locked."""

    def record(self, changes: Changes) -> None:
        """Writes all changes."""

    def postpone_step(self, step: Step, due_at: datetime, error: str) -> None:
        """Postpones a step after a failed attempt, keeping the reason."""

    def record_usage(self, records: Sequence[UsageRecord]) -> int:
        """Stores usage records and has undecided claims of their spots verified. Returns how many were new."""

    def register_spots(self, spots: Sequence[Spot]) -> int:
        """Stores registrations, and returns how many were new; see `record_usage`."""

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        """Stores messages that could not be understood; the same bytes once, with a count."""

    def quarantined(self, key: str) -> QuarantineEntry | None:
        """Returns the message in quarantine with this key, locked."""

    def settle_quarantined(self, entry: QuarantineEntry, who: str) -> None:
        """Writes what became of a message in quarantine, or its new reason, and that `who` did it."""


class Store(Protocol):
    """The database, which holds the truth. Raises `TransientError` when it is away, busy, or two writers met."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commits when the block ends, rolls back when it raises."""


class StationMemory(Protocol):
    """Remembers one text for each OCPP station. Raises `TransientError`."""

    def recall(self, stations: Sequence[str]) -> dict[str, str]:
        """Returns the texts of these stations, and of all that wait for an answer."""

    def keep(self, stations: Mapping[str, tuple[str, bool]]) -> None:
        """Stores each station's text, and whether it waits for an answer."""


class EvidenceFiles(Protocol):
    """Stores files of evidence by their SHA-256 (64 hexadecimal digits); the same bytes once, and for good."""

    def put(self, content: bytes) -> str:
        """Makes the bytes durable and returns their SHA-256. Raises `TransientError`."""

    def get(self, sha256: str) -> bytes:
        """Returns the bytes. Raises `NotFound` for missing or altered ones, and `TransientError`."""


Sniff = Callable[[bytes], tuple[str, ...]]
"""Returns the media types that bytes may be, the likeliest first; none for bytes of no accepted type."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of one delivery attempt; `answer` is one line without secrets. An `unknown` one may have arrived;
    `wait_seconds` is how long the destination asked to be left alone."""

    sent: bool
    answer: str
    unknown: bool = False
    wait_seconds: float | None = None

    @property
    def status(self) -> str:
        """Returns the status of a delivery: `sent`, `unknown` or `failed`."""
        return SENT if self.sent else UNKNOWN if self.unknown else FAILED


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one destination. `key` is the same for each attempt, so that a receiver can deduplicate. Title
    and body are plain text; `summary` holds the fields of a `domain.notifications.notice.Summary` for other
    templates, and is empty where there is only the text."""

    key: str
    title: str
    body: str
    event: str = ""
    reason: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)


class Notifier(Protocol):
    """Sends messages to destinations. It never raises for what a destination does, and is bounded in time."""

    @property
    def destinations(self) -> Mapping[str, str]:
        """Returns the names of the destinations with their schemas, for people to read."""

    def send(self, destination: str, message: Message) -> AttemptResult:
        """Makes one attempt to deliver a message to a destination."""

    def problems(self) -> list[str]:
        """Lists what would keep messages from being sent, one line each, without secrets."""


class Feed(Protocol):
    """Publishes the live feed, which is disposable: it never raises, and never waits longer than a moment."""

    def publish(self, kind: str, claims: Sequence[Claim]) -> None:
        """Publishes that this just happened to these claims."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The person or program that asks, and its role."""

    name: str
    role: str


Authenticate = Callable[[str], Identity | None]
"""Returns who holds an API token; None for one that is unknown or disabled."""

BindKey = Callable[[str, str, bytes], None]
"""Binds an idempotency key to a request for a day. Raises `KeyReused` for another one, and `TransientError`."""


class EvidenceService(Protocol):
    """Files and withdraws evidence, and shows what is on file. Raises `TransientError`."""

    def add(
        self,
        claim_id: str,
        kind: str,
        *,
        who: str,
        role: str,
        note: str = "",
        data: dict[str, Any] | None = None,
        upload: Upload | None = None,
    ) -> tuple[Evidence, bool]:
        """Returns the item on file, and whether it is new. The same from the same person is one item. Raises
        `NotAllowed`, `NotFound`, `Conflict`, and what `evidence_file.settle` and `evidence.compose` raise."""

    def withdraw(self, claim_id: str, item_id: str, *, who: str, role: str, reason: str) -> Evidence:
        """Withdraws one item. Raises `NotAllowed`, and what `filing.withdraw` raises."""

    def on_file(self, claim_id: str) -> OnFile:
        """Returns what the claim has on file, and lacks by its policy. Raises `NotFound`."""

    def file(self, claim_id: str, item_id: str) -> tuple[File, bytes]:
        """Returns a file that is on record, withdrawn or not. Raises `NotFound`."""


class Delegations(Protocol):
    """Stores who acts for whom. Rows are JSON-ready: id, role, of, to, until, created_at, revoked_at."""

    def lend(self, role: str, of: str, to: str, until: datetime) -> dict[str, Any]:
        """Lends the authority of a role that `of` holds to another person."""

    def revoke(self, delegation_id: str, of: str | None, who: str) -> dict[str, Any]:
        """Ends a delegation, only if it is one of `of` where that is given; `who` ends it. Raises `NotFound`."""

    def listed(self) -> list[dict[str, Any]]:
        """Lists the latest thousand, ended ones too."""
