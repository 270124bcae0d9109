"""Command line: `python -m tests.benchmarks [names ...] [--quick]`, with the servers' URLs in the environment."""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.benchmarks import audit, memory, verification
from tests.benchmarks.corner import NoServers
from tests.benchmarks.detection import detection, windows
from tests.benchmarks.intake import decode, drain, imports, intake, rest
from tests.benchmarks.notifications import storm, telling
from tests.benchmarks.report import Row, show
from tests.benchmarks.scale import QUICK, Scale

BENCHMARKS: dict[str, Callable[[Scale], Iterator[Row]]] = {
    "intake": intake.measure,
    "drain": drain.measure,
    "verification": verification.measure,
    "rest": rest.measure,
    "memory": memory.measure,
    "decode": decode.measure,
    "import": imports.measure,
    "windows": windows.measure,
    "audit": audit.measure,
    "storm": storm.measure,
    "telling": telling.measure,
    "detection": detection.measure,
}


def main() -> int:
    arguments = _arguments()
    scale = QUICK if arguments.quick else Scale()
    if arguments.repetitions:
        scale = replace(scale, repetitions=arguments.repetitions)
    names, rows = arguments.names or list(BENCHMARKS), []
    try:
        for name in names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            rows += BENCHMARKS[name](scale)
    except NoServers as error:
        print(error, file=sys.stderr)
        return 2
    show(rows, _notes(scale) if "intake" in names else [])
    return 1 if any(row.met is False for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small and once: does everything run?")
    parser.add_argument("--repetitions", type=int, help="turns that each way takes; their median counts")
    return parser.parse_args()


def _notes(scale: Scale) -> list[str]:
    return [
        f"Medians of {scale.repetitions} alternating turns. Intake: {scale.intake_faults:,} faults for ours and "
        f"the floor, {scale.usual_faults:,} for the usual ways; from the first commit to the last; no relay.",
        "The floor: one bare consumer that writes the same rows with the same statements, and nothing else. The "
        "usual ways: one message is one transaction; Dramatiq with 2 processes of 8 threads, Celery with 4 "
        "processes on a classic queue.",
    ]


if __name__ == "__main__":
    sys.exit(main())
