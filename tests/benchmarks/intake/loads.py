"""The messages: typical CloudEvents of charging spots, a little over 700 bytes each, every one different."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

REPEATS = 20
STORM_CODE, STORM_ZONE = "GROUND_FAILURE", "zone-00"
# Repeats of a spot come this close together, mixed with those of its neighbours.
_STORM = 1_000

_ERRORS = (
    ("ocpp1.6", "ConnectorLockFailure", "Latch could not engage after three attempts"),
    ("ocpp1.6", "PowerMeterFailure", "Meter does not answer on the bus"),
    ("ocpi2.2.1", "EVSE_OCCUPIED", "Reserved spot was taken by another vehicle"),
)


def new_spots(count: int) -> Iterator[bytes]:
    """Every message is the first fault of a spot of its own, so each opens a claim."""
    return (fault(number, number) for number in range(count))


def repeats(count: int) -> Iterator[bytes]:
    """Every spot reports its error `REPEATS` times: fifty spots at a time, shuffled."""
    order = random.Random(20)
    for begin in range(0, count, _STORM):
        storm = range(begin, min(begin + _STORM, count))
        numbers = list(storm)
        order.shuffle(numbers)
        yield from (fault(number, begin + (number - begin) // REPEATS) for number in numbers)


def storm(count: int) -> Iterator[bytes]:
    """One error on so many spots of one zone, within the last minute."""
    now = datetime.now(UTC)
    for number in range(count):
        occurred = (now - timedelta(milliseconds=number % 60_000)).isoformat(timespec="milliseconds")
        error = {"taxonomy": "spotclaim", "code": STORM_CODE, "info": "Backend does not answer"}
        data = {"spot_id": spot_id(number), "error": error, "occurred_at": occurred, "zone": STORM_ZONE}
        yield orjson.dumps(
            {
                "specversion": "1.0",
                "id": f"storm-{number}",
                "source": f"/sites/{number % 997:04d}/controller",
                "type": "spotclaim.fault.raised.v1",
                "time": occurred,
                "data": data,
            }
        )


def fault(number: int, spot: int) -> bytes:
    """The fault message `number`, from the spot `spot`; a spot has one kind of error."""
    taxonomy, code, info = _ERRORS[spot % len(_ERRORS)]
    occurred = _moment(number)
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(UUID(int=(number << 64) | 0x4000_8000_0000_0000_0000)),
            "source": f"/sites/{spot % 997:04d}/controller",
            "type": "spotclaim.fault.raised.v1",
            "time": occurred,
            "datacontenttype": "application/json",
            "data": {
                "spot_id": spot_id(spot),
                "connector_id": 1 + spot % 2,
                "error": {"taxonomy": taxonomy, "code": code, "info": info},
                "occurred_at": occurred,
                "zone": f"zone-{spot % 40:02d}",
                "affected_user": f"user-{number:08x}",
                "reservation_id": f"R-{number:08d}",
                "session_id": f"S-{number:08d}",
                "description": "The spot was promised and could not be used; the driver had to move on.",
                "evidence": [{"kind": "meter_reading", "register": 18234.5, "unit": "kWh", "time": occurred}],
            },
        }
    )


def registration(spot: int) -> bytes:
    """The spot's registration, long under warranty."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"spot-{spot}",
            "source": "/registry",
            "type": "spotclaim.spot.registered.v1",
            "data": {
                "spot_id": spot_id(spot),
                "zone": f"zone-{spot % 40:02d}",
                "site": f"site-{spot % 997:04d}",
                "time_zone": "Europe/Berlin",
                "vendor": "ACME",
                "model": "DC-150",
                "max_power_kw": 150,
                "commissioned_on": "2023-05-01",
                "warranty_until": "2099-12-31",
            },
        }
    )


def usage(spot: int) -> bytes:
    """The session that the spot's first fault names, of another user. It was running then, and its register fell
    back: every kind of error in the load finds itself borne out."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"session-{spot}",
            "source": "/sessions",
            "type": "spotclaim.usage.recorded.v1",
            "data": {
                "spot_id": spot_id(spot),
                "session_id": f"S-{spot:08d}",
                "connector_id": 1 + spot % 2,
                "started_at": (_NOON - timedelta(hours=1)).isoformat(),
                "ended_at": (_NOON + timedelta(hours=1)).isoformat(),
                "energy_kwh": 12.5,
                "meter_start_kwh": 18234.5,
                "meter_stop_kwh": 18200.0,
                "user": f"another-{spot:08x}",
            },
        }
    )


def spot_id(spot: int) -> str:
    return f"DE*BEN*E{spot:08d}*1"


# Faults occur within a minute after this moment.
_NOON = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)


def _moment(number: int) -> str:
    return (_NOON + timedelta(milliseconds=number % 60_000)).isoformat(timespec="milliseconds")
