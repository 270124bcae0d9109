"""What the inside needs of the outside. Adapters implement these; tests run one suite over each of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.changes import Decision, Step
from domain.claims.claim import Claim, SpotAndCode
from domain.claims.decide import Delegation
from domain.claims.hold_down import Report
from domain.eligibility.evaluation import Case
from domain.evidence.file import File, Upload
from domain.evidence.item import Evidence, OnFile, Reported
from domain.field.batch import Batch, Quarantined
from domain.field.fault import Fault
from domain.field.quarantine import Entry
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from domain.incidents.incident import Incident
from domain.incidents.windows import Group, Sighting
from domain.notifications.delivery import FAILED, SENT, UNKNOWN, Delivery
from domain.notifications.group import NewsGroup
from domain.notifications.notice import News
from domain.notifications.silence import Silence
from domain.policy import Policy

Clock = Callable[[], datetime]
"""The present moment, with a time zone."""

HandOver = Callable[[Batch], None]
"""Returns when every message of the batch is durable; raises `TransientError` when that cannot be said."""

Known = Callable[[Batch], set[str]]
"""The keys of those messages of the batch, quarantined ones too, that are in the database already."""


class Sightings(Protocol):
    """What detection needs: what was seen, and the incidents that there are."""

    def sightings(self, claim_ids: Sequence[str]) -> list[Sighting]:
        """These claims as sightings of their errors, with the zones and models that their spots are known by."""

    def sightings_since(self, moment: datetime) -> list[Sighting]:
        """All claims whose errors were seen at this moment or after it, as sightings."""

    def take_turns_opening(self, codes: Iterable[str]) -> None:
        """Waits for others that would open incidents of these codes, and keeps them waiting until the end."""

    def open_incidents(self, codes: Iterable[str]) -> list[Incident]:
        """The incidents of these codes that are not closed, locked."""

    def last_closed(self, group: Group) -> Incident | None:
        """The incident of this group that was closed last, not locked."""

    def incidents(self, ids: Sequence[str]) -> list[Incident]:
        """These incidents, locked; unknown ids are left out."""

    def incidents_of(self, claim_ids: Sequence[str]) -> dict[str, str]:
        """The incidents that these claims belong to, by claim, as far as they are not closed."""

    def open_claims_of_spots(self, spots: Sequence[str], code: str) -> list[str]:
        """The ids of the open claims of these spots and of this code."""


class Transaction(Sightings, Protocol):
    """One database transaction. Reads lock what they return, in one order, so writers cannot deadlock."""

    def known_messages(self, keys: Sequence[str]) -> set[str]:
        """Those of the fault keys that were taken in before."""

    def open_claims(self, pairs: Iterable[SpotAndCode]) -> dict[SpotAndCode, Claim]:
        """The open claim of each spot and code, locked."""

    def stray_clears(self, begins: Mapping[SpotAndCode, datetime]) -> dict[SpotAndCode, list[Fault]]:
        """Clears of these spots and codes that belong to no claim and occurred at this moment or after it."""

    def reports(self, claims: Sequence[Claim]) -> list[list[Report]]:
        """Of each claim when its error was raised and cleared, in any order, up to some thousands; of stray clears
        those that occurred since the claim was first seen."""

    def claims(self, ids: Sequence[str]) -> list[Claim]:
        """These claims, locked; unknown ids are left out."""

    def last_changes(self, claim_ids: Sequence[str]) -> dict[str, int]:
        """The number of each claim's last audit event that was more than being told of."""

    def cases(self, claims: Sequence[Claim], policy: Policy) -> list[Case]:
        """The claims with their spots, the usage records that bear on them, their last verdicts, and, where the
        policy demands evidence, the kinds on file."""

    def delegations_to(self, name: str, now: datetime) -> list[Delegation]:
        """The authority that others have lent to this person and that has not ended by `now`."""

    def evidence(self, claim_id: str) -> list[Evidence]:
        """What was filed for the claim, withdrawn or not, oldest first."""

    def reported_evidence(self, claim_id: str) -> list[Reported]:
        """What came with the claim's faults, oldest first, up to a thousand pieces."""

    def evidence_kinds(self, claim_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """The kinds of evidence on file for each of the claims: filed and not withdrawn, or come with a fault."""

    def deliveries(self, ids: Sequence[str]) -> list[Delivery]:
        """These deliveries, locked."""

    def news_groups(self, wanted: Sequence[NewsGroup]) -> list[NewsGroup]:
        """These groups of news as they stand, locked; what is not there yet is made as it is given."""

    def gathering(self, delivery_ids: Sequence[str]) -> list[NewsGroup]:
        """The groups that gather news in these deliveries, locked."""

    def take_gathered(self, delivery_ids: Sequence[str]) -> dict[str, list[News]]:
        """The news that these deliveries gathered, by delivery, in the order it came; it is kept no longer."""

    def recent_deliveries(
        self, destinations: Iterable[str], since: datetime, limit: int
    ) -> dict[str, list[datetime]]:
        """When the latest messages of each destination are due, or were due after `since`, each attempt of each,
        latest first; nobody else gives out times of theirs until this transaction ends."""

    def silences(self, now: datetime) -> list[Silence]:
        """Those that last at this moment."""

    def told(self, about: Sequence[str]) -> dict[str, list[str]]:
        """The destinations that were told of each of these claims or incidents before."""

    def claims_of_incident(self, incident_id: str) -> list[str]:
        """The ids of all claims that belong to it."""

    def take_steps(self, kind: str, ids: Sequence[int]) -> list[Step]:
        """Those of the steps that are still owed and that nobody else holds, locked."""

    def record(self, decision: Decision) -> None:
        """Writes everything a decision holds."""

    def postpone_step(self, step: Step, due_at: datetime, error: str) -> None:
        """Puts a step off after a failed attempt, keeping the reason."""

    def record_usage(self, records: Sequence[UsageRecord]) -> int:
        """Stores usage records, the latest of a session winning, and owes a new `verify` to the claims of
        their spots that nobody has decided yet. Returns how many were new."""

    def register_spots(self, spots: Sequence[Spot]) -> int:
        """Stores registrations; of each detail of a spot the latest word counts. Returns how many were new."""

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        """Keeps messages that could not be understood; the same bytes once, with a count."""

    def quarantined(self, key: str) -> Entry | None:
        """The message in quarantine with this key, locked."""

    def settle_quarantined(self, entry: Entry) -> None:
        """Writes what became of a message in quarantine, or why it was refused again."""


class Store(Protocol):
    """The truth. Raises `TransientError` when it is away, busy, or two writers met."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commits when the block ends, rolls back when it raises."""


class StationMemory(Protocol):
    """What must be remembered of OCPP stations, each one's as one text. Raises `TransientError`."""

    def recall(self, stations: Sequence[str]) -> dict[str, str]:
        """What was kept of these stations, and of all that wait for an answer."""

    def keep(self, stations: Mapping[str, tuple[str, bool]]) -> None:
        """Keeps what each station is to be remembered by, and whether it waits for an answer."""


class EvidenceFiles(Protocol):
    """Bytes of evidence by their SHA-256 (64 hexadecimal digits). The same bytes are kept once, and for good."""

    def put(self, content: bytes) -> str:
        """Keeps the bytes and returns their SHA-256. Durable when it returns; raises `TransientError`."""

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises `NotFound` for those that are not there or were altered, and `TransientError`."""


Sniff = Callable[[bytes], tuple[str, ...]]
"""The media types that bytes may be, the most telling first; none when they are of no type that is taken."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt to notify: `answer` is one line without secrets.

    Of one that is `unknown` nobody can say whether it arrived; `wait_seconds` is how long the destination asked to
    be left alone.
    """

    sent: bool
    answer: str
    unknown: bool = False
    wait_seconds: float | None = None

    @property
    def status(self) -> str:
        """As of a delivery: `sent`, `unknown` or `failed`."""
        return SENT if self.sent else UNKNOWN if self.unknown else FAILED


@dataclass(frozen=True, slots=True)
class Message:
    """What one destination is told. `key` is the same for each attempt: by it a receiver knows a repetition.

    Title and body say it in plain text; `summary` holds the fields of a `domain.notifications.notice.Summary`, of
    which other texts can be made, and is empty where there is nothing but the text.
    """

    key: str
    title: str
    body: str
    event: str = ""
    reason: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)


class Notifier(Protocol):
    """Tells people. Never raises for what a destination does; bounded in time."""

    @property
    def destinations(self) -> Mapping[str, str]:
        """Names of the destinations and the schema of each, for people to read."""

    def send(self, destination: str, message: Message) -> Outcome:
        """One attempt to deliver one message to one named destination."""

    def problems(self) -> list[str]:
        """What would keep messages from being sent as they should be; one line each, without secrets."""


class Feed(Protocol):
    """The live feed of what happens. Disposable: losing it loses no truth, so it never raises and never waits
    longer than a moment."""

    def publish(self, kind: str, claims: Sequence[Claim]) -> None:
        """Tells whoever listens that this just happened to these claims."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and in which role."""

    name: str
    role: str


Authenticate = Callable[[str], Identity | None]
"""Who holds an API token; None for one that is unknown or disabled."""


BindKey = Callable[[str, str, bytes], None]
"""Binds somebody's idempotency key to a request for a day. Raises `KeyReused` when it is bound to another, and
`TransientError`."""


class EvidenceDesk(Protocol):
    """Adds items to claims, withdraws them, and shows what a claim has and lacks. Raises `TransientError`."""

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
        """The item as it is on file, and whether it is new: the same from the same person is one item. Raises
        `NotAllowed`, `NotFound`, `Conflict`, and what `evidence_file.settle` and `evidence.compose` raise."""

    def withdraw(self, claim_id: str, item_id: str, *, who: str, role: str, reason: str) -> Evidence:
        """Withdraws one item. Raises `NotAllowed`, and what `filing.withdraw` raises."""

    def on_file(self, claim_id: str) -> OnFile:
        """What the claim has, filed or come with its faults, and lacks by its policy. Raises `NotFound`."""

    def file(self, claim_id: str, item_id: str) -> tuple[File, bytes]:
        """A file that is on record, withdrawn or not. Raises `NotFound`."""


class Delegations(Protocol):
    """Who acts for whom. Rows are JSON-ready: id, role, of, to, until, created_at, revoked_at."""

    def lend(self, role: str, of: str, to: str, until: datetime) -> dict[str, Any]:
        """Lends the authority of a role that `of` holds to another person."""

    def revoke(self, delegation_id: str, of: str | None) -> dict[str, Any]:
        """Ends a delegation, only if it is one of `of` where that is given. Raises `NotFound`."""

    def listed(self) -> list[dict[str, Any]]:
        """The latest thousand, ended ones too."""
