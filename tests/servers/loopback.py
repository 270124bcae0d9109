"""Free ports on 127.0.0.1, and one question to whoever listens there."""

import random
import socket

HOST = "127.0.0.1"
# Below the ports that Linux gives to outgoing connections: one stays free while its server is down.
PORTS = range(15_000, 30_000)
REPLY_SECONDS = 10

_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on and that this process has not given out before."""
    while True:
        port = random.choice(PORTS)
        if port not in _given and _can_listen(port):
            _given.add(port)
            return port


def reply(port: int, request: bytes) -> bytes:
    """The first bytes that come back; none if nobody answers."""
    try:
        with socket.create_connection((HOST, port), timeout=REPLY_SECONDS) as connection:
            connection.sendall(request)
            return connection.recv(1024)
    except OSError:
        return b""


def listening(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=REPLY_SECONDS):
            return True
    except OSError:
        return False


def _can_listen(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
        return True
