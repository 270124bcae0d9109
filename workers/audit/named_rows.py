"""Checks the rows that events name: faults, usage records, items of evidence, and the files of these."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from domain.audit.chain import instant
from domain.audit.row_digests import joined
from domain.claims.correction_events import ClaimCorrected
from domain.claims.events import ClaimOpened, ClaimRestated, ClaimVerified, FaultsCounted
from domain.eligibility.usage_answer import records_stated
from domain.evidence.events import EvidenceAdded, EvidenceWithdrawn
from workers.audit.findings import AuditFinding, Result

_CLAIM = "claim"
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


class FaultRow(NamedTuple):
    """Where the row of a fault belongs; `claim_id` is None for a clear that came before what it clears."""

    key: str
    claim_id: str | None
    spot_id: str
    code: str
    cleared: bool


class UsageRow(NamedTuple):
    """A usage record, as far as verdicts state it; earlier ones had no digest, which is over all of the row."""

    key: str
    spot_id: str
    session_id: str
    connector_id: int
    started_at: str | None
    ended_at: str | None
    energy_kwh: float | None
    meter_start_kwh: float | None
    meter_stop_kwh: float | None
    periods_kwh: float | None
    reservation_id: str | None
    user: str | None
    digest: str


class ItemRow(NamedTuple):
    """The row of an item of evidence; `content` is the SHA-256 of its text."""

    id: str
    claim_id: str
    kind: str
    added_at: str
    added_by: str
    content: str
    withdrawn_at: str | None
    withdrawn_by: str | None


class Rows(Protocol):
    """Reads the rows behind a part of the record."""

    @property
    def files_inside(self) -> bool:
        """Checks whether the files of evidence are kept in the database."""

    def faults(self, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Reads the faults with these keys, as `FaultRow` has them."""

    def fault_digests(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Reads the digests of the rows of these faults, each with its key."""

    def usage(self, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Reads the usage records with these keys, as `UsageRow` has them."""

    def items(self, ids: Sequence[str], claim_ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Reads the items with these ids, and all of these claims, as `ItemRow` has them."""

    def files(self, digests: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Reads the files that are kept under these digests, each with the digest of its bytes as they are."""


class UnreadableEvent(Exception):
    """An event of a sound chain does not state what its kind does; `seq` is its number."""

    def __init__(self, seq: int) -> None:
        super().__init__(seq)
        self.seq = seq


@dataclass(slots=True)
class _Item:
    claim_id: str
    seq: int
    stated: dict[str, Any]
    file: str | None


@dataclass(slots=True)
class NamedRows:
    """The rows that sound chains name, each with the claim and the event that named it first.

    `claims` has the spot of each claim. Of a fault also the code that its claim had when it was counted is kept.
    """

    claims: dict[str, str] = field(default_factory=dict)
    _faults: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    _usage: dict[str, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)
    _items: dict[str, _Item] = field(default_factory=dict)
    # By claim, the faults that opened it; and what a verdict says of all their rows, with its number.
    _opening: dict[str, list[str]] = field(default_factory=dict)
    _digests: dict[str, tuple[str, int]] = field(default_factory=dict)

    def see(self, claim: Any, events: Sequence[tuple[Any, str, str]]) -> None:
        """Adds what the events of a claim name; each comes with its moment and its actor.

        Raises `UnreadableEvent`.
        """
        self.claims[claim.id], code = claim.spot_id, ""
        for seq, (event, at, actor) in enumerate(events, 1):
            try:
                code = _code_after(event, code)
                self._see(claim, seq, event, at, actor, code)
            except (LookupError, TypeError, ValueError, AttributeError):
                raise UnreadableEvent(seq) from None

    def _see(self, claim: Any, seq: int, event: Any, at: str, actor: str, code: str) -> None:
        if isinstance(event, ClaimOpened | FaultsCounted):
            for key in event.faults:
                self._faults.setdefault(_id(key), (claim.id, seq, code))
            if isinstance(event, ClaimOpened):
                self._opening[claim.id] = list(event.faults)
        elif isinstance(event, ClaimVerified):
            for facts in records_stated(event.answers):
                stated = {"spot_id": claim.spot_id} | facts
                if "digest" not in self._usage.setdefault(_id(facts["key"]), (claim.id, seq, stated))[2]:
                    self._usage[facts["key"]] = (claim.id, seq, stated)
            if isinstance(event.faults_digest, str):
                self._digests[claim.id] = (event.faults_digest, seq)
        elif isinstance(event, EvidenceAdded):
            stated = {"claim_id": claim.id, "kind": event.item_kind, "content": event.content}
            stated |= {"added_at": at, "added_by": actor, "withdrawn_at": None, "withdrawn_by": None}
            if isinstance(event.filed_at, datetime):
                stated |= {"added_at": instant(event.filed_at), "added_by": event.filed_by}
            file = event.sha256 if isinstance(event.sha256, str) else None
            self._items[_id(event.id)] = _Item(claim.id, seq, stated, file)
        elif isinstance(event, EvidenceWithdrawn) and event.id in self._items:
            self._items[event.id].stated |= {"withdrawn_at": at, "withdrawn_by": actor}

    def hold(self, rows: Rows, result: Result) -> None:
        """Checks every row against the event that named it."""
        result.rows = (result.rows or 0) + len(self._faults) + len(self._usage) + len(self._items)
        self._hold_faults({row[0]: FaultRow(*row) for row in rows.faults(list(self._faults))}, result)
        self._hold_digests(rows, result)
        self._hold_usage({row[0]: UsageRow(*row) for row in rows.usage(list(self._usage))}, result)
        items = rows.items(list(self._items), list(self.claims))
        self._hold_items({row[0]: ItemRow(*row) for row in items}, result)
        if rows.files_inside:
            named = {item.file for item in self._items.values() if item.file}
            self._hold_files(dict(rows.files(sorted(named))), result)

    def _hold_faults(self, found: Mapping[str, FaultRow], result: Result) -> None:
        for key, (claim_id, seq, code) in self._faults.items():
            row = found.get(key)
            if row is None:
                _add(result, "FAULT_REMOVED", f"Fault {key} is not there any more.", claim_id, seq)
                continue
            belongs = row.claim_id == claim_id or (row.claim_id is None and row.cleared)
            same_spot, same_code = row.spot_id == self.claims[claim_id], row.code == code
            places = (("claim_id", belongs), ("spot_id", same_spot), ("code", same_code))
            wrong = [name for name, right in places if not right]
            if wrong:
                sentence = f"Fault {key} has another {', '.join(wrong)} than the claim that counted it."
                _add(result, "FAULT_ALTERED", sentence, claim_id, seq)

    def _hold_digests(self, rows: Rows, result: Result) -> None:
        """Checks the columns of faults that no event states by themselves."""
        keys = [key for claim_id in self._digests for key in self._opening.get(claim_id, ())]
        found = {key.replace("-", ""): digest for key, digest in rows.fault_digests(keys)}
        for claim_id, (stated, seq) in self._digests.items():
            opening = {key: found.get(key.replace("-", "")) for key in self._opening.get(claim_id, ())}
            kept = {key: digest for key, digest in opening.items() if digest is not None}
            if len(kept) == len(opening) and joined(kept) != stated:
                sentence = f"A fault that opened the claim is another than at the verdict: {', '.join(opening)}."
                _add(result, "FAULT_ALTERED", sentence, claim_id, seq)

    def _hold_usage(self, found: Mapping[str, UsageRow], result: Result) -> None:
        for key, (claim_id, seq, stated) in self._usage.items():
            row = found.get(key)
            if row is None:
                sentence = f"Usage record {key}, which a verdict rests on, is not there any more."
                _add(result, "USAGE_REMOVED", sentence, claim_id, seq)
            elif wrong := _wrong(row, stated):
                sentence = f"Usage record {key} has another {', '.join(wrong)} than the verdict that rests on it."
                _add(result, "USAGE_ALTERED", sentence, claim_id, seq)

    def _hold_items(self, found: Mapping[str, ItemRow], result: Result) -> None:
        for item_id, item in self._items.items():
            row = found.get(item_id)
            if row is None:
                _add(
                    result,
                    "EVIDENCE_REMOVED",
                    f"Evidence {item_id} is not there any more.",
                    item.claim_id,
                    item.seq,
                )
                continue
            wrong = [name for name, value in item.stated.items() if getattr(row, name) != value]
            if wrong:
                sentence = f"Evidence {item_id} has another {', '.join(wrong)} than was recorded."
                _add(result, "EVIDENCE_ALTERED", sentence, item.claim_id, item.seq)
        for row in found.values():
            added = self._items.get(row.id)
            if row.claim_id in self.claims and (added is None or added.claim_id != row.claim_id):
                sentence = f"Evidence {row.id} is on file, and no event of the claim added it."
                _add(result, "EVIDENCE_ADDED", sentence, row.claim_id, 1)

    def _hold_files(self, found: Mapping[str, str], result: Result) -> None:
        for item_id, item in self._items.items():
            if item.file is None or found.get(item.file) == item.file:
                continue
            what = "has other bytes than were recorded" if item.file in found else "is not there any more"
            sentence = f"The file {item.file} of evidence {item_id} {what}."
            _add(result, "FILE_DIFFERS", sentence, item.claim_id, item.seq)


def _code_after(event: Any, code: str) -> str:
    """Returns the error code of a claim after an event."""
    if isinstance(event, ClaimRestated):
        return str(event.columns.get("code", code))
    if isinstance(event, ClaimOpened | ClaimCorrected) and isinstance(event.code, str):
        return event.code
    return code


def _wrong(row: UsageRow, stated: Mapping[str, Any]) -> list[str]:
    """Names what differs from the verdict; what only the digest covers is "content"."""
    wrong = [name for name in row._fields if name != "digest" and getattr(row, name) != stated.get(name)]
    return wrong or ([] if stated.get("digest", row.digest) == row.digest else ["content"])


def _id(stated: str) -> str:
    """Returns the id as it is. Raises `ValueError` or `TypeError` for what is none."""
    if not _UUID.fullmatch(stated):
        raise ValueError(stated)
    return stated


def _add(result: Result, what: str, sentence: str, claim_id: str, seq: int) -> None:
    result.add(AuditFinding(what, sentence, _CLAIM, claim_id, seq))
