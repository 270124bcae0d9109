"""The port `EvidenceFiles`: the database, a folder and an S3 server keep bytes alike."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine

from adapters.object_store import object_files
from adapters.postgres.engine import connect
from adapters.postgres.evidence.files import DatabaseFiles
from domain.errors import NotFound, SetupError, TransientError
from domain.ports.store import EvidenceFiles
from tests.builders import a_png
from tests.servers.loopback import HOST, free_port

ACCOUNT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@dataclass
class Kept:
    """A store, and ways to it that go round the port."""

    files: EvidenceFiles
    count: Callable[[], int]
    alter: Callable[[str, bytes], None]
    """Puts other bytes in the place of those with this digest."""


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A server that speaks S3, in this process."""
    server = ThreadedMotoServer(HOST, free_port(), verbose=False)
    server.start()
    yield f"http://{HOST}:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(params=["database", "folder", "S3"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "database":
        engine = connect(request.getfixturevalue("database_url"))
        yield in_the_database(engine)
        engine.dispose()
    elif request.param == "folder":
        yield in_a_folder(request.getfixturevalue("tmp_path"))
    else:
        yield in_s3(request.getfixturevalue("s3_url"), request.getfixturevalue("monkeypatch"))


def in_the_database(engine: Engine) -> Kept:
    def count() -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM evidence_files").scalar_one())

    def alter(digest: str, content: bytes) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            sql = "UPDATE evidence_files SET content = %s WHERE sha256 = decode(%s, 'hex')"
            assert connection.exec_driver_sql(sql, (content, digest)).rowcount == 1

    return Kept(DatabaseFiles(engine), count, alter)


def in_a_folder(folder: Path) -> Kept:
    place = folder / "to be made" / "evidence"

    def alter(digest: str, content: bytes) -> None:
        (found,) = place.rglob(digest)
        found.write_bytes(content)

    files = object_files(place.as_uri())
    return Kept(files, lambda: sum(path.is_file() for path in place.rglob("*")), alter)


def in_s3(url: str, environment: pytest.MonkeyPatch) -> Kept:
    for name, value in (ACCOUNT | {"AWS_ENDPOINT_URL": url}).items():
        environment.setenv(name, value)
    client = boto3.client("s3")
    bucket = sha256(a_png(url.encode())).hexdigest()[:20]
    client.create_bucket(Bucket=bucket)
    for found in client.list_objects_v2(Bucket=bucket).get("Contents", []):
        client.delete_object(Bucket=bucket, Key=found["Key"])

    def keys() -> list[str]:
        return [found["Key"] for found in client.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def alter(digest: str, content: bytes) -> None:
        (key,) = (key for key in keys() if key.endswith(digest))
        assert key.startswith("claims/evidence/")
        client.put_object(Bucket=bucket, Key=key, Body=content)

    return Kept(object_files(f"s3://{bucket}/claims/evidence"), lambda: len(keys()), alter)


@pytest.mark.parametrize(
    "content", [a_png(), b"x", b"\0\xff\\x'%s" * 99, bytes(10 * 1024 * 1024)], ids=["PNG", "x", "odd", "10 MiB"]
)
def test_bytes_come_back_as_they_were(kept: Kept, content: bytes) -> None:
    """Under their SHA-256, which anybody can reckon."""
    digest = kept.files.put(content)

    assert digest == sha256(content).hexdigest()
    assert kept.files.get(digest) == content


def test_the_same_bytes_are_kept_once(kept: Kept) -> None:
    """Also when many put them at once."""
    contents = [a_png(b"one"), a_png(b"two")] * 8

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(kept.files.put, contents))

    assert digests == [sha256(content).hexdigest() for content in contents]
    assert kept.count() == 2
    assert [kept.files.get(digest) for digest in digests] == contents


def test_what_is_not_there_is_not_found(kept: Kept) -> None:
    """Nobody takes a missing file for an empty one."""
    kept.files.put(a_png())

    with pytest.raises(NotFound, match="00" * 32):
        kept.files.get("00" * 32)


@pytest.mark.parametrize("content", [a_png(b"forged"), b"", a_png()[:-1]], ids=["forged", "emptied", "cut short"])
def test_altered_bytes_are_not_passed_off(kept: Kept, content: bytes) -> None:
    """What lies in the file's place is another file."""
    digest = kept.files.put(a_png())
    kept.alter(digest, content)

    with pytest.raises(NotFound):
        kept.files.get(digest)


@pytest.fixture(params=["database", "folder", "S3"])
def away(request: pytest.FixtureRequest) -> Iterator[EvidenceFiles]:
    """A store that does not answer."""
    if request.param == "database":
        engine = connect(f"postgresql://nobody@{HOST}:{free_port()}/none")
        yield DatabaseFiles(engine)
        engine.dispose()
    elif request.param == "folder":
        folder = request.getfixturevalue("tmp_path") / "evidence"
        files = object_files(folder.as_uri())
        folder.rmdir()
        folder.write_text("a file where the folder was")
        yield files
    else:
        environment = request.getfixturevalue("monkeypatch")
        for name, value in (ACCOUNT | {"AWS_ENDPOINT_URL": f"http://{HOST}:{free_port()}"}).items():
            environment.setenv(name, value)
        yield object_files("s3://bucket")


def test_a_store_that_is_away_is_reported_as_such(away: EvidenceFiles) -> None:
    """Whoever sent the file may send it again."""
    with pytest.raises(TransientError):
        away.put(a_png())
    with pytest.raises(TransientError):
        away.get("00" * 32)


@pytest.mark.parametrize(
    "url",
    ["", "evidence", "/evidence", "file://host/evidence", "file:evidence", "s3://", "ftp://host/x", "http://[x"],
)
def test_an_address_that_cannot_be_one(url: str) -> None:
    """The setting is named, and how to write it."""
    with pytest.raises(SetupError, match="SPOTCLAIM_EVIDENCE_STORE: "):
        object_files(url)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands in its way."""
    (tmp_path / "file").touch()

    with pytest.raises(SetupError, match="SPOTCLAIM_EVIDENCE_STORE: "):
        object_files((tmp_path / "file" / "evidence").as_uri())
