"""The port `Notifier` reaches no address inside the network unless the operator allows it."""

import pytest
from apprise.manager_plugins import NotificationManager

from adapters.apprise.http import guard_plugin
from adapters.apprise.notifier import AppriseNotifier
from adapters.apprise.ssrf_guard import InternalAddress, connect
from adapters.apprise.urls import SCHEMAS
from domain.ports.store import AttemptResult, Message
from tests.contracts.receivers import WebHook, mail_box
from tests.servers.loopback import HOST

MESSAGE = Message("key", "title", "body")
# All of them are this machine to the system's resolver; Apprise takes some more for no host at all.
SPELLINGS = ["127.0.0.1", "2130706433", "0x7f000001", "localhost", "0.0.0.0", "[::1]"]


def sent_to(address: str, schema: str = "json") -> AttemptResult:
    return AppriseNotifier({"ops": f"{schema}://{address}/abcdefghijklmnopqrstuvwx"}).send("ops", MESSAGE)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_reaches_this_machine(hook: WebHook, host: str) -> None:
    """Whoever reads the answer learns which setting would."""
    outcome = sent_to(f"{host}:{hook.address.rpartition(':')[2]}")

    assert (outcome.sent, hook.posted) == (False, [])
    assert "SPOTCLAIM_ALLOW_INTERNAL_DESTINATIONS" in outcome.answer


@pytest.mark.parametrize("host", ["127.1", "0177.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"])
def test_no_connection_is_made_to_this_machine(host: str) -> None:
    """Likewise, for whoever has them."""
    with pytest.raises(InternalAddress, match="is inside the network"):
        connect(host, 9, 1, allow_internal=False)


@pytest.mark.parametrize("schema", ["json", "jsons", "form", "xml", "ntfy", "gotify", "mmost"])
def test_no_schema_reaches_this_machine(hook: WebHook, schema: str) -> None:
    """Each has a plugin of its own."""
    outcome = sent_to(hook.address, schema)

    assert (outcome.sent, hook.posted) == (False, [])
    assert "SPOTCLAIM_ALLOW_INTERNAL_DESTINATIONS" in outcome.answer


@pytest.mark.parametrize("schema", ["mailto", "mailtos"])
def test_no_mail_server_on_this_machine_is_reached(schema: str) -> None:
    """Not even where the URL names another host and this one by an option."""
    with mail_box() as box:
        url = f"{schema}://me:word@example.org:{box.port}/?smtp={HOST}&from=me@example.org&to=ops@example.org"

        outcome = AppriseNotifier({"ops": url}).send("ops", MESSAGE)

        assert (outcome.sent, box.mails) == (False, [])
        assert "SPOTCLAIM_ALLOW_INTERNAL_DESTINATIONS" in outcome.answer


def test_the_operator_may_allow_it(hook: WebHook) -> None:
    """Chat on the intranet is common."""
    notifier = AppriseNotifier(
        {"ops": f"json://localhost:{hook.address.rpartition(':')[2]}/"}, allow_internal=True
    )

    assert notifier.send("ops", MESSAGE).sent


def test_a_proxy_is_not_asked_to_go_there(hook: WebHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would resolve the name where nobody looks at the address."""
    monkeypatch.setenv("http_proxy", f"http://{hook.address}")

    outcome = AppriseNotifier({"ops": "json://localhost:9/"}).send("ops", MESSAGE)

    assert (outcome.sent, hook.posted) == (False, [])
    assert "localhost is inside the network" in outcome.answer


def test_a_proxy_is_used_where_the_operator_allows_what_is_inside(
    hook: WebHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the hosts that the environment excepts."""
    monkeypatch.setenv("http_proxy", f"http://{hook.address}")
    monkeypatch.setenv("no_proxy", "excepted.invalid")
    urls = {"proxied": "json://chat.invalid/", "excepted": "json://excepted.invalid/"}
    notifier = AppriseNotifier(urls, allow_internal=True)

    sent = {name: notifier.send(name, MESSAGE).sent for name in urls}

    assert sent == {"proxied": True, "excepted": False}
    assert [path for path, _ in hook.posted] == ["http://chat.invalid/"]


@pytest.mark.parametrize("schema", sorted(SCHEMAS - {"log"}))
def test_every_schema_goes_through_the_guard(schema: str) -> None:
    """One whose plugin reached the network by other means would be refused at the start."""
    assert guard_plugin(NotificationManager()[schema])
