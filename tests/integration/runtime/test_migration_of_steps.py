"""Migration 0020: what was pending becomes typed steps, and deliveries know what they are about."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from adapters.postgres.migrations import migrate
from adapters.postgres.store import PostgresStore
from domain.identifiers import new_claim_id
from domain.steps import (
    INCIDENT,
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

A, B, HAPPENED, OF_CLAIMS, OF_INCIDENT = (new_claim_id() for _ in range(5))
DUE = datetime(2026, 3, 10, 13, tzinfo=UTC)

# Kind, claims and subject as version 0019 spelled them, and the same step now.
STEPS: list[tuple[str, list[str], str | None, Step]] = [
    ("submit", [A, B], None, Submit([A, B])),
    ("verify", [B, A], None, Verify([B, A])),
    ("detect", [A], None, Detect([A])),
    ("route", [A], None, Route([A])),
    ("escalate", [A, B], "under_review:1", Escalate([A, B], "under_review:1")),
    ("escalate", [A], "under_review:2:manager:resumed 1", Escalate([A], "under_review:2:manager:resumed 1")),
    ("clock", [A, B], "0", CheckClocks([A, B], 0)),
    ("clock", [A], "3", CheckClocks([A], 3)),
    ("incident", [], HAPPENED, SettleIncident([HAPPENED])),
    ("announce", [A, B], "approved:0", Announce([A, B], state_key="approved:0")),
    ("announce", [A], "sla_breached.resolve", Announce([A], event="sla_breached.resolve")),
    ("announce", [A], "sla_warned.acknowledge", Announce([A], event="sla_warned.acknowledge")),
    (
        "announce",
        [HAPPENED],
        "incident.opened",
        Announce([HAPPENED], subject_kind=INCIDENT, event="incident.opened"),
    ),
    ("remind", [A, B], "repeat|claim.under_review|ops", Remind([A, B], "repeat", "claim.under_review", "ops")),
    (
        "remind",
        [A],
        "escalation|claim.sla_breached|north|night|",
        Remind([A], "escalation", "claim.sla_breached", "north|night|"),
    ),
    (
        "remind",
        [HAPPENED],
        "repeat|incident.grew 8|ops|2",
        Remind([HAPPENED], "repeat", "incident.grew 8", "ops|2", subject_kind=INCIDENT),
    ),
    ("told", [A, B], OF_CLAIMS, RecordNotified([A, B], OF_CLAIMS)),
    ("told", [HAPPENED], OF_INCIDENT, RecordNotified([HAPPENED], OF_INCIDENT, subject_kind=INCIDENT)),
    ("deliver", [A, B], OF_CLAIMS, Deliver([OF_CLAIMS], "chat|day")),
    ("deliver", [HAPPENED], OF_INCIDENT, Deliver([OF_INCIDENT], "ops")),
    ("digest", [], OF_CLAIMS, SendDigest([OF_CLAIMS])),
    ("retry", [], OF_INCIDENT, Retry([OF_INCIDENT])),
]

_DELIVERIES = """
INSERT INTO deliveries (id, destination, event, title, body, claim_ids, status, attempts, answer, created_at)
VALUES (%s, %s, %s, '', '', %s::uuid[], 'pending', 0, '', now())
"""


def put_deliveries(older: Engine) -> None:
    rows = [
        (OF_CLAIMS, "chat|day", "claim.under_review", [A, B]),
        (OF_INCIDENT, "ops", "incident.opened", [HAPPENED]),
    ]
    with older.begin() as connection:
        connection.exec_driver_sql(_DELIVERIES, rows)


def test_every_kind_of_pending_step_becomes_a_typed_one(older: Engine, empty_database_url: str) -> None:
    """With its subjects in order, its due time, and how often it failed."""
    put_deliveries(older)
    with older.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO steps (kind, claim_ids, subject, due_at, attempts) VALUES (%s, %s::uuid[], %s, %s, 2)",
            [(kind, ids, subject, DUE) for kind, ids, subject, _ in STEPS],
        )

    migrate(empty_database_url)

    with PostgresStore(older).transaction() as transaction:
        for number, (*_, expected) in enumerate(STEPS, 1):
            expected.id, expected.due_at, expected.attempts = number, DUE, 2
            assert transaction.take_steps(expected.kind, [number]) == [expected]


def test_deliveries_know_what_they_are_about(older: Engine, empty_database_url: str) -> None:
    """Claims, or an incident."""
    put_deliveries(older)

    migrate(empty_database_url)

    with PostgresStore(older).transaction() as transaction:
        found = transaction.deliveries([OF_CLAIMS, OF_INCIDENT])
    about = {delivery.id: (delivery.subject_kind, delivery.subject_ids) for delivery in found}
    assert about == {OF_CLAIMS: ("claim", [A, B]), OF_INCIDENT: (INCIDENT, [HAPPENED])}


def test_what_a_digest_collects_goes_on_waiting_for_it(older: Engine, empty_database_url: str) -> None:
    """With the group whose window is open."""
    with older.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO news_groups VALUES (%s, 'ops', 'claim.under_review', 'OTHER', false, 3, %s, %s)",
            (HAPPENED, DUE, OF_CLAIMS),
        )
        connection.exec_driver_sql(
            "INSERT INTO gathered_news (delivery_id, news) VALUES (%s, %s::jsonb)",
            [(OF_CLAIMS, f'{{"about": "{claim_id}"}}') for claim_id in (A, B)],
        )

    migrate(empty_database_url)

    with older.connect() as connection:
        [group] = connection.exec_driver_sql("SELECT open_until, collecting::text FROM notification_groups").all()
        notices = connection.exec_driver_sql("SELECT notice FROM collected_notices ORDER BY id").scalars().all()
    assert (tuple(group), notices) == ((DUE, OF_CLAIMS), [{"about": A}, {"about": B}])
