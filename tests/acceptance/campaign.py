"""Thousands of messages on their way into an installation, and what must be found of them in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.audit.chain import AuditEvent, first_broken, instant
from tests.acceptance.installation import Database, Process, await_that, command, succeed
from tests.acceptance.messages import encoded, fault, malformed


class Campaign:
    """A file of messages from one source: of every 100, 80 report a new spot, 10 report one again, 9 are the
    very message before them, and 1 is malformed."""

    def __init__(
        self, name: str, size: int, folder: Path, given: dict[str, str], database: Database, **data: str
    ) -> None:
        """`data` is what every fault says besides."""
        self._name = name
        self._given = given
        self._database = database
        self._data = data
        self.ledger = folder / f"{name}-ledger"
        self.file = folder / f"{name}.jsonl"
        self.faults = self.spots = 0
        self.malformed: dict[bytes, str] = {}
        self.file.write_bytes(b"\n".join(self._messages(size)) + b"\n")

    def _messages(self, size: int) -> Iterator[bytes]:
        last = b""
        for number in range(size):
            turn = number % 100
            if turn == 99:
                body, reason = malformed(self._name, number)
                self.malformed[body] = reason
                yield body
                continue
            if turn % 10 != 9:
                new = turn % 10 != 8
                self.faults += 1
                self.spots += new
                spot = f"{self._name}*{number if new else number - 1}"
                last = encoded(fault(self._name, number, spot, **self._data))
            yield last

    @property
    def distinct(self) -> int:
        """How many messages there are when each counts once."""
        return self.faults + len(self.malformed)

    @contextmanager
    def being_sent(self) -> Iterator[Process]:
        """The publisher sends the whole file in the background, and has by the end of the block.

        A publisher that lost its broker is asked to send everything again, as an operator would.
        """
        log = self.ledger.with_suffix(".log")
        publisher = Process(log, self._given, "send", self.file, "--ledger", self.ledger)
        publisher.launch()
        try:
            yield publisher
            if publisher.await_end() != 0:
                self._send_again()
        finally:
            publisher.kill()

    def _send_again(self) -> None:
        def sent() -> bool:
            return command(self._given, "send", self.file, "--ledger", self.ledger).code == 0

        await_that("the publisher's messages are confirmed", sent)

    @property
    def taken_in(self) -> int:
        """How many of the faults are in the database by now."""
        return self._database.number("SELECT count(*) FROM faults WHERE source = %s", f"/{self._name}")

    def await_taken_in(self, count: int) -> None:
        await_that(f"{count} faults of {self._name} are taken in", lambda: self.taken_in >= count)

    def await_drained(self) -> None:
        """Returns when every message has arrived and nothing is owed any more."""
        await_that(f"the faults of {self._name} drain", self._is_drained)

    def _is_drained(self) -> bool:
        return (
            self.taken_in >= self.faults
            and len(self._quarantined()) >= len(self.malformed)
            and self._database.steps_due == 0
        )

    def _quarantined(self) -> dict[bytes, str]:
        """The bytes in quarantine that name this campaign, each with its reason."""
        found = self._database.rows(
            "SELECT body, reason FROM quarantine WHERE position(%s::bytea IN body) > 0",
            f'"/{self._name}"'.encode(),
        )
        return {bytes(body): reason for body, reason in found}

    def verify(self) -> None:
        """Everything that was confirmed is there once, decided, announced, and on an unbroken record."""
        self._verify_ledger()
        self._verify_claims()
        self._verify_announcements()
        self._verify_audit()
        assert self._quarantined() == self.malformed

    def _verify_ledger(self) -> None:
        result = succeed(self._given, "reconcile", "--ledger", self.ledger, "--json").json
        assert (result["lost"], result["unexpected"], result["duplicated"]) == (0, 0, 0)
        assert result["confirmed"] == self.distinct > 0
        assert (result["in_database"], result["in_quarantine"]) == (self.faults, len(self.malformed))

    def _verify_claims(self) -> None:
        found = self._database.rows(
            "SELECT status, count(*), sum(fault_count) FROM claims WHERE starts_with(spot_id, %s) GROUP BY status",
            f"{self._name}*",
        )
        assert found == [("under_review", self.spots, self.faults)]

    def _verify_announcements(self) -> None:
        found = self._database.rows(
            """
            SELECT deliveries.status, count(*), count(DISTINCT claims.id) FROM claims
            LEFT JOIN (SELECT unnest(subject_ids) AS claim_id, status FROM deliveries) deliveries
                ON deliveries.claim_id = claims.id
            WHERE starts_with(spot_id, %s) GROUP BY 1
            """,
            f"{self._name}*",
        )
        assert found == [("sent", self.spots, self.spots)]

    def _verify_audit(self) -> None:
        events = self._database.rows(
            """
            SELECT subject_id, seq, at, actor, kind, body, encode(hash, 'hex'),
                seq = version, hash = head FROM audit_events JOIN claims ON claims.id = subject_id
            WHERE starts_with(spot_id, %s) ORDER BY subject_id, seq
            """,
            f"{self._name}*",
        )
        chains: dict[str, list[AuditEvent]] = {}
        for claim_id, seq, at, actor, kind, body, digest, _, _ in events:
            event = AuditEvent(claim_id, seq, instant(at), actor, kind, body, digest)
            chains.setdefault(claim_id, []).append(event)
        assert len(chains) == self.spots
        assert [chain[0].subject_id for chain in chains.values() if first_broken(chain)] == []
        # Every claim is at the end of its chain, and nothing but its end.
        assert [(last, head) for *_, last, head in events if last or head] == [(True, True)] * self.spots
        kinds = {"claim.opened", "claim.verified", "claim.routed", "claim.announced"}
        assert all(
            sorted(event.kind for event in chain if event.kind != "claim.faults_counted") == sorted(kinds)
            for chain in chains.values()
        )
