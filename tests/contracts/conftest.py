"""One suite over every implementation of a port."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:'imghdr' is deprecated")  # imported by Apprise
