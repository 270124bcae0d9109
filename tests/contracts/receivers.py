"""Real receivers of notifications, on this machine: a web hook and a mail server."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.loopback import HOST, free_port

DRIP_SECONDS = 0.2
_POLL_SECONDS = 0.02


class WebHook:
    """Answers every post with `status`; keeps what was posted, and under which headers.

    It may also answer late, hang up when it has read a post, say nothing, or say it endlessly.
    """

    def __init__(self, port: int) -> None:
        self.address = f"{HOST}:{port}"
        self.status = 200
        self.location: str | None = None
        self.retry_after: str | None = None
        self.cookie: str | None = None
        self.hanging_up = False
        self.silent = False
        self.late_seconds = 0.0
        self.dripping = False
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[Message] = []
        # From where each was posted: those that came through one line came from one port.
        self.senders: list[tuple[str, int]] = []
        self.released = threading.Event()


@contextmanager
def web_hook(*, keeping_lines: bool = False) -> Iterator[WebHook]:
    """A web hook while the block lasts; one that keeps lines takes further posts through each."""
    server = ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler)
    hook = WebHook(server.server_port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keeping_lines else "HTTP/1.0"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posted.append((self.path, _parsed(body)))
            hook.headers.append(self.headers)
            hook.senders.append(self.client_address)
            if hook.hanging_up:
                self.close_connection = True
            elif hook.silent:
                hook.released.wait()
            elif hook.dripping:
                self._drip()
            else:
                hook.released.wait(hook.late_seconds)
                self._answer()

        do_GET = do_POST

        def _answer(self) -> None:
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
            if hook.cookie:
                self.send_header("Set-Cookie", hook.cookie)
            if hook.retry_after:
                self.send_header("Retry-After", hook.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _drip(self) -> None:
            """A header that never ends, one byte at a time."""
            self.send_response(200)
            self.flush_headers()
            while not hook.released.wait(DRIP_SECONDS):
                try:
                    self.wfile.write(b"x")
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            pass

    server.RequestHandlerClass = Handler
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        return dict(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {"raw": body.decode()}


class MailBox:
    """Takes mail, or answers `refusal`; when it has read a mail (`DATA`) or the sender's name (`MAIL`) it may hang
    up, or say nothing any more."""

    def __init__(self) -> None:
        self.port = free_port()
        self.refusal: str | None = None
        self.hanging_up_at: str | None = None
        self.silent_at: str | None = None
        self.mails: list[Message] = []

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._break("MAIL", server)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 go on"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content or b""))
        await self._break("DATA", server)
        return "250 taken"

    async def _break(self, place: str, server: SMTP) -> None:
        if self.hanging_up_at == place:
            server.transport.abort()
        if self.silent_at == place:
            await asyncio.Event().wait()


@contextmanager
def mail_box() -> Iterator[MailBox]:
    """A mail server while the block lasts."""
    box = MailBox()
    controller = Controller(box, hostname=HOST, port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def subject(mail: Message) -> str:
    return str(make_header(decode_header(mail["Subject"])))


def text(mail: Message) -> str:
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().strip()
