"""Addresses inside the network, in every spelling."""

import pytest

from adapters.address_guard import is_internal

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
