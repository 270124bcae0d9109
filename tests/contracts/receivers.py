"""Real receivers of notifications, on this machine: a web hook and a mail server."""

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


class WebHook:
    """Answers every post with `status`; keeps what was posted. It may also say nothing, or say it endlessly."""

    def __init__(self, port: int) -> None:
        self.address = f"{HOST}:{port}"
        self.status = 200
        self.location: str | None = None
        self.silent = False
        self.dripping = False
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.released = threading.Event()


@contextmanager
def web_hook() -> Iterator[WebHook]:
    """A web hook while the block lasts."""
    server = ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler)
    hook = WebHook(server.server_port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posted.append((self.path, orjson.loads(body)))
            if hook.silent:
                hook.released.wait()
            elif hook.dripping:
                self._drip()
            else:
                self._answer()

        do_GET = do_POST

        def _answer(self) -> None:
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
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
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class MailBox:
    """Takes mail, or answers `refusal`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.refusal: str | None = None
        self.mails: list[Message] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content or b""))
        return "250 taken"


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
