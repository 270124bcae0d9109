"""OCPI objects for the tests, and what becomes of them."""

import json
from datetime import UTC, datetime
from typing import Any

from domain.field.batch import Batch
from domain.field.fault import Fault
from domain.field.spot import Spot
from domain.field.usage import UsageRecord
from ingest.files.importer import Importer, ImportTally
from ingest.ocpi.reader import Hints, Partner

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def at(minute: int) -> str:
    return f"2026-04-01T{8 + minute // 60:02}:{minute % 60:02}:00Z"


def period(minute: int, kwh: float) -> dict[str, Any]:
    return {"start_date_time": at(minute), "dimensions": [{"type": "ENERGY", "volume": kwh}]}


def a_session(**changes: Any) -> dict[str, Any]:
    """An hour of 11 kWh, and over."""
    session = {
        "country_code": "FR",
        "party_id": "ABC",
        "id": "s-1",
        "start_date_time": at(0),
        "end_date_time": at(60),
        "kwh": 11.0,
        "cdr_token": {"uid": "04E1", "contract_id": "FR-XYZ-C1"},
        "auth_method": "WHITELIST",
        "location_id": "L1",
        "evse_uid": "E1",
        "connector_id": "2",
        "currency": "EUR",
        "charging_periods": [period(0, 6.0), period(30, 5.0)],
        "status": "COMPLETED",
        "last_updated": at(61),
    }
    return session | changes


def an_active_session(**changes: Any) -> dict[str, Any]:
    """The same when it had just begun."""
    session = a_session(kwh=0.5, charging_periods=[], status="ACTIVE", last_updated=at(5))
    del session["end_date_time"]
    return session | changes


def a_patch(minute: int, session: str = "s-1", **changes: Any) -> dict[str, Any]:
    """A log's record of a PATCH, which names its session in the URL only."""
    url = f"https://emsp.example/ocpi/2.2.1/sessions/FR/ABC/{session}"
    return {"method": "PATCH", "url": url, "body": changes | {"last_updated": at(minute)}}


def a_cdr(**changes: Any) -> dict[str, Any]:
    cdr = {
        "country_code": "FR",
        "party_id": "ABC",
        "id": "cdr-9",
        "session_id": "s-1",
        "start_date_time": at(0),
        "end_date_time": at(60),
        "cdr_token": {"uid": "04E1"},
        "cdr_location": {"id": "L1", "evse_uid": "E1", "evse_id": "FR*ABC*E777", "connector_id": "2"},
        "charging_periods": [period(0, 11.0)],
        "total_cost": {"excl_vat": 4.4},
        "total_energy": 11.0,
        "total_time": 1.0,
        "last_updated": at(90),
    }
    return cdr | changes


def a_location(*evses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    location = {
        "country_code": "FR",
        "party_id": "ABC",
        "id": "L1",
        "name": "Gare du Nord",
        "address": "18 rue de Dunkerque",
        "city": "Paris",
        "coordinates": {"latitude": "48.8809", "longitude": "2.3553"},
        "evses": list(evses) or [an_evse()],
        "time_zone": "Europe/Paris",
        "last_updated": at(0),
    }
    return location | changes


def an_evse(uid: str = "E1", **changes: Any) -> dict[str, Any]:
    connector = {"id": "1", "power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32}
    return {"uid": uid, "status": "AVAILABLE", "connectors": [connector], "last_updated": at(0)} | changes


def reserve_now(**changes: Any) -> dict[str, Any]:
    command = {
        "response_url": "https://emsp.example/ocpi/2.2.1/commands/RESERVE_NOW/77",
        "token": {"country_code": "DE", "party_id": "XYZ", "uid": "04E1", "contract_id": "DE-XYZ-C1"},
        "expiry_date": at(30),
        "reservation_id": "77",
        "location_id": "L1",
        "evse_uid": "E1",
        "connector_id": "1",
    }
    return command | changes


def in_lines(*objects: Any) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in objects)


class Imported:
    """What came of some texts: every message, the tally, and why objects gave nothing."""

    def __init__(self, *texts: bytes, **hints: Any) -> None:
        batches: list[Batch] = []
        partner = Partner(Hints(**hints))
        importer = Importer(batches.append, lambda _: set(), lambda: NOW, lambda _: None)
        self.tally: ImportTally = importer.run(partner.items(texts))
        self.ignored = dict(partner.ignored)
        self.spots: list[Spot] = [spot for batch in batches for spot in batch.spots]
        self.usage: list[UsageRecord] = [record for batch in batches for record in batch.usage]
        self.faults: list[Fault] = [fault for batch in batches for fault in batch.faults]
        self.quarantined = [each for batch in batches for each in batch.quarantined]

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.quarantined]

    @property
    def latest(self) -> UsageRecord:
        """The last word on the only session."""
        assert len({(record.spot_id, record.session_id) for record in self.usage}) == 1
        return max(self.usage, key=lambda record: record.recorded_at)


def imported(*objects: Any, **hints: Any) -> Imported:
    """What comes of objects, one a line."""
    return Imported(in_lines(*objects), **hints)
