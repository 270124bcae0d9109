"""Intake: faults a second, from a full queue to committed claims with audit events and steps.

The queue is filled first; then the processes start, and the database is watched (see `progress`) from the first
commit to the last. The relay does not run: what becomes of opened claims is measured by `drain`, and the floor has
nobody to do it either. Ways take turns, and each turn has a corner of its own.
"""

import sys
from collections.abc import Iterator

from tests.benchmarks.corner import fresh_corner
from tests.benchmarks.intake.ways import CELERY, DRAMATIQ, FLOOR, OURS, Way
from tests.benchmarks.processes import Process, ProcessFailed
from tests.benchmarks.progress import watch
from tests.benchmarks.report import Row, rate_row, ratio_row
from tests.benchmarks.scale import Scale

_LOADS = {"new_spots": "every fault from a new spot", "repeats": "every spot reports 20 times"}
_AIMS = ((FLOOR, 0.7), (DRAMATIQ, 12.0), (CELERY, 12.0))
_DEADLINE_SECONDS = 300
_COUNT = "SELECT count(*) FROM faults"


def measure(scale: Scale) -> Iterator[Row]:
    """Rates of all ways for each load, and ours over each of theirs."""
    for load, words in _LOADS.items():
        rates: dict[str, list[float]] = {way.name: [] for way in (OURS, *(way for way, _ in _AIMS))}
        for _ in range(scale.repetitions):
            for way in (OURS, *(way for way, _ in _AIMS)):
                measured = rate(way, load, way.size(scale))
                print(f"  {words}, {way.name}: {measured:,.0f} faults/s", file=sys.stderr, flush=True)
                rates[way.name].append(measured)
        benchmark = f"intake: {words}"
        for name, turns in rates.items():
            yield rate_row(benchmark, name, turns, "faults/s")
        for way, aim in _AIMS:
            yield ratio_row(benchmark, f"ours / {way.name}", rates[OURS.name], rates[way.name], aim)


def rate(way: Way, load: str, count: int) -> float:
    """One turn of one way, in faults a second."""
    with fresh_corner() as corner:
        way.fill(corner, load, count)
        corner.settle()
        with way.running(corner, load) as processes:
            return watch(corner, _COUNT, count, _DEADLINE_SECONDS, lambda: demand_running(processes)).rate


def demand_running(processes: list[Process]) -> None:
    """Raises `ProcessFailed` if one of them has ended."""
    for process in processes:
        if not process.running:
            raise ProcessFailed(f"{process.name} has ended. {process.log_tail()}")
