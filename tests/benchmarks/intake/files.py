"""The files: tables of sessions and message logs of OCPP in the form of real ones, packed as they come."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

_BEGIN = datetime(2025, 1, 6)
_SPOTS = 70
_STATIONS = 20
_MODELS = ("ACME Dual Rapid Charger", "ACME 7kW Dual Outlet", "ACME Triple Rapid Charger")
_SESSION_COLUMNS = "source,spot_id,connector,session_id,start,end,kwh,site,zone,model,tz,flags"
_LOG_COLUMNS = "timestamp,id,action,msg"

# Of a hundred turns of a station, what happens beside heartbeats: what real logs hold.
_BUSY_TURN, _FAULTY_TURN = 3, 50


def sessions(path: Path, count: int) -> Path:
    """A table of so many sessions, each with its times on the wall, as cities publish them."""
    return _packed(path, _SESSION_COLUMNS, (_session(number) for number in range(count)))


def frames(path: Path, count: int) -> Path:
    """A log of so many frames: heartbeats and answers nearly all; sessions, meter values and faults among them."""
    turns = (frame for number in range(count) for frame in _turn(number))
    return _packed(path, _LOG_COLUMNS, islice(turns, count))


def _packed(path: Path, header: str, rows: Iterable[list[Any]]) -> Path:
    with gzip.open(path, "wb", compresslevel=6) as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
        text.write(f"{header}\n")
        csv.writer(text, lineterminator="\n").writerows(rows)
    return path


def _session(number: int) -> list[Any]:
    spot = number * 31 % _SPOTS
    start = _BEGIN + timedelta(minutes=7 * number)
    end = start + timedelta(minutes=20 + number * 37 % 600)
    kwh = round(0.5 + number * 0.173 % 40, 3)
    site, model = f"Car Park {spot // 2}, Sample Town", _MODELS[spot % 3]
    return [
        "sample", 50200 + spot, 1 + number % 2, 4000000 + number, start.isoformat(), end.isoformat(), kwh, site,
        "Sample Town", model, "Europe/London", "",
    ]  # fmt: skip


def _turn(number: int) -> Iterator[list[Any]]:
    """What one station and its back-end say to each other within five minutes."""
    turn, place = divmod(number, _STATIONS)
    station = f"CH-{place:03d}"
    at = _BEGIN.replace(tzinfo=UTC) + timedelta(minutes=5 * turn)
    happening = (turn + 5 * place) % 100
    yield from _asked(station, at, "Heartbeat", {}, {"currentTime": _moment(at)})
    if happening == _BUSY_TURN:
        yield from _charged(station, at, number)
    if happening == _FAULTY_TURN:
        yield from _failed(station, at)


def _charged(station: str, at: datetime, number: int) -> Iterator[list[Any]]:
    transaction, register = 1000 + number, 2_300_000 + 10 * number
    tag = {"connectorId": 1, "idTag": "ABC123XYZ"}
    meter = {"transactionId": transaction, "connectorId": 1, "meterValue": [_reading(at, register)]}
    accepted = {"idTagInfo": {"status": "Accepted"}}
    yield from _asked(station, at, "Authorize", {"idTag": "ABC123XYZ"}, accepted)
    begun = tag | {"timestamp": _moment(at), "meterStart": register}
    yield from _asked(station, at, "StartTransaction", begun, accepted | {"transactionId": transaction})
    yield from _asked(station, at, "StatusNotification", _status("Charging", "NoError"), {})
    yield from _asked(station, at, "MeterValues", meter, {})
    stopped = {"transactionId": transaction, "timestamp": _moment(at), "meterStop": register + 7000}
    yield from _asked(station, at, "StopTransaction", stopped, accepted)
    yield from _asked(station, at, "StatusNotification", _status("Available", "NoError"), {})


def _failed(station: str, at: datetime) -> Iterator[list[Any]]:
    yield from _asked(station, at, "StatusNotification", _status("Faulted", "ConnectorLockFailure"), {})
    later = at + timedelta(seconds=90)
    yield from _asked(station, later, "StatusNotification", _status("Available", "NoError"), {})


def _asked(station: str, at: datetime, action: str, request: Any, answer: Any) -> Iterator[list[Any]]:
    """A request of the station and the answer to it."""
    unique_id = f"{station}-{at:%d%H%M%S}-{action[:8]}-{request.get('status', '')}"
    yield [_moment(at), station, action, json.dumps([2, unique_id, action, request])]
    yield [_moment(at + timedelta(milliseconds=100)), station, "", json.dumps([3, unique_id, answer])]


def _status(status: str, error: str) -> dict[str, Any]:
    return {"connectorId": 1, "status": status, "errorCode": error}


def _reading(at: datetime, register: int) -> dict[str, Any]:
    measured = (
        ("Energy.Active.Import.Register", f"{register}.0", "Wh"),
        ("Voltage", "211.6", "V"),
        ("Current.Import", "16.4", "A"),
        ("Power.Active.Import", "3470", "W"),
    )
    values = [{"value": value, "unit": unit, "measurand": measurand} for measurand, value, unit in measured]
    return {"timestamp": _moment(at), "sampledValue": values}


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
