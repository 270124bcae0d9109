"""SSRF guard: connects to public addresses only, unless the operator allows internal ones.

The address that was checked is the one that is connected to, so a name that resolves differently a moment later
changes nothing.
"""

import ipaddress
import socket
import time

_SHORTEST_SECONDS = 0.1
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Prefixes of RFC 6052 and RFC 8215: the last 32 bits are an IPv4 address behind a translator.
_TRANSLATED = tuple(ipaddress.ip_network(prefix) for prefix in ("64:ff9b::/96", "64:ff9b:1::/48"))


class InternalAddress(OSError):
    """A destination whose addresses are all internal; the text names the host."""


def connect(host: str, port: int, seconds: float, *, allow_internal: bool) -> socket.socket:
    """Opens a TCP connection to the first public address of the host that answers.

    `seconds` bounds all attempts together. Whatever spelling the host has (`127.1`, `2130706433`, a name), the
    address that it resolves to counts. Raises `InternalAddress`, and any other `OSError` of the system.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    open_to_us = [address for address in addresses if allow_internal or not is_internal(address)]
    if not open_to_us:
        raise InternalAddress(f"{host} is inside the network; SPOTCLAIM_ALLOW_INTERNAL_DESTINATIONS allows that")
    until = time.monotonic() + seconds
    failure: OSError = TimeoutError(f"{host} did not answer")
    for number, address in enumerate(open_to_us):
        # Each has its share of the time that is left, so that one that is dead leaves some to the next.
        share = (until - time.monotonic()) / (len(open_to_us) - number)
        try:
            return socket.create_connection((address, port), max(share, _SHORTEST_SECONDS))
        except OSError as error:
            failure = error
    raise failure


def is_internal(address: str) -> bool:
    """Tells whether the public internet does not route an IP address.

    Loopback, private, link-local, unique local, shared, reserved or multicast; also as an IPv4 address embedded in
    an IPv6 one.
    """
    return any(_is_internal(ip) for ip in _readings(ipaddress.ip_address(address)))


def _is_internal(ip: Address) -> bool:
    site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return not ip.is_global or ip.is_multicast or ip.is_reserved or site_local


def _readings(ip: Address) -> list[Address]:
    """Returns the address itself, or the IPv4 addresses that it embeds."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    if any(ip in network for network in _TRANSLATED):
        return [ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
    if ip.ipv4_mapped or ip.sixtofour:
        return [inner for inner in (ip.ipv4_mapped, ip.sixtofour) if inner]
    return [ip]
