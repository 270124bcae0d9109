"""Whoever may write everything in the database still cannot alter the record unseen: `audit verify` finds it.

SPOTCLAIM_TAMPERINGS says how many random tamperings are tried, 160 unless it is set; the seed of one that was not
found is in the name of the test.
"""

import json
import os
import random
import tarfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters.audit.archive_reader import open_archive
from adapters.audit.archive_writer import write_archive
from adapters.audit.checkpoint_file import CheckpointFile, read_checkpoints
from adapters.audit.signing_key import PublicKeys, public_file, signing_key
from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import open_snapshot
from domain.audit import chain as chains
from domain.audit.checkpoint import Checkpoint, digest
from domain.audit.event import NEW
from domain.audit.merkle import leaf_hash, root
from domain.errors import SetupError
from tests.builders import NOW, a_chain, a_claim, a_fault, a_usage_record
from tests.integration.parts import Clock, Everyone, Spotclaim
from workers.audit.findings import Result
from workers.audit.sequencer import Sequencer
from workers.audit.signing import Checkpoints
from workers.audit.verify import audit

TAMPERINGS = int(os.environ.get("SPOTCLAIM_TAMPERINGS", "160"))


@dataclass
class Copy:
    """What an archive holds, to be altered at will."""

    claims: list[dict[str, Any]]
    events: list[dict[str, Any]]
    checkpoints: list[str]

    @classmethod
    def of(cls, archive: Path) -> "Copy":
        with tarfile.open(archive) as tar:

            def lines(name: str) -> list[str]:
                part = tar.extractfile(name)
                assert part is not None
                return part.read().decode().splitlines()

            claims, events = (list(map(json.loads, lines(f"{name}.jsonl"))) for name in ("claims", "events"))
            return cls(claims, events, lines("checkpoints.jsonl"))

    def write(self, file: Path) -> None:
        size = sum(event["position"] is not None for event in self.events)
        manifest = {"format": "spotclaim-audit-2", "exported_at": "", "log_size": size, "events": len(self.events)}
        parts = {
            "manifest.json": json.dumps(manifest),
            "claims.jsonl": "".join(json.dumps(claim) + "\n" for claim in self.claims),
            "events.jsonl": "".join(json.dumps(event) + "\n" for event in self.events),
            "checkpoints.jsonl": "".join(line + "\n" for line in self.checkpoints),
        }
        with tarfile.open(file, "w") as tar:
            for name, content in parts.items():
                info = tarfile.TarInfo(name)
                info.size = len(content.encode())
                tar.addfile(info, BytesIO(content.encode()))

    def chain(self, claim_id: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["subject_id"] == claim_id]

    def claim(self, claim_id: str) -> dict[str, Any]:
        return next(claim for claim in self.claims if claim["id"] == claim_id)

    def leaves(self) -> bytes:
        placed = sorted(self.events, key=lambda event: event["position"])
        return b"".join(leaf_hash(bytes.fromhex(event["hash"])) for event in placed)

    def rechain(self, claim_id: str) -> None:
        """Makes a chain and its claim fit whatever its events say by now."""
        head = chains.GENESIS
        for seq, event in enumerate(self.chain(claim_id), 1):
            event["seq"] = seq
            names = ("at", "actor", "kind", "body")
            head = event["hash"] = chains.link(head, claim_id, seq, *(event[name] for name in names))
        self.claim(claim_id).update(version=len(self.chain(claim_id)), head=head)

    def renumber(self) -> None:
        """Closes the gaps in the log and makes room for what has no position of its own."""
        placed = sorted(self.events, key=lambda event: (event["position"], event["subject_id"], event["seq"]))
        for position, event in enumerate(placed):
            event["position"] = position


@dataclass
class Evidence:
    """An honest record at three moments, and what was kept of it elsewhere."""

    archives: list[Path]
    outside: list[tuple[str, str]]
    key_file: Path

    @property
    def keys(self) -> PublicKeys:
        return PublicKeys(public_file(self.key_file).read_bytes())

    def verify(
        self, archive: Path, outside: list[tuple[str, str]] | None = None, events_in_part: int = 10
    ) -> Result:
        """Small parts, so that a change may be in any of them, and at their edges."""
        with open_archive(archive, events_in_part) as record:
            return audit(record, self.outside if outside is None else outside, self.keys)


@pytest.fixture
def honest(spotclaim: Spotclaim, engine: Engine, tmp_path: Path) -> Evidence:
    """Claims of several lengths that were opened, counted, judged and sent on."""
    clock, archives, log = Clock(), [], AuditLog(engine)
    key_file, kept = tmp_path / "audit-key.pem", tmp_path / "checkpoints.jsonl"
    checkpoints = Checkpoints(log, key_file, CheckpointFile(kept), clock, Everyone(), None)
    for moment in range(3):
        for number in range(6):
            spot = f"E{moment}-{number}"
            spotclaim.take_in(usage=[a_usage_record(spot_id=spot, energy_kwh=-1.0)] if number % 2 else [])
            spotclaim.take_in(faults=[a_fault(spot_id=spot)])
            spotclaim.take_in(faults=[a_fault(spot_id=spot), a_fault(spot_id="E0-0")])
        claim = a_claim(spot_id=f"N{moment}")
        events = a_chain(claim, 4)
        spotclaim.record(claim, part=NEW)
        spotclaim.record(*events)
        spotclaim.carry_out()
        Sequencer(log).run_once(1000)
        clock.now += timedelta(minutes=5)
        assert checkpoints.run_once()
        archives.append(tmp_path / f"{moment}.tar")
        with open_snapshot(engine) as record:
            write_archive(record, archives[-1], chains.instant(NOW), public_file(key_file).read_bytes())
    return Evidence(archives, list(read_checkpoints(kept)), key_file)


class Attacker:
    """May write everything but what is kept elsewhere, and is more or less careful about it."""

    def __init__(self, seed: int, honest: Evidence) -> None:
        self.random = random.Random(seed)
        self.honest = honest
        self.copy = Copy.of(honest.archives[-1])
        self.careful = self.random.random() < 0.6

    def a_claim(self, at_least: int = 1) -> str:
        lengths = {claim["id"]: claim["version"] for claim in self.copy.claims}
        return self.random.choice([claim_id for claim_id, length in lengths.items() if length >= at_least])

    def an_event(self) -> dict[str, Any]:
        return self.random.choice(self.copy.events)

    def rewrite(self, event: dict[str, Any]) -> None:
        field = self.random.choice(("actor", "kind", "body", "at"))
        event[field] = {
            "actor": event["actor"] + "x",
            "kind": "claim.noted" if event["kind"] != "claim.noted" else "claim.remarked",
            "body": json.dumps({"n": self.random.random()}),
            "at": f"2026-03-{self.random.randrange(11, 29)}T12:00:00.000000Z",
        }[field]

    def cover_up(self, *claim_ids: str) -> None:
        """The careful one makes chains, claims and log fit, and takes away the checkpoints that say otherwise."""
        if not self.careful:
            return
        for claim_id in claim_ids:
            self.copy.rechain(claim_id)
        self.copy.renumber()
        if self.random.random() < 0.5:
            self.copy.checkpoints = []

    def edit(self) -> None:
        event = self.an_event()
        self.rewrite(event)
        self.cover_up(event["subject_id"])

    def delete_tail(self) -> None:
        claim_id = self.a_claim(at_least=2)
        chain = self.copy.chain(claim_id)
        for event in chain[self.random.randrange(1, len(chain)) :]:
            self.copy.events.remove(event)
        self.cover_up(claim_id)

    def delete_claim(self) -> None:
        claim_id = self.a_claim()
        if self.careful or self.random.random() < 0.5:
            self.copy.events = [event for event in self.copy.events if event["subject_id"] != claim_id]
        if self.careful or self.copy.chain(claim_id):
            self.copy.claims.remove(self.copy.claim(claim_id))
        self.cover_up()

    def swap(self) -> None:
        chain = self.copy.chain(self.a_claim(at_least=2))
        place = self.random.randrange(len(chain) - 1)
        one, other = chain[place], chain[place + 1]
        for field in ("at", "actor", "kind", "body"):
            one[field], other[field] = other[field], one[field]
        self.cover_up(one["subject_id"])

    def insert(self) -> None:
        event = self.an_event()
        forged = deepcopy(event) | {"actor": "eve", "kind": "claim.noted", "body": "{}"}
        self.copy.events.insert(self.copy.events.index(event), forged)
        self.cover_up(event["subject_id"])

    def rewrite_chain(self) -> None:
        claim_id = self.a_claim()
        for event in self.copy.chain(claim_id):
            event["actor"] = "somebody else"
        self.careful = True
        self.cover_up(claim_id)

    def present_the_past(self) -> None:
        self.copy = Copy.of(self.honest.archives[self.random.randrange(2)])

    def fork(self) -> None:
        """Another end of the log, and checkpoints of it signed with the very key, which was stolen."""
        shared = json.loads(self.copy.checkpoints[self.random.randrange(2)])["size"]
        event = self.random.choice([event for event in self.copy.events if event["position"] >= shared])
        event["actor"] += "x"
        self.copy.rechain(event["subject_id"])
        self.sign_anew()

    def sign_anew(self) -> None:
        key, leaves, before, signed = signing_key(self.honest.key_file), self.copy.leaves(), None, []
        for line in self.copy.checkpoints:
            said = json.loads(line)
            checkpoint = Checkpoint(
                said["size"], root(leaves[: 32 * said["size"]]).hex(), said["at"], digest(before), key.id
            )
            before = key.sign(checkpoint).line()
            signed.append(before)
        self.copy.checkpoints = signed


KINDS: list[Callable[[Attacker], None]] = [
    Attacker.edit,
    Attacker.delete_tail,
    Attacker.delete_claim,
    Attacker.swap,
    Attacker.insert,
    Attacker.rewrite_chain,
    Attacker.present_the_past,
    Attacker.fork,
]


def test_an_honest_record_is_sound(honest: Evidence) -> None:
    """At each moment, by the checkpoints of its time and those that it holds itself."""
    for archive, known in zip(honest.archives, (1, 2, 3), strict=True):
        result = honest.verify(archive, honest.outside[:known])

        assert result.findings == []
        assert (result.checkpoints, result.outside, result.not_in_log) == (known, known, 0)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_tampering_is_found(honest: Evidence, tmp_path: Path, kind: Callable[[Attacker], None]) -> None:
    """With one checkpoint kept elsewhere, the last: it is enough."""
    untouched, missed = Copy.of(honest.archives[-1]), []
    for seed in range(-(-TAMPERINGS // len(KINDS))):
        attacker = Attacker(seed, honest)
        while attacker.copy == untouched:  # to swap what is alike is no tampering
            kind(attacker)
        attacker.copy.write(tmp_path / "tampered.tar")
        if honest.verify(tmp_path / "tampered.tar", honest.outside[-1:]).clean:
            missed.append(seed)

    assert missed == []


def test_the_first_broken_record_is_named(honest: Evidence, tmp_path: Path) -> None:
    """Claim and sequence, and what is wrong with it."""
    copy = Copy.of(honest.archives[-1])
    event = next(event for event in copy.events if event["seq"] == 2)
    event["body"] = "{}"
    copy.write(tmp_path / "tampered.tar")

    [first, *_] = honest.verify(tmp_path / "tampered.tar").findings

    assert (first.subject_id, first.seq, first.what) == (event["subject_id"], 2, "EVENT_ALTERED")


def test_a_consistent_forgery_is_located_between_checkpoints(honest: Evidence, tmp_path: Path) -> None:
    """The log was sound up to the checkpoint before, and that is said."""
    copy = Copy.of(honest.archives[-1])
    sound = json.loads(copy.checkpoints[1])["size"]
    event = next(event for event in copy.events if event["position"] == sound + 1)
    event["actor"] = "eve"
    copy.rechain(event["subject_id"])
    copy.write(tmp_path / "tampered.tar")

    [first] = honest.verify(tmp_path / "tampered.tar").findings

    assert (first.what, first.position) == ("LOG_REWRITTEN", sound)


def test_without_checkpoints_elsewhere_a_whole_forgery_looks_sound(honest: Evidence, tmp_path: Path) -> None:
    """Which is why they are kept elsewhere."""
    attacker = Attacker(1, honest)
    attacker.fork()
    attacker.copy.write(tmp_path / "tampered.tar")

    assert honest.verify(tmp_path / "tampered.tar", []).clean
    assert not honest.verify(tmp_path / "tampered.tar").clean


def test_a_checkpoint_of_a_stranger_is_refused(honest: Evidence, tmp_path: Path) -> None:
    """Its root may be right; its signature is not."""
    copy = Copy.of(honest.archives[-1])
    stranger = signing_key(tmp_path / "stranger.pem")
    said = json.loads(copy.checkpoints[-1]) | {"key": stranger.id, "signature": ""}
    copy.checkpoints[-1] = stranger.sign(Checkpoint(**said)).line()
    copy.write(tmp_path / "tampered.tar")

    result = honest.verify(tmp_path / "tampered.tar", honest.outside[:2])

    assert [finding.what for finding in result.findings] == ["SIGNATURE_WRONG"]


BY_SQL = {
    "edit": "UPDATE audit_events SET actor = 'eve' WHERE seq = 2",
    "delete the tail": "DELETE FROM audit_events e USING claims c WHERE c.id = e.subject_id AND e.seq = c.version",
    "delete a claim": "DELETE FROM audit_events WHERE subject_id = (SELECT min(id::text)::uuid FROM claims)",
    "delete claims": "DELETE FROM claims",
    "swap": "UPDATE audit_events SET body = (SELECT body FROM audit_events WHERE seq = 1 LIMIT 1) WHERE seq = 2",
    "insert": "INSERT INTO audit_events SELECT subject_id, 1000, at, actor, kind, body, hash FROM audit_events"
    " WHERE seq = 1",
    "alter a claim": "UPDATE claims SET severity = 'low'",
    "alter a verdict": "UPDATE claims SET verdict_seq = 1",
    "alter the log": "UPDATE audit_log SET leaf = sha256(leaf) WHERE position = 3",
    "cut the log": "DELETE FROM audit_log WHERE position > 20",
    "punch the log": "DELETE FROM audit_log WHERE position = 3",
    "take a checkpoint away": "DELETE FROM audit_checkpoints WHERE size < 50",
}


@pytest.mark.parametrize("way", BY_SQL)
def test_what_is_altered_in_the_database_is_found(
    honest: Evidence, spotclaim: Spotclaim, engine: Engine, way: str
) -> None:
    """By a superuser, who goes round triggers and grants."""
    with open_snapshot(engine, claims_in_part=5) as record:
        assert audit(record, honest.outside, honest.keys).findings == []

    spotclaim.rows(f"SET LOCAL session_replication_role = replica; {BY_SQL[way]}")

    with open_snapshot(engine, claims_in_part=5) as record:
        assert not audit(record, honest.outside, honest.keys).clean


@pytest.mark.parametrize("way", ["edit", "insert", "punch the log"])
def test_several_processes_find_what_one_finds(
    honest: Evidence, spotclaim: Spotclaim, engine: Engine, way: str, tmp_path: Path
) -> None:
    """In the database and in an archive of it, in parts and as a whole; each sees the same moment."""
    spotclaim.rows(f"SET LOCAL session_replication_role = replica; {BY_SQL[way]}")
    archive = tmp_path / "altered.tar"
    with open_snapshot(engine) as record:
        alone = audit(record, honest.outside, honest.keys)
        write_archive(record, archive, chains.instant(NOW), None)

    with open_snapshot(engine, claims_in_part=4) as record:
        spotclaim.take_in(faults=[a_fault(spot_id="LATER")])
        together = audit(record, honest.outside, honest.keys, processes=2)
    with open_archive(archive) as record:
        archive_alone = audit(record, honest.outside, honest.keys)
    with open_archive(archive, events_in_part=7) as record:
        archive_together = audit(record, honest.outside, honest.keys, processes=2)

    assert not alone.clean and not archive_alone.clean
    assert together == alone
    assert archive_together == archive_alone


def test_lines_out_of_their_order_are_found(honest: Evidence, tmp_path: Path) -> None:
    """Whoever moves the events of a claim to the other end of the archive, or the claim itself."""
    for lines in ("events", "claims"):
        copy = Copy.of(honest.archives[-1])
        moved = getattr(copy, lines)
        moved.append(moved.pop(0))
        copy.write(tmp_path / "moved.tar")

        result = honest.verify(tmp_path / "moved.tar")

        assert not result.clean
        assert result.events == len(copy.events)


def test_an_archive_takes_the_place_of_no_device(spotclaim: Spotclaim, tmp_path: Path) -> None:
    """Whoever may write there would replace it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with open_snapshot(spotclaim.engine) as record, pytest.raises(SetupError, match="no plain file"):
        write_archive(record, pipe, chains.instant(NOW), None)

    assert pipe.is_fifo()
