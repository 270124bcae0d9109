"""Guards the SMTP connections of Apprise's mail plugin, in place of `smtplib`."""

import smtplib
import socket
from email import message_from_string
from typing import Any

import apprise.plugins.email.smtp as apprise_smtp

from adapters.apprise.attempt import current


class _Mail(smtplib.SMTP):
    """Opens guarded SMTP connections and records them on the attempt."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        attempt = current()
        attempt.begin()
        return attempt.dial(self, host, port)

    def sendmail(self, from_addr: str, to_addrs: Any, msg: Any, *args: Any, **options: Any) -> Any:
        """Sends a mail under a Message-ID that is the same for each attempt."""
        attempt = current()
        mail = message_from_string(msg)
        if attempt.key:
            del mail["Message-ID"]
            mail["Message-ID"] = f"<{attempt.key}@{from_addr.rpartition('@')[2]}>"
        if attempt.text is not None and mail.get_content_type() == "multipart/alternative":
            plain: Any = mail.get_payload(0)
            del plain["Content-Transfer-Encoding"]
            plain.set_payload(attempt.text, "utf-8")
        msg = mail.as_string()
        return super().sendmail(from_addr, to_addrs, msg, *args, **options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Sends the mail's data; until the server answers, the mail may have arrived."""
        attempt = current()
        attempt.under_way = True
        try:
            answer = super().data(msg)
        except smtplib.SMTPDataError:
            attempt.under_way = False
            raise
        attempt.under_way = False
        return answer


class _SecureMail(smtplib.SMTP_SSL, _Mail):
    """The same under TLS from the first byte: `_Mail` connects beneath it."""


class _Smtplib:
    """Replaces `smtplib` for Apprise's mail plugin."""

    SMTP = _Mail
    SMTP_SSL = _SecureMail

    def __getattr__(self, name: str) -> Any:
        return getattr(smtplib, name)


def guard_mail_plugin() -> None:
    """Replaces `smtplib` in the mail plugin."""
    vars(apprise_smtp)["smtplib"] = _Smtplib()
