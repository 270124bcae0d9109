"""Rows of OCPP 1.6J logs for the tests, and what becomes of them."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.field.batch import Batch
from ingest.files.importer import Importer, ImportTally
from ingest.files.items import Item, Translated
from ingest.ocpp import reader

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LARGEST = 9223372036854775807


def at(second: int) -> str:
    return f"2025-10-01T08:{second // 60:02}:{second % 60:02}.000Z"


def call(second: int, unique_id: str, action: str, *, station: str = "CH-1", **payload: Any) -> list[Any]:
    """One row of a log: a request."""
    return [at(second), station, json.dumps([2, unique_id, action, payload])]


def answer(second: int, unique_id: str, *, station: str = "CH-1", **payload: Any) -> list[Any]:
    """One row of a log: the result of a request."""
    return [at(second), station, json.dumps([3, unique_id, payload])]


def refusal(second: int, unique_id: str, code: str, words: str = "", *, station: str = "CH-1") -> list[Any]:
    """One row of a log: an error in answer to a request."""
    return [at(second), station, json.dumps([4, unique_id, code, words, {}])]


def status(second: int, status: str, error: str, connector: int = 1, uid: str = "n", **more: Any) -> list[Any]:
    fields = {"connectorId": connector, "status": status, "errorCode": error} | more
    return call(second, uid, "StatusNotification", **fields)


def start(second: int, uid: str = "start", meter: Any = 1000, **more: Any) -> list[Any]:
    return call(second, uid, "StartTransaction", connectorId=2, idTag="TAG", meterStart=meter, **more)


def stop(second: int, transaction: int, meter: Any = 3500, **more: Any) -> list[Any]:
    return call(second, "stop", "StopTransaction", transactionId=transaction, meterStop=meter, **more)


def log(rows: Iterable[Sequence[Any]]) -> list[str]:
    text = io.StringIO()
    csv.writer(text).writerows([["timestamp", "id", "msg"], *rows])
    return text.getvalue().splitlines(keepends=True)


def read(*rows: Sequence[Any]) -> list[Item]:
    return list(reader.read_log(log(rows)))


def events(items: Iterable[Item], kind: str) -> list[dict[str, Any]]:
    return [
        event
        for item in items
        if isinstance(item, Translated)
        for event in item.events
        if event["type"] == f"spotclaim.{kind}.v1"
    ]


def data(items: Iterable[Item], kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events(items, kind)]


def ingested(items: Iterable[Item]) -> tuple[Batch, ImportTally]:
    """What the domain gets of these items."""
    whole = Batch()

    def keep(batch: Batch) -> None:
        for name in ("faults", "usage", "spots", "quarantined"):
            getattr(whole, name).extend(getattr(batch, name))

    tally = Importer(keep, lambda _: set(), lambda: NOW, lambda _: None).run(items)
    return whole, tally


def keys(batch: Batch) -> list[str]:
    return [message.key for message in (*batch.faults, *batch.usage, *batch.spots)]
