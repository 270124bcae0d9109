"""The port `Notifier` knows the destinations of the settings and those that were added while it runs."""

from structlog.testing import capture_logs

from adapters.apprise.notifier import AppriseNotifier
from domain.errors import TransientError
from domain.ports.store import Message
from tests.contracts.receivers import web_hook

MESSAGE = Message("key", "title", "body")


class Stored:
    """Destinations that were added, or a database that is away."""

    def __init__(self, **urls: str) -> None:
        self.urls = urls
        self.away = False
        self.reads = 0

    def __call__(self) -> dict[str, str]:
        self.reads += 1
        if self.away:
            raise TransientError("the database is away")
        return dict(self.urls)


def reading_always(configured: dict[str, str], stored: Stored) -> AppriseNotifier:
    return AppriseNotifier(configured, allow_internal=True, stored=stored, refresh_seconds=0)


def test_one_that_is_added_is_notified_without_a_restart() -> None:
    """And one that is removed is notified no more."""
    stored = Stored()
    notifier = reading_always({}, stored)
    assert not notifier.send("night", MESSAGE).sent

    with web_hook() as hook:
        stored.urls["night"] = f"json://{hook.address}/"
        assert notifier.send("night", MESSAGE).sent
        assert notifier.destinations == {"night": "json"}

        del stored.urls["night"]
        assert (notifier.send("night", MESSAGE).sent, len(hook.posted)) == (False, 1)


def test_one_that_was_just_added_is_notified() -> None:
    """Though what is known was read before."""
    stored = Stored()
    notifier = AppriseNotifier({}, stored=stored, refresh_seconds=3600)
    assert notifier.destinations == {}

    stored.urls["night"] = "log://"

    assert notifier.send("night", MESSAGE).sent


def test_a_new_url_takes_the_place_of_the_old() -> None:
    """Whose object is made anew."""
    with web_hook() as old, web_hook() as new:
        stored = Stored(night=f"json://{old.address}/")
        notifier = reading_always({}, stored)
        notifier.send("night", MESSAGE)
        stored.urls["night"] = f"json://{new.address}/"

        notifier.send("night", MESSAGE)

        assert (len(old.posted), len(new.posted)) == (1, 1)


def test_a_configured_one_comes_first() -> None:
    """What whoever runs Spotclaim has set is not changed by a command."""
    assert reading_always({"ops": "log://"}, Stored(ops="json://example.org/")).destinations == {"ops": "log"}


def test_what_is_known_stays_while_the_database_is_away() -> None:
    """The log says so."""
    with web_hook() as hook, capture_logs() as lines:
        stored = Stored(night=f"json://{hook.address}/")
        notifier = reading_always({}, stored)
        notifier.send("night", MESSAGE)
        stored.away = True

        assert notifier.send("night", MESSAGE).sent
        assert [line["event"] for line in lines] == ["destinations not read"]


def test_the_database_is_not_asked_for_each_message() -> None:
    """Once every few seconds is enough."""
    stored = Stored(night="log://")
    notifier = AppriseNotifier({}, stored=stored)

    for _ in range(5):
        notifier.send("night", MESSAGE)

    assert stored.reads == 1


def test_one_that_cannot_be_used_fails_and_is_reported() -> None:
    """It came past the command; the others are not concerned."""
    notifier = reading_always({"ops": "log://"}, Stored(night="pigeon://loft/hunter2-hunter2"))

    assert not notifier.send("night", MESSAGE).sent
    assert notifier.send("ops", MESSAGE).sent
    [problem] = notifier.problems()
    assert "night" in problem
    assert "hunter2" not in problem
