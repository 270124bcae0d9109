"""Notifiers that tell receivers on this machine, under the name `ops`."""

from adapters.apprise.notifier import AppriseNotifier
from adapters.apprise.rendering import Templates
from tests.contracts.receivers import MailBox
from tests.servers.loopback import HOST

PLAIN = Templates()


def by_url(url: str, templates: Templates = PLAIN) -> AppriseNotifier:
    return AppriseNotifier({"ops": url}, allow_internal=True, templates=templates)


def by_mail(box: MailBox, options: str = "", templates: Templates = PLAIN) -> AppriseNotifier:
    return by_url(f"mailto://{HOST}:{box.port}/?from=spotclaim@example.org&to=ops@example.org{options}", templates)
