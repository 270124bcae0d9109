"""OCPP 1.6J message logs as Spotclaim's events. Source: OCPP 1.6 edition 2."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ingest.items import IGNORED, Item, Refused, Translated
from ingest.messages import SPOT_REGISTERED
from ingest.ocpp_faults import StandingFaults
from ingest.ocpp_log import Frame, frames
from ingest.ocpp_transactions import Settled, Transactions

_BOOT_DETAILS: Final = {"vendor": "chargePointVendor", "model": "chargePointModel", "firmware": "firmwareVersion"}


def read_log(lines: Iterable[str]) -> Iterator[Item]:
    """One item for each frame of a log (see `ingest.ocpp_log.frames` for its forms), with its reception moment.

    A StatusNotification gives faults raised and cleared, a transaction one usage record, and each station is
    registered with its first frame, and again when a BootNotification tells more. Every other frame is ignored.
    The item of a StartTransaction comes late: with its stop, or at the end of the log. Raises `SetupError` when
    the log lacks a column.
    """
    stations = _Stations()
    for frame in frames(lines):
        if isinstance(frame, Refused):
            yield frame
        else:
            yield from stations.take(frame)
    yield from stations.finish()


class _Stations:
    """What the log has told so far of every station."""

    def __init__(self) -> None:
        self._details: dict[str, dict[str, Any]] = {}
        self._faults = StandingFaults()
        self._transactions = Transactions()
        self._handlers = {
            "": self._transactions.answer,
            "BootNotification": self._boot,
            "StatusNotification": self._status,
            "StartTransaction": self._transactions.start,
            "StopTransaction": self._transactions.stop,
        }

    def take(self, frame: Frame) -> Iterator[Item]:
        """The items of all frames that are settled by this one."""
        handle = self._handlers.get(frame.action, _pass)
        return map(self._item, handle(frame))

    def finish(self) -> Iterator[Item]:
        """The items of the frames that wait for more than the log holds."""
        return map(self._item, self._transactions.finish())

    def _boot(self, frame: Frame) -> Iterator[Settled]:
        details = {name: frame.payload[key] for name, key in _BOOT_DETAILS.items() if frame.payload.get(key)}
        is_news = bool(details) and self._details.get(frame.station) != details
        yield frame, [self._register(frame, details)] if is_news else []

    def _status(self, frame: Frame) -> Iterator[Settled]:
        yield frame, self._faults.events(frame)

    def _item(self, settled: Settled) -> Item:
        if isinstance(settled, Refused):
            return settled
        frame, events = settled
        if frame.station not in self._details:
            events = [self._register(frame, {}), *events]
        return Translated(events, frame.received_at) if events else IGNORED

    def _register(self, frame: Frame, details: dict[str, Any]) -> dict[str, Any]:
        self._details[frame.station] = details
        return frame.event(SPOT_REGISTERED, "registered", {"spot_id": frame.station} | details)


def _pass(frame: Frame) -> Iterator[Settled]:
    yield frame, []
