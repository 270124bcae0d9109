"""StatusNotifications as faults raised and cleared. Source: OCPP 1.6 edition 2, sections 4.9 and 7.6."""

from typing import Any, Final

from ingest.messages import FAULT_CLEARED, FAULT_RAISED
from ingest.ocpp_log import Frame

_TAXONOMY: Final = "ocpp1.6"
_NO_ERROR: Final = "NoError"
_OTHER_ERROR: Final = "OtherError"
_WHOLE_STATION: Final = "0"


class StandingFaults:
    """The codes that each connector has raised in this log and not yet cleared."""

    def __init__(self) -> None:
        # Station, connector as text (some stations write it so), code; then the connector as sent.
        self._standing: dict[str, dict[str, dict[str, Any]]] = {}

    def events(self, frame: Frame) -> list[dict[str, Any]]:
        """What one StatusNotification says: a code raised, codes cleared, or nothing new.

        `Faulted` with `NoError` keeps the code that the connector raised before, since stations send the code
        once and then the bare status; where there is none, the fault is real and its name is `OtherError`.
        """
        code = str(frame.payload.get("errorCode") or _NO_ERROR)
        if code.lower() != _NO_ERROR.lower():
            return [self._raise(frame, code)]
        if frame.payload.get("status") != "Faulted":
            return self._clear(frame)
        if self._stands(frame):
            return []
        return [self._raise(frame, _OTHER_ERROR, "status Faulted with errorCode NoError")]

    def _raise(self, frame: Frame, code: str, remark: str | None = None) -> dict[str, Any]:
        connector = frame.payload.get("connectorId", 0)
        station = self._standing.setdefault(frame.station, {})
        station.setdefault(str(connector), {})[code] = connector
        return frame.event(FAULT_RAISED, frame.moment_id, _fault(frame, code, connector, remark))

    def _clear(self, frame: Frame) -> list[dict[str, Any]]:
        """Clears what the connector has raised; the whole station speaks for all its connectors."""
        station, connector = self._standing.get(frame.station, {}), _connector(frame)
        cleared = list(station) if connector == _WHOLE_STATION else [connector]
        return [
            frame.event(
                FAULT_CLEARED, f"{frame.moment_id}:cleared:{each}:{code}", _fault(frame, code, connector_as_sent)
            )
            for each in cleared
            for code, connector_as_sent in station.pop(each, {}).items()
        ]

    def _stands(self, frame: Frame) -> bool:
        station = self._standing.get(frame.station, {})
        return _connector(frame) in station or _WHOLE_STATION in station


def _connector(frame: Frame) -> str:
    return str(frame.payload.get("connectorId", 0))


def _fault(frame: Frame, code: str, connector: Any, remark: str | None = None) -> dict[str, Any]:
    error = {"taxonomy": _TAXONOMY, "code": code}
    if info := _info(frame, remark):
        error["info"] = info
    data = {"spot_id": frame.station, "connector_id": connector, "error": error}
    return data if frame.stated_at is None else data | {"occurred_at": frame.stated_at}


def _info(frame: Frame, remark: str | None) -> str:
    """The station's free words; in the field the cause is often only here."""
    info, vendor_code = frame.payload.get("info"), frame.payload.get("vendorErrorCode")
    parts = (remark, info, f"vendorErrorCode {vendor_code}" if vendor_code else None)
    return "; ".join(str(part) for part in parts if part)
