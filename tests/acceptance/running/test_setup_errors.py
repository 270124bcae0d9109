"""A wrong set-up ends at once with exit code 2 and a line that names the setting and the mend, never a secret."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import domain.policy
from tests.acceptance.installation import Answer, Database, command, settings, succeed
from tests.servers.loopback import HOST, free_port

SECRET = "hunter2"
BUILT_IN_POLICY = Path(domain.policy.__file__).with_name("policy.yaml")


@pytest.fixture
def sound(database_url: str, amqp_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """An environment in which every role starts."""
    return settings(database_url=database_url, amqp_url=amqp_url, redis_url=redis_url, data=tmp_path / "data")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on, and never answers."""
    with socket.create_server((HOST, 0)) as stranger:
        yield stranger.getsockname()[1]


def start(role: str, sound: dict[str, str], *options: object, **changed: object) -> Answer:
    """Starts a role with these settings changed; it must end by itself."""
    return command(sound | settings(**changed), *role.split(), *options)


def complaint(answer: Answer) -> str:
    """The only thing that was said: one line."""
    printed = answer.output + answer.errors
    assert "Traceback" not in printed, printed[-2000:]
    assert SECRET not in printed
    assert answer.code == 2, answer
    assert answer.output == ""
    assert answer.errors.startswith("spotclaim: ")
    assert answer.errors.count("\n") == 1, answer.errors
    return answer.errors


WRONG_SETTINGS = {
    "a destination by carrier pigeon": (
        {"destinations": f'{{"ops": "pigeon://ops:{SECRET}@loft"}}'},
        "SPOTCLAIM_DESTINATIONS",
    ),
    "a destination that lacks its half": ({"destinations": '{"ops": "slack://"}'}, "SPOTCLAIM_DESTINATIONS"),
    "a database that is no URL": ({"database_url": f"ops:{SECRET}"}, "SPOTCLAIM_DATABASE_URL"),
    "a database port that is a word": (
        {"database_url": f"postgresql://ops:{SECRET}@{HOST}:port/x"},
        "SPOTCLAIM_DATABASE_URL",
    ),
    "a broker that is no URL": ({"amqp_url": f"ops:{SECRET}"}, "SPOTCLAIM_AMQP_URL"),
    "a broker port that is a word": ({"amqp_url": f"amqp://ops:{SECRET}@{HOST}:port/"}, "SPOTCLAIM_AMQP_URL"),
    "a Redis port that is a word": ({"redis_url": f"redis://:{SECRET}@{HOST}:port/0"}, "SPOTCLAIM_REDIS_URL"),
    "a policy that is not there": ({"policy": "/nowhere/policy.yaml"}, "SPOTCLAIM_POLICY"),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS)
def test_a_wrong_setting_is_named(sound: dict[str, str], case: str) -> None:
    """The line begins with the environment variable to mend."""
    changed, variable = WRONG_SETTINGS[case]

    assert variable in complaint(start("worker", sound, **changed))


def test_every_wrong_setting_is_named_at_once(sound: dict[str, str]) -> None:
    """Whoever mends one need not start again to hear of the next."""
    wrong = {"port": 70_000, "worker_threads": 0, "log_format": "poem", "destinations": f"ops=json://{SECRET}@x"}

    said = complaint(start("worker", sound, **wrong))

    assert [name for name in wrong if f"SPOTCLAIM_{name.upper()}:" in said] == list(wrong)


@pytest.mark.parametrize("role", ["worker", "claims", "migrate"])
def test_a_database_that_nobody_serves(sound: dict[str, str], role: str) -> None:
    """The address is named, and the password is not."""
    port = free_port()

    said = complaint(start(role, sound, database_url=f"postgresql://ops:{SECRET}@{HOST}:{port}/spotclaim"))

    assert "SPOTCLAIM_DATABASE_URL" in said
    assert f"{HOST}:{port}" in said


@pytest.mark.parametrize("role", ["ingest", "send /dev/null"])
def test_a_broker_that_nobody_serves(sound: dict[str, str], role: str) -> None:
    """The address is named, and the password is not."""
    port = free_port()

    said = complaint(start(role, sound, amqp_url=f"amqp://ops:{SECRET}@{HOST}:{port}/"))

    assert "SPOTCLAIM_AMQP_URL" in said
    assert f"{HOST}:{port}" in said


def test_a_broker_that_refuses_the_password(sound: dict[str, str], rabbitmq_server_url: str) -> None:
    """A wrong password is named as such, and not shown."""
    wrong = rabbitmq_server_url.replace("guest:guest", f"guest:{SECRET}")

    assert "SPOTCLAIM_AMQP_URL" in complaint(start("ingest", sound, amqp_url=wrong))


@pytest.mark.parametrize(
    ("variable", "scheme"), [("SPOTCLAIM_DATABASE_URL", "postgresql"), ("SPOTCLAIM_AMQP_URL", "amqp")]
)
def test_a_server_that_never_answers(sound: dict[str, str], taken_port: int, variable: str, scheme: str) -> None:
    """A connection that is accepted and then left alone is given up in time."""
    silent = {variable: f"{scheme}://ops:{SECRET}@{HOST}:{taken_port}/spotclaim"}

    assert variable in complaint(start("worker", sound | silent))


@pytest.mark.parametrize("role", ["ingest", "worker", "relay"])
def test_a_distributed_role_needs_a_broker(sound: dict[str, str], role: str) -> None:
    """Without one it would carry out nothing, or lose what it leases."""
    del sound["SPOTCLAIM_AMQP_URL"]

    assert "SPOTCLAIM_AMQP_URL" in complaint(start(role, sound))


@pytest.mark.parametrize("role", ["worker", "console", "claims"])
def test_a_database_that_was_never_migrated(sound: dict[str, str], empty_database_url: str, role: str) -> None:
    """Nobody changes a real server's schema in passing; the line says what does."""
    said = complaint(start(role, sound, database_url=empty_database_url))

    assert "spotclaim migrate" in said


@pytest.mark.parametrize("role", ["up", "console"])
def test_a_port_in_use(sound: dict[str, str], taken_port: int, role: str, database_url: str) -> None:
    """The console's port belongs to somebody else. A token is shown once, so a failed start makes none."""
    said = complaint(start(role, sound, port=taken_port))

    assert "SPOTCLAIM_PORT" in said
    assert str(taken_port) in said
    assert Database(database_url).number("SELECT count(*) FROM api_tokens") == 0


def test_a_metrics_port_in_use(sound: dict[str, str], taken_port: int) -> None:
    """The port of /metrics belongs to somebody else."""
    said = complaint(start("worker", sound, metrics_port=taken_port))

    assert "SPOTCLAIM_METRICS_PORT" in said
    assert str(taken_port) in said


def test_a_data_folder_that_is_a_file(sound: dict[str, str], tmp_path: Path) -> None:
    """The embedded form has nowhere to keep its data."""
    del sound["SPOTCLAIM_DATABASE_URL"]
    file = tmp_path / "file"
    file.touch()

    assert str(file) in complaint(start("up", sound, "--data", file))


BROKEN_POLICIES = {
    "nothing": (b"", "policy"),
    "no YAML": (b"version: [1\n", "line 2"),
    "no text": (b"version: \xff\xfe\n", "policy"),
    "control characters": (b"version: \x00\n", "policy"),
}


@pytest.mark.parametrize("case", BROKEN_POLICIES)
def test_a_policy_that_cannot_be_read(sound: dict[str, str], tmp_path: Path, case: str) -> None:
    """The file is named, and the line as far as it can be known."""
    content, word = BROKEN_POLICIES[case]
    file = tmp_path / "policy.yaml"
    file.write_bytes(content)

    said = complaint(start("worker", sound, policy=file))

    assert str(file) in said
    assert word in said


def test_a_policy_with_several_mistakes(sound: dict[str, str], tmp_path: Path) -> None:
    """One line names the setting, the first mistake with its place, and the command that lists them all."""
    text = BUILT_IN_POLICY.read_text()
    text = text.replace("SPOT_OCCUPIED: {severity: low,", "SPOT_OCCUPIED: {severity: lowish,")
    text = text.replace("resolve_hours: 24}", "resolve_hours: -24}")
    file = tmp_path / "policy.yaml"
    file.write_text(text)

    answer = start("worker", sound, policy=file)

    assert answer.code == 2
    [line] = answer.errors.splitlines()
    wrong = next(n for n, text in enumerate(text.splitlines(), 1) if "lowish" in text)
    assert line.startswith(f"spotclaim: SPOTCLAIM_POLICY: {file}, line {wrong}: codes.SPOT_OCCUPIED.severity: ")
    assert line.endswith(f"`spotclaim policy check {file}` lists 1 more.")


def _line_of(text: str, word: str) -> int:
    return text[: text.index(word)].count("\n") + 1


def test_a_policy_that_notifies_a_stranger(sound: dict[str, str], tmp_path: Path) -> None:
    """The destination is named, and the setting that should hold it."""
    policy = yaml.safe_load(BUILT_IN_POLICY.read_text())
    policy["notifications"].append({"event": "claim.approved", "to": ["the-mayor"]})
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(policy))

    said = complaint(start("worker", sound, policy=file))

    assert "the-mayor" in said
    assert "SPOTCLAIM_DESTINATIONS" in said


def test_a_policy_that_changed_without_its_version(sound: dict[str, str], tmp_path: Path) -> None:
    """Claims that the version bound could not tell any more what they were promised."""
    succeed(sound | settings(policy="strict"), "claims")
    file = tmp_path / "policy.yaml"
    file.write_text(BUILT_IN_POLICY.read_text().replace("resolve_hours: 24}", "resolve_hours: 240}"))

    said = complaint(start("worker", sound, policy=file))

    assert "SPOTCLAIM_POLICY" in said
    assert "change its version" in said


def test_files_that_are_not_there(sound: dict[str, str], tmp_path: Path) -> None:
    """A file to send, and a folder of ledgers to hold against the database."""
    missing = tmp_path / "missing"

    sent = command(sound, "send", missing)
    held = command(sound, "reconcile", "--ledger", missing)

    for answer in (sent, held):
        assert answer.code == 2, answer
        assert str(missing.name) in answer.errors
        assert "Traceback" not in answer.errors


@pytest.mark.parametrize("words", ["dance", "up --loudly", "claim", "policy check /nowhere"])
def test_wrong_usage(sound: dict[str, str], words: str) -> None:
    """Exit code 2, and help instead of a traceback."""
    answer = command(sound, *words.split())

    assert answer.code == 2, answer
    assert answer.output + answer.errors
    assert "Traceback" not in answer.errors


def test_settings_are_listed_without_secrets(sound: dict[str, str]) -> None:
    """`settings` can be pasted into a question to a colleague."""
    secret = settings(
        database_url=f"postgresql://ops:{SECRET}@{HOST}/x",
        amqp_url=f"amqp://ops:{SECRET}@{HOST}/",
        redis_url=f"redis://:{SECRET}@{HOST}/0",
        destinations=f'{{"ops": "json://ops:{SECRET}@{HOST}"}}',
        bootstrap_token=SECRET,
    )

    listed = succeed(sound | secret, "settings").output

    assert "SPOTCLAIM_DATABASE_URL" in listed
    assert SECRET not in listed
