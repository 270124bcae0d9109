"""Administrative acts are on record with what they changed, and whatever is altered of it is found."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg2.errors
import pytest
from sqlalchemy import Engine

from adapters.audit.archive_reader import open_archive
from adapters.audit.archive_writer import write_archive
from adapters.postgres.audit.acts import Audited
from adapters.postgres.audit.keys import SigningKeys
from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import AUDITED, open_snapshot
from adapters.postgres.claims.policies import Policies
from adapters.postgres.claims.queries import Reports
from adapters.postgres.field.meter_keys import MeterKeys
from adapters.postgres.notifications.destinations import Destinations
from adapters.postgres.notifications.silences import Silences
from adapters.postgres.people.delegations import Delegations
from adapters.postgres.people.tokens import Tokens
from domain.errors import MalformedMessage
from domain.events import KINDS, describe
from domain.field.batch import Batch
from domain.identifiers import new_claim_id
from domain.notifications.silence import Silence
from domain.ports.store import Identity
from ingest.cloudevents import decode as wire
from tests.builders import NOW, a_policy, an_event
from tests.integration.audit.test_audit_columns import other
from tests.integration.parts import Spotclaim
from workers.audit.findings import AuditFinding
from workers.audit.sequencer import Sequencer
from workers.audit.verify import audit

URL = "json://user:geheim@hooks.example/x"
# Columns that no act states, each with the reason.
NOT_AUDITED = {
    "quarantine": {
        "times": "counts what arrives again, which nobody decides",
        "last_received_at": "the moment of the last arrival",
    },
    "destinations": {"id": "the order of rows; `subject_id` identifies one"},
}

_OTHER = {"attributes": "'\"x\"'::jsonb", "size": "size + 1"}


@dataclass
class Administered:
    """An installation where each kind of act was done."""

    spotclaim: Spotclaim
    engine: Engine

    def acts(self) -> list[dict[str, Any]]:
        return list(reversed(Reports(self.engine).administrative_events(limit=1000)))

    def findings(self) -> list[AuditFinding]:
        with open_snapshot(self.engine) as record:
            return audit(record).findings

    def tamper(self, sql: str, *parameters: object) -> None:
        """Does what a superuser can."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(sql, parameters)


def refused(spotclaim: Spotclaim, name: str) -> str:
    batch = Batch()
    body = orjson.dumps(an_event({"spot_id": "E1"}, id=name))
    wire.ingest_message(batch, body, wire.Reception(NOW, "rabbitmq", "controller-7"))
    spotclaim.intake(batch)
    return batch.quarantined[0].key


@pytest.fixture
def administered(spotclaim: Spotclaim, engine: Engine) -> Iterator[Administered]:
    ada, tokens, lent = Identity("Ada", "operator"), Tokens(engine), Delegations(engine)
    for name, role in (("max", "manager"), ("olga", "operator"), ("left", "operator")):
        tokens.put(name, role, f"token of {name}", "cli:ada")
    tokens.put("olga", "operator", "another of olga", "cli:ada")
    tokens.put("olga", "reviewer", "a third of olga", "cli:ada")
    tokens.disable("left", "cli:ada")
    tokens.disable("left", "cli:ada")
    until = NOW + timedelta(days=3650)
    lent.lend("manager", "max", "olga", until)
    ended = lent.lend("manager", "max", "olga", until)["id"]
    lent.revoke(ended, None, "root")
    lent.revoke(ended, None, "root")
    silences = Silences(engine)
    made = [silences.add(Silence(new_claim_id(), "olga", "works", NOW, until, zones=("n",))) for _ in range(2)]
    silences.end(made[0]["id"], "max", NOW + timedelta(hours=1))
    destinations = Destinations(engine)
    for name in ("ops", "ops", "gone"):
        destinations.add(name, URL, "ada")
    destinations.remove("gone", "ada")
    destinations.tested("ops", "ada")
    Policies(engine, spotclaim.policy).keep("v7", "{}", "cli:ada")
    Policies(engine, spotclaim.policy).keep("v7", "{}", "cli:eve")
    Policies(engine, spotclaim.policy).keep("v8", "{}", "cli:eve")
    Policies(engine, spotclaim.policy).keep("v7", "{}", "cli:bob")
    for name in ("m-1", "m-2", "m-3", "m-4"):
        key = refused(spotclaim, name)
        match name:
            case "m-1":
                spotclaim.quarantine.replay(key, ada, orjson.dumps(an_event(id=name)), "mended")
            case "m-2":
                spotclaim.quarantine.discard(key, ada, "a test")
            case "m-3":
                with pytest.raises(MalformedMessage):
                    spotclaim.quarantine.replay(key, ada, orjson.dumps(an_event({"spot_id": "E2"}, id=name)))
    meters = MeterKeys(engine)
    meters.pin("E1", 0, "3059", "the plate", "cli:ada")
    meters.pin("E1", 0, "3060", "a new meter", "cli:ada")
    meters.remove("E1", 0, "the station is gone", "cli:ada")
    keys = SigningKeys(engine)
    keys.replace("1" * 16, "the disk is gone", "cli:ada")
    Sequencer(AuditLog(engine)).run_once(1000)
    yield Administered(spotclaim, engine)


def test_each_act_is_an_event(administered: Administered) -> None:
    """With who did it; what changes nothing is none."""
    acts = [(act["kind"].partition(".")[2], act["actor"]) for act in administered.acts()]

    assert sorted(acts) == sorted(
        [
            *[("token_added", "cli:ada")] * 3,
            ("token_replaced", "cli:ada"),
            ("role_changed", "cli:ada"),
            ("token_disabled", "cli:ada"),
            *[("delegation_given", "max")] * 2,
            ("delegation_ended", "root"),
            *[("silence_made", "olga")] * 2,
            ("silence_ended", "max"),
            *[("destination_added", "ada")] * 3,
            *[("destination_removed", "ada")] * 2,
            ("destination_tested", "ada"),
            *[("policy_loaded", who) for who in ("cli:ada", "cli:eve", "cli:bob")],
            ("message_replayed", "Ada"),
            ("message_discarded", "Ada"),
            ("message_refused", "Ada"),
            ("key_replaced", "cli:ada"),
            *[("meter_key_pinned", "cli:ada")] * 2,
            *[("meter_key_removed", "cli:ada")] * 2,
        ]
    )
    done = {kind for kind in KINDS if kind.startswith("administration.") and not kind.endswith("_restated")}
    assert {act["kind"] for act in administered.acts()} == done


def test_what_was_not_touched_is_sound(administered: Administered, tmp_path: Path) -> None:
    """Database and archive alike; all has its position in the log."""
    with open_snapshot(administered.engine) as record:
        result = audit(record)
        write_archive(record, tmp_path / "a.tar", "", None)
    with open_archive(tmp_path / "a.tar") as archive:
        exported = audit(archive)

    assert (result.findings, exported.findings) == ([], [])
    assert (result.administered, result.not_in_log) == (exported.administered, 0) == (18, 0)
    assert result.events == record.events


def test_no_secret_is_on_record(administered: Administered) -> None:
    """Neither a token nor a URL that holds a password."""
    said = json.dumps(administered.acts(), default=str)

    assert "geheim" not in said
    assert "token of" not in said


def test_acts_are_read_by_kind_and_time(administered: Administered) -> None:
    """Each with one sentence."""
    reports = Reports(administered.engine)

    [ended] = reports.administrative_events(kind="delegation_ended")
    assert describe(ended["kind"], ended["body"], with_remark=True).startswith("ended the loan of the authority")
    assert reports.administrative_events(kind="administration.delegation_ended") == [ended]
    assert reports.administrative_events(since=ended["at"] + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("sql", "what", "said"),
    [
        (
            "UPDATE delegations SET until = until + interval '1 day' WHERE revoked_at IS NULL",
            "ROW_DIFFERS",
            "until",
        ),
        ("UPDATE api_tokens SET role = 'admin' WHERE name = 'olga'", "ROW_DIFFERS", "role"),
        ("UPDATE api_tokens SET digest = sha256('mine') WHERE name = 'max'", "ROW_DIFFERS", "digest"),
        ("DELETE FROM silences WHERE ended_by IS NULL", "ROW_REMOVED", "no silence"),
        ("UPDATE quarantine SET settled_why = 'x' WHERE state = 'discarded'", "ROW_DIFFERS", "settled_why"),
        ("UPDATE quarantine SET body = 'x' WHERE state = 'discarded'", "ROW_DIFFERS", "body_digest"),
        ("UPDATE quarantine SET edited = 'x' WHERE state = 'replayed'", "ROW_DIFFERS", "edited_digest"),
        (
            "UPDATE quarantine SET state = 'open', version = 0 WHERE state = 'discarded'",
            "ROW_REMOVED",
            "no message in quarantine",
        ),
        (
            "UPDATE quarantine SET state = 'discarded' WHERE version = 0",
            "CHAIN_REMOVED",
            "message in quarantine has no audit event",
        ),
        (
            "INSERT INTO api_tokens (digest, name, role, subject_id)"
            " VALUES ('x', 'e', 'admin', gen_random_uuid())",
            "CHAIN_REMOVED",
            "token has no audit event",
        ),
        ("UPDATE destinations SET url = 'json://eve' WHERE removed_at IS NULL", "ROW_DIFFERS", "url_digest"),
        ("UPDATE policies SET content = '{\"a\":1}'", "ROW_DIFFERS", "content_digest"),
        ("DELETE FROM policies", "ROW_REMOVED", "no policy"),
        ("UPDATE audit_keys SET key = repeat('2', 16)", "ROW_DIFFERS", "key"),
        ("UPDATE meter_keys SET public_key = '3061' WHERE public_key = '3060'", "ROW_DIFFERS", "public_key"),
        ("DELETE FROM meter_keys WHERE public_key = '3059'", "ROW_REMOVED", "no public key of a meter"),
        (
            "DELETE FROM audit_events WHERE kind = 'administration.role_changed'",
            "TAIL_REMOVED",
            "The token is at version 3",
        ),
        (
            "UPDATE audit_events SET actor = 'eve' WHERE kind = 'administration.delegation_ended'",
            "EVENT_ALTERED",
            "does not follow",
        ),
    ],
)
def test_what_was_altered_is_found(administered: Administered, sql: str, what: str, said: str) -> None:
    """By verification of the whole record."""
    administered.tamper(sql)

    found = administered.findings()

    assert any(it.what == what and said in it.sentence and it.subject_kind == "administration" for it in found)


@pytest.mark.parametrize("thing", AUDITED)
def test_every_column_is_audited(administered: Administered, thing: str) -> None:
    """One altered alone is found, but for those that stand above with their reasons."""
    audited: Audited = AUDITED[thing]
    name = audited.table.name
    # The row with most to alter: what is NULL stays so in many an expression.
    nulls = f"(SELECT count(*) FROM jsonb_each(to_jsonb({name})) AS it WHERE it.value = 'null')"
    fullest = f"SELECT {audited.key} FROM {name} WHERE {audited.version} > 0 ORDER BY {nulls} LIMIT 1"
    where = f"{audited.key} = ({fullest})"
    administered.spotclaim.rows(f"CREATE TABLE {name}_as_it_was AS SELECT * FROM {name}")
    try:
        missed = set()
        for column in audited.table.c:
            known = "DEFAULT" if column.identity is not None else _OTHER.get(column.name)
            changed = known or other(audited.table, column.name)
            administered.tamper(f'UPDATE {name} SET "{column.name}" = {changed} WHERE {where}')
            if not administered.findings():
                missed.add(column.name)
            administered.tamper(f"DELETE FROM {name}")
            overriding = "OVERRIDING SYSTEM VALUE" if name == "destinations" else ""
            administered.tamper(f"INSERT INTO {name} {overriding} SELECT * FROM {name}_as_it_was")
        assert missed == NOT_AUDITED.get(name, {}).keys()
    finally:
        administered.spotclaim.rows(f"DROP TABLE {name}_as_it_was")


@pytest.mark.parametrize(
    "act",
    [
        lambda engine: Tokens(engine).put("eve", "admin", "x"),
        lambda engine: Tokens(engine).disable("max", "eve"),
        lambda engine: Delegations(engine).lend("manager", "max", "olga", NOW + timedelta(days=9)),
        lambda engine: Silences(engine).add(Silence(new_claim_id(), "e", "w", NOW, NOW + timedelta(days=1))),
        lambda engine: Destinations(engine).remove("ops", "eve"),
        lambda engine: Policies(engine, a_policy()).keep("v8", "{}"),
        lambda engine: MeterKeys(engine).pin("E2", 1, "3059", "the plate", "eve"),
    ],
    ids=["put", "disable", "lend", "silence", "remove", "policy", "meter key"],
)
def test_no_act_without_its_event(administered: Administered, act: Callable[[Engine], None]) -> None:
    """One transaction has both; where the event cannot be written, nothing is done."""
    tables = ("api_tokens", "delegations", "silences", "destinations", "policies", "meter_keys")
    before = [administered.spotclaim.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    administered.spotclaim.rows(
        "CREATE TRIGGER no_events BEFORE INSERT ON audit_events EXECUTE FUNCTION refuse_change()"
    )
    try:
        with pytest.raises(psycopg2.errors.RestrictViolation):
            act(administered.engine)
    finally:
        administered.spotclaim.rows("DROP TRIGGER no_events ON audit_events")
    after = [administered.spotclaim.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]

    assert after == before
