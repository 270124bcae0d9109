"""A small fleet that has troubles, so that a newcomer sees claims come to life. Nothing of it is real."""

import random
import uuid
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import structlog

from domain.intake import Batch
from domain.ports import Clock, HandOver
from ingest import messages, wire

_FLEET = {
    "harbour": [f"DE*DMO*E{number}" for number in range(101, 109)],
    "station-square": [f"DE*DMO*E{number}" for number in range(201, 209)],
}
_ERRORS = (
    ("ocpp1.6", "ConnectorLockFailure", "Latch could not engage", 6),
    ("ocpp1.6", "PowerMeterFailure", "Meter does not answer", 3),
    ("ocpp1.6", "GroundFailure", None, 1),
    ("ocpi2.2.1", "EVSE_OCCUPIED", "Reserved spot was taken", 4),
    ("spotclaim", "METER_MISREAD", "Energy on the bill is negative", 4),
    ("spotclaim", "RESERVATION_NOT_CONFIRMED", None, 3),
)
_FIRST_PAUSE_SECONDS, _PAUSE_SECONDS = 1.0, 4.0

log = structlog.get_logger("demo")


def run(hand_over: HandOver, clock: Clock, stopping: Event, seed: int = 7) -> None:
    """Registers the fleet with a week of sessions, then reports a fault every few seconds until told to stop."""
    chance = random.Random(seed)  # noqa: S311
    now = clock()
    hand_over(_batch([*_spots(now), *_sessions(now, chance)], now))
    log.info("demo fleet registered", spots=sum(len(spots) for spots in _FLEET.values()))
    pause = _FIRST_PAUSE_SECONDS
    while not stopping.wait(pause):
        event = _fault(chance, clock())
        log.info("fault reported", spot=event["data"]["spot_id"], error=event["data"]["error"]["code"])
        hand_over(_batch([event], clock()))
        pause = chance.uniform(0.5, 2) * _PAUSE_SECONDS


def _batch(events: list[dict[str, Any]], now: datetime) -> Batch:
    batch, reception = Batch(), wire.Reception(now, "demo")
    for event in events:
        wire.sort_in(batch, event, reception)
    return batch


def _event(kind: str, identity: str, time: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": identity,
        "source": "/demo-fleet",
        "type": kind,
        "time": time.isoformat(),
        "data": data,
    }


def _spots(now: datetime) -> list[dict[str, Any]]:
    return [
        _event(
            messages.SPOT_REGISTERED,
            f"spot-{spot}-{now:%Y%m%d}",
            now,
            {"spot_id": spot, "zone": zone, "site": zone, "time_zone": "Europe/Berlin", "max_power_kw": 22.0},
        )
        for zone, spots in _FLEET.items()
        for spot in spots
    ]


def _sessions(now: datetime, chance: random.Random) -> list[dict[str, Any]]:
    return [
        _session(spot, now - timedelta(hours=12 * back), chance)
        for spots in _FLEET.values()
        for spot in spots
        for back in range(1, 15)
    ]


def _session(spot: str, start: datetime, chance: random.Random) -> dict[str, Any]:
    identity = str(uuid.uuid4())
    hours, energy = chance.uniform(0.3, 6), chance.uniform(3, 40)
    wrong = chance.random() < 0.04
    data = {
        "session_id": identity[:8],
        "spot_id": spot,
        "connector_id": 1,
        "started_at": start.isoformat(),
        "ended_at": (start + timedelta(hours=hours)).isoformat(),
        "energy_kwh": round(-energy if wrong else energy, 2),
    }
    return _event(messages.USAGE_RECORDED, identity, start, data)


def _fault(chance: random.Random, now: datetime) -> dict[str, Any]:
    taxonomy, code, info, _ = chance.choices(_ERRORS, [error[3] for error in _ERRORS])[0]
    zone = chance.choice(list(_FLEET))
    data = {
        "spot_id": chance.choice(_FLEET[zone]),
        "connector_id": 1,
        "zone": zone,
        "error": {"taxonomy": taxonomy, "code": code, "info": info},
        "occurred_at": now.isoformat(),
    }
    return _event(messages.FAULT_RAISED, str(uuid.uuid4()), now, data)
