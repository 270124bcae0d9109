"""A wall around unit tests: they reach no network and no database."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import psycopg2
import pytest

LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}
# -1 wraps a socket that is open already.
ALLOWED_FAMILIES = {socket.AF_UNIX, -1}


class Wall:
    """Hears of every socket the interpreter is about to make, and refuses while it is up.

    An audit hook also sees what replacing `socket.socket` would not: modules that imported the class
    before, and libraries written in C. It cannot be taken out again, hence `up`.
    """

    def __init__(self) -> None:
        self._is_up = False
        sys.addaudithook(self._hear)

    @contextmanager
    def up(self) -> Iterator[None]:
        self._is_up = True
        try:
            yield
        finally:
            self._is_up = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_up:
            return
        if event in LOOKUPS or (event == "socket.__new__" and arguments[1] not in ALLOWED_FAMILIES):
            refuse(event)


def refuse(reached: object, *_: object, **__: object) -> NoReturn:
    pytest.fail(f"a unit test reached for {reached}; it belongs in tests/integration")


@pytest.fixture(scope="session")
def wall() -> Wall:
    return Wall()


@pytest.fixture(autouse=True)
def _no_network(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(psycopg2, "_connect", refuse)  # its sockets are out of the interpreter's sight
    with wall.up():
        yield
