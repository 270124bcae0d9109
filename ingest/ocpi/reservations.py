"""Failed reservations as faults. Source: OCPI 2.2.1, module Commands; OCPI 2.3, module Bookings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.errors import MalformedMessage
from ingest.cloudevents.types import FAULT_RAISED
from ingest.files.items import Item, Translated
from ingest.ocpi.objects import OcpiObject, Reading, address, connector, listed, nested, settled, text, time

_COMMANDS: Final = "ocpi2.2.1"
_BOOKINGS: Final = "ocpi2.3"
_RESERVE_NOW: Final = "RESERVE_NOW"
_ACCEPTED: Final = "ACCEPTED"
_UNKNOWN_RESERVATION: Final = "UNKNOWN_RESERVATION"
_CANCELED: Final = "CANCELED"
_FAR_OFF: Final = timedelta(days=1)
_FAILED: Final = frozenset({"FAILED", "REJECTED", _CANCELED})
# Fields that ReserveNow has and CancelReservation has not; both have the reservation's number.
_RESERVING: Final = frozenset({"token", "expiry_date", "location_id", "evse_uid"})

_Identity = tuple[str | None, str | None, str | None]


class Commands:
    """Matches the results of commands to their commands.

    A result names no command: it is matched by the URL that it was sent to, which the command has asked for, or by
    a reservation's number that somebody put into it; where only one command was read, it is that one.
    """

    def __init__(self) -> None:
        self._asked: list[OcpiObject] = []
        self._answers: list[OcpiObject] = []

    def command(self, obj: OcpiObject) -> Iterator[Reading]:
        """Keeps a command; by itself it gives nothing."""
        self._asked.append(obj)
        yield "command"

    def answer(self, obj: OcpiObject) -> Iterator[Reading]:
        """Keeps the response to a command, or its later result, until all commands are read."""
        self._answers.append(obj)
        yield from ()

    def finish(self) -> Iterator[Reading]:
        """Yields one reading for each answer. Never raises."""
        yield from settled(self._readings(), [answer.raw for answer in self._answers])

    def _readings(self) -> Iterator[Reading]:
        by_url = _by(_response_path, self._asked)
        by_reservation = _by(_reservation, filter(_is_reservation, self._asked))
        alone = next(iter(self._asked), None) if len({_identity(obj) for obj in self._asked}) == 1 else None
        for answer in self._answers:
            named = by_reservation.get(_reservation(answer)) or by_url.get(_response_path(answer)) or alone
            asked = answer if "evse_uid" in answer.body else named
            yield from settled(_matched(asked, answer, by_reservation), [answer.raw])


def _by(key: Callable[[OcpiObject], str | None], commands: Iterable[OcpiObject]) -> dict[str | None, OcpiObject]:
    """Indexes the commands by a key, without those that it does not distinguish."""
    found: dict[str | None, OcpiObject] = {}
    twice: set[str | None] = {None}
    for command in commands:
        other = found.setdefault(key(command), command)
        if _identity(other) != _identity(command):
            twice.add(key(command))
    return {name: command for name, command in found.items() if name not in twice}


def _matched(
    asked: OcpiObject | None, answer: OcpiObject, reserved: Mapping[str | None, OcpiObject]
) -> Iterator[Reading]:
    result = (text(answer.body.get("result")) or "").upper()
    if not result:
        raise MalformedMessage("MISSING_FIELD", "The result of the command is empty.")
    if result == _ACCEPTED:
        yield "command that was accepted"
    elif asked is None:
        sentence = (
            "Nothing tells which command this answers: no reservation_id, and no response_url that was read."
        )
        raise MalformedMessage("UNKNOWN_COMMAND", sentence)
    elif _is_reservation(asked):
        yield _failure(asked, answer, result)
    # A reservation that could not be cancelled still stands, unless it is lost.
    elif result == _UNKNOWN_RESERVATION and (cancelled := reserved.get(_reservation(asked))) is not None:
        yield _failure(cancelled, answer, result)
    else:
        yield "result of a command that reserves nothing"


def booking(obj: OcpiObject) -> Iterator[Reading]:
    """Reads a booking: a fault if it failed, was rejected, or the operator cancelled it."""
    status = (text(obj.body.get("reservation_status")) or "").upper()
    cancelled_by = text(nested(obj.body.get("canceled")).get("who_canceled"))
    if status not in _FAILED or (status == _CANCELED and cancelled_by != "CPO"):
        yield "booking that the operator did not fail"
    else:
        reported = time(obj.body, "last_updated")
        yield _fault(obj, obj, _BOOKINGS, status, obj.id, _booked_for(obj, reported) or reported)


def _booked_for(obj: OcpiObject, reported: str | None) -> str | None:
    """Returns the begin of the booked period: that is when the spot could not be had.

    None for a period that was still far off when the failure was reported.
    """
    begin = time(nested(obj.body.get("period")), "start_date_time")
    if begin is None or reported is None:
        return begin
    return begin if datetime.fromisoformat(begin) - datetime.fromisoformat(reported) <= _FAR_OFF else None


def _failure(asked: OcpiObject, answer: OcpiObject, result: str) -> Reading:
    return _fault(
        asked, answer, _COMMANDS, result, _reservation(asked), time(answer.body, "last_updated", "timestamp")
    )


def _fault(
    reserved: OcpiObject, answer: OcpiObject, taxonomy: str, code: str, number: str | None, occurred_at: str | None
) -> Item:
    option = nested(reserved.body.get("booking_option"))
    spot_id = reserved.spot_id(reserved.body.get("evse_uid") or option.get("evse_uid"))
    if spot_id is None:
        raise MalformedMessage("MISSING_FIELD", "The reservation names no EVSE, so no spot failed it.")
    reference = text(reserved.body.get("authorization_reference"))
    data = {
        "spot_id": spot_id,
        "connector_id": connector(reserved.body.get("connector_id") or option.get("connector_id")),
        "error": {"taxonomy": taxonomy, "code": code} | _info(answer),
        "occurred_at": occurred_at,
        # Session and CDR refer to the reservation by this, too.
        "reservation_id": reference or number,
        "affected_user": _user(reserved),
        "evidence": _response(number, code, occurred_at or _isoformat(answer.received_at)),
    }
    event = reserved.event(FAULT_RAISED, f"reservation:{number}:{code}", occurred_at, data)
    return Translated([event], answer.received_at)


def _response(number: str | None, status: str, time: str | None) -> list[dict[str, str | None]]:
    """Returns the answer as evidence. One that nobody dated is none; the fault itself says the same."""
    if time is None:
        return []
    return [{"kind": "reservation_response", "reservation": number, "status": status, "time": time}]


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _is_reservation(obj: OcpiObject) -> bool:
    """Tells whether a command reserves, by its name where that is known."""
    ids = obj.address.ids if obj.address.module == "commands" else ()
    name = text(obj.body.get("command")) or next(iter(ids), None)
    if name is not None:
        return name == _RESERVE_NOW
    return _reservation(obj) is not None and not _RESERVING.isdisjoint(obj.body)


def _reservation(obj: OcpiObject) -> str | None:
    return text(obj.body.get("reservation_id"))


def _response_path(obj: OcpiObject) -> str | None:
    """Returns the path that the result of a command is sent to, or was."""
    url = text(obj.body.get("response_url"))
    return (address(url) if url else obj.address).path or None


def _identity(obj: OcpiObject) -> _Identity:
    return obj.party, _reservation(obj), text(obj.body.get("evse_uid"))


def _user(reserved: OcpiObject) -> str | None:
    tokens = [nested(reserved.body.get("token")), *listed(reserved.body.get("booking_tokens"))]
    names = (text(token.get(field)) for token in tokens for field in ("contract_id", "auth_id", "uid"))
    return next(filter(None, names), None)


def _info(answer: OcpiObject) -> dict[str, str]:
    message = answer.body.get("message")
    texts = (text(each.get("text")) for each in (listed(message) or [nested(message)]))
    cancelled = text(nested(answer.body.get("canceled")).get("cancellation_reason"))
    info = "; ".join(filter(None, [*texts, cancelled]))
    return {"info": info} if info else {}
