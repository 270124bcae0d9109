"""Addresses inside the network, in every spelling."""

import socket

import pytest

from adapters.apprise import ssrf_guard
from adapters.apprise.ssrf_guard import connect, is_internal

INSIDE = """
127.0.0.1 127.8.9.10 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12:3456::1 fec0::1 ff02::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::a00:1 64:ff9b:1::7f00:1
"""
OUTSIDE = "1.1.1.1 172.32.0.1 192.169.0.1 100.128.0.1 2606:4700:4700::1111 ::ffff:1.1.1.1 64:ff9b::101:101"


@pytest.mark.parametrize("address", INSIDE.split())
def test_inside(address: str) -> None:
    """What the public internet does not route, and IPv6 addresses that stand for such."""
    assert is_internal(address)


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_outside(address: str) -> None:
    """Where chat and mail live."""
    assert not is_internal(address)


def test_a_name_of_many_dead_addresses_costs_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them together; each has its share."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", 443)) for number in range(1, 6)]
    now, given = 100.0, []

    def create_connection(_: object, seconds: float) -> None:
        nonlocal now
        given.append(seconds)
        now += seconds
        raise TimeoutError

    monkeypatch.setattr(ssrf_guard.socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(ssrf_guard.socket, "create_connection", create_connection)
    monkeypatch.setattr(ssrf_guard.time, "monotonic", lambda: now)

    with pytest.raises(TimeoutError):
        connect("chat.example.org", 443, 10, allow_internal=True)

    assert given == [pytest.approx(2)] * 5
