"""What was confirmed held against what is there: a clean slate says so, and every kind of damage shows."""

from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine

from adapters.postgres.field.reconciliation import ReconciliationQueries
from adapters.rabbitmq import connection as rabbitmq
from adapters.rabbitmq.batch_codec import from_batch
from domain.field.batch import Batch
from ingest.cloudevents import decode as wire
from ingest.cloudevents.ledger import Ledger as LedgerFile
from ingest.cloudevents.ledger import LedgerEntries, read_ledgers
from ingest.rabbitmq import topology
from ingest.rabbitmq.publisher import publish
from tests.builders import NOW, a_clear, a_fault, a_key, a_message, a_quarantined, a_spot, a_usage_record
from tests.integration.parts import Spotclaim
from tests.servers.publishing import confirming, offer
from workers.health.reconcile import Reconciliation, reconcile
from workers.runtime.actors import INTAKE_QUEUE


@pytest.fixture
def holdings(engine: Engine) -> ReconciliationQueries:
    return ReconciliationQueries(engine)


@pytest.fixture
def known(spotclaim: Spotclaim) -> LedgerEntries:
    """A ledger of five messages that were all confirmed and taken in, the fifth into quarantine."""
    faults, record, spot = [a_fault(), a_fault()], a_usage_record(), a_spot(source="controller:7")
    bad = a_quarantined()
    spotclaim.take_in(faults=faults, usage=[record], spots=[spot], quarantined=[bad])
    keys = [message.key for message in (*faults, record, spot, bad)]
    return LedgerEntries(keys, set(keys), {"controller:7"})


def compared(holdings: ReconciliationQueries, entries: LedgerEntries | None) -> Reconciliation:
    return reconcile(holdings, None, entries, patience_seconds=0)


def test_all_is_well_when_all_is_there(holdings: ReconciliationQueries, known: LedgerEntries) -> None:
    """Each message in one place, each counted once."""
    result = compared(holdings, known)

    assert result == Reconciliation(5, 5, 4, 1, 0, 0, 0, 0)
    assert result.clean


def test_without_a_ledger_the_counts_are_checked(holdings: ReconciliationQueries, known: LedgerEntries) -> None:
    """What claims count against what is stored, and how much there is."""
    assert compared(holdings, None) == Reconciliation(0, 0, 4, 1, 0, 0, 0, 0)


def test_a_confirmed_message_that_is_nowhere_is_lost(
    holdings: ReconciliationQueries, known: LedgerEntries
) -> None:
    """One that was only attempted is not."""
    known.attempts += ["f" * 32, "e" * 32]
    known.confirmed.add("f" * 32)

    result = compared(holdings, known)

    assert (result.lost, result.clean) == (1, False)


def test_a_message_nobody_attempted_is_unexpected(
    holdings: ReconciliationQueries, known: LedgerEntries, spotclaim: Spotclaim
) -> None:
    """From a source of the ledger; others' messages are their own affair."""
    spotclaim.take_in(faults=[a_fault(), a_fault(source="somebody else")])

    result = compared(holdings, known)

    assert (result.unexpected, result.clean) == (1, False)


@pytest.mark.parametrize(("wrong_by", "lost", "duplicated"), [(1, 0, 1), (3, 0, 3), (-1, 1, 0)])
def test_a_wrong_count_is_found(
    holdings: ReconciliationQueries,
    known: LedgerEntries,
    spotclaim: Spotclaim,
    wrong_by: int,
    lost: int,
    duplicated: int,
) -> None:
    """A fault counted twice is duplicated, one that is stored and not counted is lost."""
    spotclaim.rows("UPDATE claims SET fault_count = fault_count + %s", wrong_by)

    result = compared(holdings, known)

    assert (result.lost, result.duplicated, result.clean) == (lost, duplicated, False)


def test_wrong_counts_do_not_cancel_out(holdings: ReconciliationQueries, spotclaim: Spotclaim) -> None:
    """One claim counts too many, another too few."""
    spotclaim.take_in(faults=[a_fault(spot_id="E1"), a_fault(spot_id="E2"), a_fault(spot_id="E2")])
    spotclaim.rows("UPDATE claims SET fault_count = CASE spot_id WHEN 'E1' THEN 2 ELSE 1 END")

    assert holdings.miscounted() == (1, 1)


def test_a_message_in_two_places_is_duplicated(
    holdings: ReconciliationQueries, known: LedgerEntries, spotclaim: Spotclaim
) -> None:
    """Taken in and in quarantine."""
    spotclaim.take_in(quarantined=[a_quarantined(b"x", key=known.attempts[0])])

    assert compared(holdings, known).duplicated == 1


def test_clears_are_not_counted(holdings: ReconciliationQueries, spotclaim: Spotclaim) -> None:
    """Neither as lost nor as doubled."""
    spotclaim.take_in(faults=[a_fault(), a_clear(), a_clear(spot_id="E2")])

    assert holdings.miscounted() == (0, 0)


def test_a_claim_off_its_last_event_is_found(
    holdings: ReconciliationQueries, known: LedgerEntries, spotclaim: Spotclaim
) -> None:
    """The doctor looks for it."""
    assert holdings.claims_off_their_events() == 0
    spotclaim.rows("UPDATE claims SET version = version + 1")
    assert holdings.claims_off_their_events() == 1


def test_many_keys_are_asked_for_in_parts(holdings: ReconciliationQueries, known: LedgerEntries) -> None:
    """A fortnight's ledger."""
    assert holdings.taken_in([*known.attempts, *(a_key(n) for n in range(25_000))]) == set(known.attempts[:4])


def test_what_still_waits_in_the_broker_is_not_lost(
    holdings: ReconciliationQueries, amqp_url: str, tmp_path: Path
) -> None:
    """Published and confirmed, and no consumer has run yet; looking does not take it away."""
    parameters = rabbitmq.parameters(amqp_url)
    bodies = [a_message(), a_message(), b"nonsense"]
    ledger = LedgerFile(tmp_path)
    assert publish(parameters, bodies, ledger) == 3
    ledger.close()

    for _ in range(2):
        result = reconcile(holdings, parameters, read_ledgers(tmp_path), patience_seconds=0)
        assert (result.confirmed, result.in_broker, result.lost, result.clean) == (3, 3, 0, True)


def test_what_was_published_is_what_is_taken_in(
    holdings: ReconciliationQueries, amqp_url: str, tmp_path: Path, spotclaim: Spotclaim
) -> None:
    """The keys of the ledger are the keys of the rows."""
    parameters = rabbitmq.parameters(amqp_url)
    ledger = LedgerFile(tmp_path)
    bodies = [a_message(), a_message(), b"nonsense"]
    publish(parameters, bodies, ledger)
    ledger.close()
    channel = topology.open_channel(parameters)
    channel.queue_purge("spotclaim.faults")
    channel.connection.close()

    batch = Batch()
    for body in bodies:
        wire.ingest_message(batch, body, wire.Reception(NOW, "rabbitmq"))
    spotclaim.intake(batch)

    result = reconcile(holdings, parameters, read_ledgers(tmp_path), patience_seconds=0)
    assert (result.in_database, result.in_quarantine, result.clean) == (2, 1, True)


def test_a_batch_that_waits_for_a_worker_is_not_lost(
    holdings: ReconciliationQueries, amqp_url: str, tmp_path: Path
) -> None:
    """Between ingest and worker a message is part of a batch of ours."""
    parameters, batch = rabbitmq.parameters(amqp_url), Batch(faults=[a_fault(), a_fault()])
    book, keys = LedgerFile(tmp_path), [fault.key for fault in batch.faults]
    book.intend(keys, [])
    book.confirm(keys)
    book.close()
    with confirming(parameters) as channel:
        topology.declare(channel)
        channel.queue_declare(INTAKE_QUEUE)
        offer(channel, "", INTAKE_QUEUE, orjson.dumps({"args": [from_batch(batch)]}))

    result = reconcile(holdings, parameters, read_ledgers(tmp_path), patience_seconds=0)

    assert (result.confirmed, result.in_broker, result.lost) == (2, 2, 0)
