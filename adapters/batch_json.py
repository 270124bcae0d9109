"""A batch out of the JSON it travelled as. The way in needs no code: dataclasses serialize by themselves."""

from datetime import date, datetime
from typing import Any

from domain.fault import Fault
from domain.intake import Batch, Quarantined
from domain.spot import Spot
from domain.usage import UsageRecord

_FAULT_MOMENTS = ("occurred_at", "received_at")
_USAGE_MOMENTS = ("recorded_at", "received_at", "started_at", "ended_at")
_SPOT_MOMENTS = ("registered_at", "received_at")
_SPOT_DATES = ("commissioned_on", "warranty_until")
_QUARANTINE_MOMENTS = ("received_at",)


def to_batch(raw: dict[str, Any]) -> Batch:
    """The batch that was sent. Changes `raw` on the way; raises `KeyError` or `TypeError` for another shape."""
    return Batch(
        faults=[Fault(**_with_moments(item, _FAULT_MOMENTS)) for item in raw["faults"]],
        usage=[UsageRecord(**_with_moments(item, _USAGE_MOMENTS)) for item in raw["usage"]],
        spots=[Spot(**_with_dates(_with_moments(item, _SPOT_MOMENTS))) for item in raw["spots"]],
        quarantined=[Quarantined(**_with_moments(item, _QUARANTINE_MOMENTS)) for item in raw["quarantined"]],
    )


def _with_moments(item: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in names:
        text = item[name]
        if text is not None:
            item[name] = datetime.fromisoformat(text)
    return item


def _with_dates(item: dict[str, Any]) -> dict[str, Any]:
    for name in _SPOT_DATES:
        if item[name] is not None:
            item[name] = date.fromisoformat(item[name])
    return item
