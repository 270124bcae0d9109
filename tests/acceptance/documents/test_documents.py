"""Every console block of every README is carried out, in order, and prints what it is shown to print.

Each document is one story: one shell, in a folder of its own. What cannot run in a test is looked at instead.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.acceptance.documents import warm
from tests.acceptance.documents.blocks import ROOT, Command, commands, documents, stray_prompts
from tests.acceptance.documents.shell import Printed, Shell, postgres_programs, shell
from tests.acceptance.documents.shown import Meanings
from tests.acceptance.installation import SPOTCLAIM, await_that
from tests.servers import temporary_folder
from tests.servers.child import Child
from tests.servers.loopback import free_port
from tests.servers.server import environment
from tests.servers.waiting import wait_until

PATIENCE_SECONDS = 60
# What shows the state of things may be asked until it has come to what is shown.
READS = re.compile(
    r"spotclaim (claims?|incidents|incident show|deliveries|quarantine list|evidence list|audit verify|reconcile"
    r"|doctor) ?.*|curl -s \S+( -H '[^']*')?",
)
ROLES = ("up", "ingest", "worker", "relay", "scheduler", "console")
READY = {
    "up": " ready ",
    "ingest": "consuming",
    "worker": "working",
    "relay": "relaying",
    "scheduler": "scheduling",
}
STORIES = [document for document in documents() if any(commands(document))]


@pytest.mark.parametrize("document", STORIES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.timeout(600)
def test_console_blocks(document: Path, spotclaim: Path, request: pytest.FixtureRequest) -> None:
    """Given a document, when its commands are carried out from top to bottom, then they print what it shows."""
    port = free_port()
    variables = environment(Path.home(), SPOTCLAIM_PORT=str(port), COLUMNS="160")
    variables["PATH"] = f"{spotclaim}:{Path(SPOTCLAIM).parent}:{variables['PATH']}:{postgres_programs()}"
    with temporary_folder() as folder, shell(folder, variables) as bash:
        story = Story(bash, Meanings(port), request.getfixturevalue)
        for command in commands(document):
            story.carry_out(command)


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_in_console_blocks(document: Path) -> None:
    """A prompt in a block of any other kind would escape the test above."""
    assert stray_prompts(document) == []


@pytest.fixture(scope="module")
def spotclaim() -> Iterator[Path]:
    """A folder in which `spotclaim` stands for the real command and starts at once."""
    with temporary_folder() as folder:
        place = folder / "socket"
        server = Child(
            [sys.executable, "-m", warm.__name__, str(place)],
            log=folder / "warm.log",
            environment=environment(Path.home(), PYTHONPATH=str(ROOT)),
        )
        program = folder / "spotclaim"
        program.write_text(warm.client(place))
        program.chmod(0o755)
        try:
            await_that("the command is in memory", place.exists, PATIENCE_SECONDS)
            yield folder
        finally:
            server.kill()


class Story:
    """The commands of one document, one after the other."""

    def __init__(self, bash: Shell, meanings: Meanings, given: Callable[[str], str]) -> None:
        self._bash = bash
        self._meanings = meanings
        self._given = given

    def carry_out(self, command: Command) -> None:
        """Carries out the command, or looks at what cannot be carried out here."""
        text = self._meanings.meant(command.text)
        words = command.words
        if words[:2] == ["make", "run"]:
            self._stay(command, _what_make_runs("run"))
        elif words[:2] == ["make", "services"]:
            self._set_servers()
        elif words and (look_at := LOOKED_AT.get(words[0])):
            look_at(words)
        elif words[:2] == ["python", "-m"] or words[:2] == [".venv/bin/python", "-m"]:
            _module_exists(words)
        elif command.stays:
            self._stay(command, text)
        else:
            self._run(command, text)

    def _run(self, command: Command, text: str) -> None:
        """Carries it out, more than once where it only reads and has not come to what is shown."""
        printed = Printed([], 0)

        def agrees() -> bool:
            nonlocal printed
            printed = self._bash.run(text)
            return self._agrees(command, printed)

        agreed = agrees() or (READS.fullmatch(text) and wait_until(agrees, PATIENCE_SECONDS))
        assert agreed, _differs(command, printed.lines)

    def _agrees(self, command: Command, printed: Printed) -> bool:
        if not command.shown:
            return printed.code == 0
        return self._meanings.agree(command.shown, printed.lines)

    def _stay(self, command: Command, text: str) -> None:
        """Starts it, and waits until it says what is shown and is ready."""
        log = self._bash.start(text)
        (role,) = [word for word in text.split() if word in ROLES]

        def ready() -> bool:
            said = log.read_text()
            return READY.get(role, "") in said and self._meanings.agree(
                command.shown, said.splitlines(), gaps=True
            )

        assert wait_until(ready, PATIENCE_SECONDS), _differs(command, log.read_text().splitlines())

    def _set_servers(self) -> None:
        """The servers of the test run take the place of those that `make services` would start."""
        _what_make_runs("services")
        for name in ("database", "amqp", "redis"):
            url = self._given(f"{'empty_' if name == 'database' else ''}{name}_url")
            self._bash.run(f"export SPOTCLAIM_{name.upper()}_URL='{url}'")


def _what_make_runs(target: str) -> str:
    """The last line of what make would carry out. Fails for a target that there is not."""
    make = shutil.which("make")
    assert make, "make is missing. Install it: apt-get install make"
    done = subprocess.run(
        [make, "-n", target], cwd=ROOT, env=environment(Path.home()), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def _make(words: list[str]) -> None:
    _what_make_runs(words[1])


def _compose(words: list[str]) -> None:
    """`tests/integration/runtime/test_docker.py` has Compose check the file and the services in it."""
    assert words[1] == "compose"
    assert (ROOT / words[words.index("-f") + 1]).is_file()


def _kubectl(words: list[str]) -> None:
    """`tests/integration/runtime/test_docker.py` checks the manifests; here, that there is what is named."""
    if "apply" in words:
        place = ROOT / words[-1]
        assert place.is_file() or (place / "kustomization.yaml").is_file() or place.name.startswith("my-"), words


def _module_exists(words: list[str]) -> None:
    """A run of tests or servers within a test; what it names is there."""
    assert find_spec(words[2])
    for word in words[3:]:
        assert "/" not in word or word.startswith("-") or (ROOT / word.partition("::")[0]).exists(), words


# What cannot run in a test: it needs a registry or a cluster, or runs the tests.
LOOKED_AT: dict[str, Callable[[list[str]], None]] = {
    "make": _make,
    "docker": _compose,
    "kubectl": _kubectl,
}


def _differs(command: Command, printed: list[str]) -> str:
    lines = [f"line {command.line}: {command.text}", "-- is shown:", *command.shown, "-- was printed:", *printed]
    return "\n".join(lines)
