"""Attempts that last too long are cut off, and make no connection afterwards."""

import socket
from collections.abc import Iterator

import pytest

from adapters.apprise import attempt as delivery_attempt
from adapters.apprise.attempt import Attempt
from adapters.apprise.deadline import AttemptLimit
from tests.servers.waiting import PATIENCE_SECONDS, wait_until


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock


class Stubborn(Attempt):
    def cut(self) -> None:
        raise AttributeError("no line that could be cut")


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_one_that_lasts_too_long_finds_its_line_broken(line: tuple[socket.socket, socket.socket]) -> None:
    """Whoever reads from it waits no longer."""
    ours, _ = line
    ours.settimeout(PATIENCE_SECONDS)

    with AttemptLimit(0.01).on(Attempt(connection=Connection(ours))):
        assert ours.recv(1) == b""


def test_one_that_cannot_be_cut_off_leaves_the_others_their_limit() -> None:
    """Nor those that come later."""
    limit = AttemptLimit(0.01)
    attempt = Attempt()

    with limit.on(Stubborn()):
        assert not wait_until(lambda: attempt.ended, 1)
        with limit.on(attempt):
            assert wait_until(lambda: attempt.ended, PATIENCE_SECONDS)


def test_one_in_time_goes_on() -> None:
    """It is left alone, then and later."""
    attempt = Attempt()
    limit = AttemptLimit(PATIENCE_SECONDS)

    with limit.on(attempt):
        pass

    assert not wait_until(lambda: attempt.ended, 1)


def test_a_line_that_came_too_late_is_not_used(
    line: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took so long to connect that the attempt was over."""
    ours, theirs = line
    attempt = Attempt()

    def connect(*_: object, **__: object) -> socket.socket:
        attempt.cut()
        return ours

    monkeypatch.setattr(delivery_attempt, "connect", connect)

    with pytest.raises(TimeoutError):
        attempt.dial(Connection(ours), "example.org", 443)
    assert theirs.recv(1) == b""
