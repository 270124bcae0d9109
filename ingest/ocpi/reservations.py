"""Reservations that failed, as faults. Source: OCPI 2.2.1, module Commands; OCPI 2.3, module Bookings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from domain.errors import MalformedMessage
from ingest.cloudevents.types import FAULT_RAISED
from ingest.files.items import Item, Translated
from ingest.ocpi.objects import Outcome, Told, address, connector, listed, nested, settled, text, time

_COMMANDS: Final = "ocpi2.2.1"
_BOOKINGS: Final = "ocpi2.3"
_RESERVE_NOW: Final = "RESERVE_NOW"
_ACCEPTED: Final = "ACCEPTED"
_UNKNOWN_RESERVATION: Final = "UNKNOWN_RESERVATION"
_CANCELED: Final = "CANCELED"
_FAILED: Final = frozenset({"FAILED", "REJECTED", _CANCELED})
# What ReserveNow has and CancelReservation has not; both have the reservation's number.
_RESERVING: Final = frozenset({"token", "expiry_date", "location_id", "evse_uid"})

_Identity = tuple[str | None, str | None, str | None]


class Commands:
    """Commands and their results. A result names no command: it is told by the URL that it was sent to, which the
    command has asked for, or by a reservation's number that somebody put into it; where only one command was read,
    it is that one."""

    def __init__(self) -> None:
        self._asked: list[Told] = []
        self._answers: list[Told] = []

    def command(self, told: Told) -> Iterator[Outcome]:
        """A command; by itself it gives nothing."""
        self._asked.append(told)
        yield "command"

    def answer(self, told: Told) -> Iterator[Outcome]:
        """The response to a command, or its later result, kept until all commands are read."""
        self._answers.append(told)
        yield from ()

    def finish(self) -> Iterator[Outcome]:
        """What the answers come to, one outcome for each. Never raises."""
        yield from settled(self._outcomes(), [answer.raw for answer in self._answers])

    def _outcomes(self) -> Iterator[Outcome]:
        by_url = _by(_response_path, self._asked)
        by_reservation = _by(_reservation, filter(_is_reservation, self._asked))
        alone = next(iter(self._asked), None) if len({_identity(told) for told in self._asked}) == 1 else None
        for answer in self._answers:
            named = by_reservation.get(_reservation(answer)) or by_url.get(_response_path(answer)) or alone
            asked = answer if "evse_uid" in answer.body else named
            yield from settled(_judged(asked, answer, by_reservation), [answer.raw])


def _by(key: Callable[[Told], str | None], commands: Iterable[Told]) -> dict[str | None, Told]:
    """The commands by what tells them apart, without those that it does not."""
    found: dict[str | None, Told] = {}
    twice: set[str | None] = {None}
    for command in commands:
        other = found.setdefault(key(command), command)
        if _identity(other) != _identity(command):
            twice.add(key(command))
    return {name: command for name, command in found.items() if name not in twice}


def _judged(asked: Told | None, answer: Told, reserved: Mapping[str | None, Told]) -> Iterator[Outcome]:
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


def booking(told: Told) -> Iterator[Outcome]:
    """The fault of a booking that failed, was rejected, or was cancelled by the operator."""
    status = (text(told.body.get("reservation_status")) or "").upper()
    cancelled_by = text(nested(told.body.get("canceled")).get("who_canceled"))
    if status not in _FAILED or (status == _CANCELED and cancelled_by != "CPO"):
        yield "booking that the operator did not fail"
    else:
        yield _fault(told, told, _BOOKINGS, status, told.id, time(told.body, "last_updated"))


def _failure(asked: Told, answer: Told, result: str) -> Outcome:
    return _fault(
        asked, answer, _COMMANDS, result, _reservation(asked), time(answer.body, "last_updated", "timestamp")
    )


def _fault(
    reserved: Told, answer: Told, taxonomy: str, code: str, number: str | None, occurred_at: str | None
) -> Item:
    spot_id = reserved.spot_id(reserved.body.get("evse_uid"))
    if spot_id is None:
        raise MalformedMessage("MISSING_FIELD", "The reservation names no EVSE, so no spot failed it.")
    reference = text(reserved.body.get("authorization_reference"))
    evidence = {"kind": "reservation_response", "reservation": number, "result": code}
    data = {
        "spot_id": spot_id,
        "connector_id": connector(reserved.body.get("connector_id")),
        "error": {"taxonomy": taxonomy, "code": code} | _info(answer),
        "occurred_at": occurred_at,
        # What session and CDR know the reservation by, too.
        "reservation_id": reference or number,
        "affected_user": _user(reserved),
        "evidence": [evidence],
    }
    event = reserved.event(FAULT_RAISED, f"reservation:{number}:{code}", occurred_at, data)
    return Translated([event], answer.received_at)


def _is_reservation(told: Told) -> bool:
    """By the command's name where something tells it."""
    ids = told.address.ids if told.address.module == "commands" else ()
    name = text(told.body.get("command")) or next(iter(ids), None)
    if name is not None:
        return name == _RESERVE_NOW
    return _reservation(told) is not None and not _RESERVING.isdisjoint(told.body)


def _reservation(told: Told) -> str | None:
    return text(told.body.get("reservation_id"))


def _response_path(told: Told) -> str | None:
    """Where the result of a command goes, or came."""
    url = text(told.body.get("response_url"))
    return (address(url) if url else told.address).path or None


def _identity(told: Told) -> _Identity:
    return told.party, _reservation(told), text(told.body.get("evse_uid"))


def _user(reserved: Told) -> str | None:
    tokens = [nested(reserved.body.get("token")), *listed(reserved.body.get("booking_tokens"))]
    names = (text(token.get(field)) for token in tokens for field in ("contract_id", "auth_id", "uid"))
    return next(filter(None, names), None)


def _info(answer: Told) -> dict[str, str]:
    message = answer.body.get("message")
    texts = (text(each.get("text")) for each in (listed(message) or [nested(message)]))
    info = "; ".join(filter(None, texts))
    return {"info": info} if info else {}
