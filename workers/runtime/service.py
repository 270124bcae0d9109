"""The loop of every background service: do a round, rest, and wait out what is away."""

from abc import ABC, abstractmethod
from datetime import timedelta
from threading import Event
from typing import ClassVar

import structlog

from domain.backoff import Backoff
from domain.errors import TransientError


class Service(ABC):
    """Work that is done in rounds until the process stops. Any number of processes may run the same."""

    name: ClassVar[str]
    retry: ClassVar[Backoff] = Backoff(timedelta(seconds=1), timedelta(seconds=5))

    @abstractmethod
    def run_once(self) -> int:
        """Does one round. Returns how much was done; raises `TransientError`."""

    @abstractmethod
    def rest(self, done: int, stopping: Event) -> None:
        """Waits for the next round, after one that did so much. May raise `TransientError`."""

    def run(self, stopping: Event) -> None:
        """Runs until stopped; outages are waited out."""
        log = structlog.get_logger(self.name)
        failures = 0
        while not stopping.is_set():
            try:
                self.rest(self.run_once(), stopping)
                failures = 0
            except TransientError as error:
                failures += 1
                pause = self.retry.after(failures).total_seconds()
                log.warning(f"{self.name} waits", error=str(error), retry_in=pause)
                stopping.wait(pause)
