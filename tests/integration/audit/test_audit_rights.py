"""Who may do what to the audit record: by grants, by ownership, and by triggers where there is nothing else."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import errors
from sqlalchemy.engine import make_url

from adapters.postgres.audit.log import AuditLog
from adapters.postgres.engine import connect
from adapters.postgres.migrations import migrate
from tests.builders import a_fault
from tests.integration.parts import Spotclaim
from workers.audit.sequencer import Sequencer

TABLES = ("audit_events", "audit_log", "audit_checkpoints")
AGAINST_THE_RECORD = [
    "UPDATE audit_events SET body = body",
    "UPDATE audit_log SET leaf = leaf",
    "UPDATE audit_checkpoints SET line = line",
    *(f"DELETE FROM {table}" for table in TABLES),
    *(f"TRUNCATE {table}" for table in TABLES),
]
AGAINST_ITS_GUARDS = [
    *(f"DROP TRIGGER {table}_append_only ON {table}" for table in TABLES),
    *(f"DROP TRIGGER {table}_no_truncate ON {table}" for table in TABLES),
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in TABLES),
    *(f"ALTER TABLE {table} OWNER TO CURRENT_USER" for table in TABLES),
    *(f"DROP TABLE {table}" for table in TABLES),
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION refuse_change() CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE spotclaim_audit",
]
OPEN_TO_THE_SCHEMAS_OWNER = ("DROP TABLE", "DROP FUNCTION")


@contextmanager
def a_login(server_url: str, options: str = "") -> Iterator[str]:
    """A role that may log in, gone afterwards with all it has."""
    name = f"login_{uuid4().hex}"
    _execute(server_url, f"CREATE ROLE {name} LOGIN {options}")
    yield name
    _execute(server_url, f"DROP ROLE {name}")


@contextmanager
def a_database(server_url: str, owner: str) -> Iterator[str]:
    name = f"rights_{uuid4().hex}"
    _execute(server_url, f"CREATE DATABASE {name} OWNER {owner}")
    yield make_url(server_url).set(database=name, username=owner).render_as_string(hide_password=False)
    _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url.replace("+psycopg2", "", 1))) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


def work(url: str) -> None:
    """What the application does with the record: it adds to it, and gives positions."""
    engine = connect(url)
    spotclaim = Spotclaim(engine)
    spotclaim.take_in(faults=[a_fault(), a_fault(spot_id="E2")])
    spotclaim.carry_out()
    spotclaim.demand_sound_chains()
    assert Sequencer(AuditLog(engine)).run_once().events > 2
    engine.dispose()


@pytest.fixture
def app_url(database_url: str, postgres_server_url: str) -> Iterator[str]:
    """The database that a superuser migrated, as the application should connect: with `spotclaim_app` alone."""
    with a_login(postgres_server_url, "IN ROLE spotclaim_app") as name:
        yield make_url(database_url).set(username=name).render_as_string(hide_password=False)


@pytest.fixture
def simple_url(postgres_server_url: str) -> Iterator[str]:
    """A simple installation: one role, which may create roles, owns the database, migrates it and works on it."""
    with a_login(postgres_server_url, "CREATEROLE") as name, a_database(postgres_server_url, name) as url:
        _execute(postgres_server_url, f"GRANT spotclaim_audit, spotclaim_app TO {name} WITH ADMIN OPTION")
        migrate(url)
        _execute(postgres_server_url, f"REVOKE spotclaim_audit, spotclaim_app FROM {name}")
        yield url


def test_the_application_can_do_its_work(app_url: str) -> None:
    """With the rights of `spotclaim_app` and no others."""
    work(app_url)


def test_a_role_that_migrates_and_works_can_do_both(migrated_template: str, simple_url: str) -> None:
    """It gave the record away, and may still add to it."""
    work(simple_url)


def test_the_application_cannot_alter_the_record(app_url: str) -> None:
    """Nor what guards it: it is another's."""
    work(app_url)

    for statement in AGAINST_THE_RECORD + AGAINST_ITS_GUARDS:
        with pytest.raises(errors.InsufficientPrivilege):
            _execute(app_url, statement)


@pytest.mark.parametrize("statement", AGAINST_THE_RECORD)
def test_a_superuser_is_stopped_by_triggers(database_url: str, statement: str) -> None:
    """By a slip it changes nothing; with intent it can, which only a checkpoint elsewhere reveals."""
    work(database_url)

    if "audit_checkpoints" in statement and not statement.startswith("TRUNCATE"):
        _execute(database_url, "INSERT INTO audit_checkpoints VALUES (1, '{}', '')")
    with pytest.raises(errors.RestrictViolation, match="append-only"):
        _execute(database_url, statement)


def test_no_event_is_added_but_by_named_columns(app_url: str) -> None:
    """A column that a later version adds is not the application's to fill until it is granted."""
    engine = connect(app_url)
    with engine.connect() as connection:
        granted = connection.exec_driver_sql(
            "SELECT has_table_privilege('audit_events', 'INSERT'),"
            " has_column_privilege('audit_events', 'body', 'INSERT')"
        ).one()
    engine.dispose()

    assert tuple(granted) == (False, True)


def test_a_simple_installation_cannot_alter_the_record(migrated_template: str, simple_url: str) -> None:
    """But drop it as a whole, which nobody overlooks: the owner of a schema may drop what is in it."""
    work(simple_url)

    ways = [
        way for way in AGAINST_THE_RECORD + AGAINST_ITS_GUARDS if not way.startswith(OPEN_TO_THE_SCHEMAS_OWNER)
    ]
    for statement in ways:
        with pytest.raises(errors.InsufficientPrivilege):
            _execute(simple_url, statement)


def test_without_the_right_to_create_roles_triggers_guard_alone(
    migrated_template: str, postgres_server_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The migration succeeds and says so; a change is still refused."""
    with a_login(postgres_server_url) as name, a_database(postgres_server_url, name) as url:
        migrate(url)
        work(url)

        assert "guarded by triggers alone" in capsys.readouterr().out
        for statement in AGAINST_THE_RECORD[3:5]:
            with pytest.raises(errors.RestrictViolation):
                _execute(url, statement)
