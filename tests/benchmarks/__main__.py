"""Command line: `python -m tests.benchmarks [names ...] [--quick]`, with the servers' URLs in the environment."""

import argparse
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import audit, memory, verification
from tests.benchmarks.corner import NoServers
from tests.benchmarks.detection import detection, windows
from tests.benchmarks.intake import decode, drain, imports, intake, rest
from tests.benchmarks.notifications import storm, telling
from tests.benchmarks.report import Part, Report, Row
from tests.benchmarks.scale import QUICK, Scale

Measure = Callable[[Scale], Iterator[Row]]

BENCHMARKS: dict[str, Measure] = {
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
    """The exit code: 0 if every part ran and met its aims, 1 if not, 2 without servers."""
    arguments = _arguments()
    scale = QUICK if arguments.quick else Scale()
    if arguments.repetitions:
        scale = replace(scale, repetitions=arguments.repetitions)
    try:
        report = run(arguments.names or list(BENCHMARKS), scale, arguments.output)
    except NoServers as error:
        print(error, file=sys.stderr)
        return 2
    for part in report.failed:
        print(f"{part.name} failed: {part.failure}", file=sys.stderr)
    return 0 if report.met else 1


def run(names: Sequence[str], scale: Scale, output: Path) -> Report:
    """Every part in turn; one that fails leaves the others theirs. What is known so far is always in the file."""
    report = Report(scale)
    for name in names:
        print(f"\n{name} ...", file=sys.stderr, flush=True)
        with report.part(name) as part:
            _measure(BENCHMARKS[name], scale, part)
        report.write(output)
    return report


def _measure(measure: Measure, scale: Scale, part: Part) -> None:
    try:
        for row in measure(scale):
            part.add(row)
    except NoServers:
        raise
    except Exception as error:
        traceback.print_exc()
        part.failure = f"{type(error).__name__}: {error}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small and once: does everything run?")
    parser.add_argument("--repetitions", type=int, help="turns that each way takes; their median counts")
    parser.add_argument(
        "--output", type=Path, default=Path("bench.json"), help="the figures (default: %(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
