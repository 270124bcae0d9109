"""Connection parameters of RabbitMQ, with every wait bounded."""

from urllib.parse import urlsplit

import pika

from domain.errors import SetupError

HEARTBEAT_SECONDS = 20
BLOCKED_SECONDS = 30
SOCKET_SECONDS = 10


def parameters(url: str) -> pika.URLParameters:
    """Builds connection parameters from an `amqp://` or `amqps://` URL.

    A broker under a memory or disk alarm, or one that no longer answers, ends the connection instead of blocking
    for ever. Raises `SetupError` for an invalid URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("amqp", "amqps"):
        raise SetupError("SPOTCLAIM_AMQP_URL is not a broker URL; write amqp://user:password@host:5672/vhost.")
    if parts.username and parts.password is None:
        raise SetupError(
            "SPOTCLAIM_AMQP_URL has a user and no password; write amqp://user:password@host:5672/vhost."
        )
    try:
        bounded = pika.URLParameters(url)
    except (ValueError, TypeError) as error:
        raise SetupError(f"SPOTCLAIM_AMQP_URL cannot be read: {error}") from None
    bounded.heartbeat = HEARTBEAT_SECONDS
    bounded.blocked_connection_timeout = BLOCKED_SECONDS
    bounded.socket_timeout = SOCKET_SECONDS
    bounded.stack_timeout = SOCKET_SECONDS
    bounded.client_properties = {"connection_name": "spotclaim"}
    return bounded
