"""Command line: `python -m tests.servers up`, or `python -m tests.servers run -- COMMAND ...`."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from tests.servers import MissingProgram, ServerFailed, Servers, servers

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMAND_NOT_FOUND = 127


def main() -> int:
    arguments = _arguments()
    _on_end_signals(_leave)
    began = time.monotonic()
    try:
        with servers() as running:
            _say(f"PostgreSQL, RabbitMQ and Redis are up after {time.monotonic() - began:.1f} s.")
            code = _run(arguments.command, running) if arguments.action == "run" else _stay_up(running)
            _on_end_signals(signal.SIG_IGN)  # stopping is bounded; let it finish
            return code
    except (MissingProgram, ServerFailed) as error:
        _say(str(error))
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("up", help="start the servers, print their URLs as shell exports, stay until Ctrl-C")
    run = actions.add_parser("run", help="run a command with the servers' URLs in its environment")
    run.add_argument("command", nargs="+", metavar="COMMAND")
    return parser.parse_args()


def _stay_up(running: Servers) -> int:
    ended = threading.Event()
    _on_end_signals(lambda *_: ended.set())
    for name, url in _urls("SPOTCLAIM_", running).items():
        print(f"export {name}={url}", flush=True)
    _say("Ctrl-C stops them.")
    ended.wait()
    return 0


def _run(command: list[str], running: Servers) -> int:
    """Run the command to its end; return its exit code as a shell would."""
    urls = _urls("SPOTCLAIM_TEST_", running)
    variables = {**os.environ, **urls, "SPOTCLAIM_TEST_RABBITMQ_API": running.rabbitmq.api_url}
    try:
        child = subprocess.Popen(command, env=variables)
    except OSError as error:
        _say(f"cannot run {command[0]}: {error.strerror}")
        return COMMAND_NOT_FOUND
    _on_end_signals(lambda number, _: child.send_signal(number))
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the command without our help
    code = child.wait()
    return code if code >= 0 else 128 - code


def _urls(prefix: str, running: Servers) -> dict[str, str]:
    return {
        f"{prefix}DATABASE_URL": running.postgres.url,
        f"{prefix}AMQP_URL": running.rabbitmq.url,
        f"{prefix}REDIS_URL": running.redis.url,
    }


def _on_end_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in END_SIGNALS:
        signal.signal(number, handler)


def _leave(number: int, _: FrameType | None) -> None:
    """While starting: unwind, which stops what has started, and let nothing interrupt that."""
    _on_end_signals(signal.SIG_IGN)
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
