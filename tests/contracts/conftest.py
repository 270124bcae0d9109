"""Receivers of notifications while a test lasts."""

from collections.abc import Iterator

import pytest

from tests.contracts.receivers import MailBox, WebHook, mail_box, web_hook


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with web_hook() as running:
        yield running


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_box() as running:
        yield running
