"""Stores evidence files in a folder or in S3, by obstore (Apache Arrow's `object_store`)."""

import os
from datetime import timedelta
from hashlib import sha256 as digest_of
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from domain.errors import NotFound, SetupError, TransientError

_SETTING = "SPOTCLAIM_EVIDENCE_STORE"
_REQUEST_SECONDS = 30
# Failed requests are retried within this time, so that a put ends while the sender of the file still waits.
_RETRY_SECONDS = 20


class ObjectFiles:
    """Implements `domain.ports.store.EvidenceFiles`.

    Keys are the digests, in folders named by their first two digits.
    """

    def __init__(self, store: LocalStore | S3Store, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    def put(self, content: bytes) -> str:
        digest = digest_of(content).hexdigest()
        try:
            # At most 10 MiB in one request, so no partial upload is ever left behind.
            obstore.put(self._store, _key(digest), content, use_multipart=False)
            if self._folder is not None:
                _make_durable(self._folder / _key(digest))
        except (BaseError, OSError) as error:
            raise TransientError(f"The store of evidence does not take a file: {_first_line(error)}") from error
        return digest

    def get(self, sha256: str) -> bytes:
        try:
            content = bytes(obstore.get(self._store, _key(sha256)).bytes())
        except FileNotFoundError:
            content = None
        except (BaseError, OSError) as error:
            raise TransientError(f"The store of evidence does not answer: {_first_line(error)}") from error
        if content is None or digest_of(content).hexdigest() != sha256:
            raise NotFound(f"No file with the digest {sha256} is in the store of evidence.")
        return content


def object_files(url: str) -> ObjectFiles:
    """Opens the store at `file:///folder` or `s3://bucket/prefix`.

    For S3 the usual variables count: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and AWS_ENDPOINT_URL
    for one that is not Amazon's. Nothing is connected yet. Raises `SetupError`.
    """
    try:
        parsed = urlsplit(url)
        if parsed.scheme == "file" and parsed.netloc in ("", "localhost") and parsed.path.startswith("/"):
            folder = Path(unquote(parsed.path))
            folder.mkdir(parents=True, exist_ok=True)
            return ObjectFiles(LocalStore(folder), folder)
        if parsed.scheme == "s3" and parsed.netloc:
            return ObjectFiles(_s3(url))
    except (BaseError, OSError, ValueError) as error:
        raise SetupError(f"{_SETTING}: {_first_line(error)}") from error
    raise SetupError(f"{_SETTING}: write file:///folder or s3://bucket/prefix, or leave it out for the database.")


def _s3(url: str) -> S3Store:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return S3Store.from_url(
        url,
        client_options={
            # An endpoint without TLS is intended: a store on this machine or in this network.
            "allow_http": endpoint.startswith("http://"),
            "timeout": timedelta(seconds=_REQUEST_SECONDS),
            "connect_timeout": timedelta(seconds=5),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    )


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _make_durable(path: Path) -> None:
    """Syncs the file and its folders.

    The library writes a temporary file and renames it, which survives the process's death but not a power cut.
    """
    for place in (path, path.parent, path.parent.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
