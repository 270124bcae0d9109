"""A stream is released at its pace: on time, together when late, and not after it is stopped."""

from threading import Event

from ingest.simulator.pace import at_once, at_rate, at_speed, let_out
from ingest.simulator.reports import Line

NOW = 1_772_409_600_000


class Watch(Event):
    """A clock that goes on only while somebody waits or works."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self.now += timeout or 0
        return self.is_set()

    def monotonic(self) -> float:
        return self.now


def a_line(seconds: float) -> Line:
    return Line(NOW + int(seconds * 1000), "faults raised", b"{}")


def times(watch: Watch, seconds: list[float], due: object, *, work: float = 0.0) -> list[tuple[float, int]]:
    """When groups came, in seconds from the beginning, and how many lines each held."""
    came = []
    for group in let_out([a_line(second) for second in seconds], due, watch, watch.monotonic):  # type: ignore[arg-type]
        came.append((round(watch.now - 1000, 3), len(group)))
        watch.now += work
    return came


def test_simulated_time_goes_with_the_clock_or_faster() -> None:
    """Each message comes when it is due, and those of one moment together."""
    assert times(Watch(), [0, 2, 2, 5], at_speed(1, NOW)) == [(0, 1), (2, 2), (5, 1)]
    assert times(Watch(), [0, 2, 2, 5], at_speed(10, NOW)) == [(0, 1), (0.2, 2), (0.5, 1)]


def test_what_is_past_comes_at_once() -> None:
    """A week of history, then the present."""
    assert times(Watch(), [-600, -300, -1, 3], at_speed(1, NOW)) == [(0, 3), (3, 1)]


def test_a_rate_keeps_no_simulated_time() -> None:
    """So many a second, however far apart they are."""
    assert times(Watch(), [0, 9000, 9001, 90000], at_rate(2)) == [(0, 1), (0.5, 1), (1, 1), (1.5, 1)]


def test_whoever_is_slow_gets_larger_groups() -> None:
    """Work that takes a second leaves ten to be taken the next time."""
    came = times(Watch(), [0.0] * 30, at_rate(10), work=1.0)
    assert came == [(0, 1), (1, 10), (2, 10), (2.9 + 0.1, 9)]


def test_groups_have_a_limit() -> None:
    """As fast as it goes means in handfuls of five hundred."""
    assert times(Watch(), [0.0] * 1200, at_once) == [(0, 500), (0, 500), (0, 200)]


def test_nothing_comes_after_the_stop() -> None:
    """Not what is due, and not what would be due later."""
    for passed in (0, 100):
        watch = Watch()
        groups = let_out([a_line(0), a_line(60)], at_speed(1, NOW), watch, watch.monotonic)
        assert len(next(groups)) == 1
        watch.now += passed
        watch.set()
        assert list(groups) == []
        assert watch.now == 1000 + passed
