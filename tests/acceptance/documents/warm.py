"""Runs the `spotclaim` command in a process of its own for each call, forked from one that has all modules loaded.

To start Python and load everything costs each command two seconds of a processor, and documents run dozens.
`python -m tests.acceptance.documents.warm SOCKET` waits on a Unix socket. `CLIENT` stands on the path as
`spotclaim`: it hands over its arguments, folder, environment and standard streams, passes signals on, and ends
as the call ends.
"""

import json
import os
import pkgutil
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

CLIENT = """\
#!{python} -ISE
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({place!r})
call = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [b"%12d" % len(call)], [0, 1, 2])
server.sendall(call)
process = int(server.recv(12))
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(process, number))
answer = server.recv(1)
sys.exit(answer[0] if answer else 70)
"""


def client(place: Path) -> str:
    """The program that stands for `spotclaim`. `place` is the socket."""
    return CLIENT.format(python=sys.executable, place=str(place))


def serve(place: str) -> None:
    """Forks a process for each call, until it is killed."""
    main = _loaded()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen()
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(caller, main)
        caller.close()


def _loaded() -> Callable[[], object]:
    """What `spotclaim` calls, with every module that a command may want in memory."""
    (command,) = entry_points(group="console_scripts", name="spotclaim")
    main: Callable[[], object] = command.load()
    import workers

    for module in pkgutil.walk_packages(workers.__path__, "workers."):
        import_module(module.name)
    return main


def _answer(caller: socket.socket, main: Callable[[], object]) -> None:
    """Carries out one call in this process and ends it."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        length, streams, _, _ = socket.recv_fds(caller, 12, 3)
        caller.sendall(b"%12d" % os.getpid())
        call = b""
        while len(call) < int(length):
            call += caller.recv(65536)
        sys.argv, folder, variables = json.loads(call)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)
        code = _code(main)
    finally:
        caller.sendall(bytes([code]))
        os._exit(code)


def _code(main: Callable[[], object]) -> int:
    """How the command ended, as its own process would."""
    try:
        main()
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
