"""The table of commands agrees with the modules that it names."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand
from typer.testing import CliRunner

import workers.cli
from workers.cli import app
from workers.cli.commands import COMMANDS, LazyCommand

FOLDER = Path(workers.cli.__file__).parent
# Modules whose commands are those of a command: `spotclaim import`.
PARTS = {"workers.cli.field.table_imports", "workers.cli.claims.acting"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_name_and_the_help_of_its_entry(name: str) -> None:
    """Whatever room there is for the help."""
    entry = LazyCommand(name, COMMANDS[name])

    command: TyperCommand = entry.load()

    assert command.name == name
    for room in range(20, 200):
        assert entry.get_short_help_str(room) == command.get_short_help_str(room)


def test_every_command_is_in_the_table() -> None:
    """None is added by a module and left out."""
    added = {name for module in modules() for name in commands_of(module)}

    assert added == set(COMMANDS)


def modules() -> Iterator[str]:
    """Every module of the command line that adds commands."""
    for file in FOLDER.rglob("*.py"):
        if "def add_to(" in file.read_text():
            name = ".".join(("workers", "cli", *file.relative_to(FOLDER).with_suffix("").parts))
            if name not in PARTS:
                yield name


def commands_of(module: str) -> Iterator[str]:
    part = typer.Typer()
    import_module(module).add_to(part)
    for command in part.registered_commands:
        assert command.callback
        yield command.name or command.callback.__name__.replace("_", "-")
    yield from (str(group.name) for group in part.registered_groups)


def test_a_command_that_is_not_there() -> None:
    """Exit code 2, with those that look like it."""
    answer = CliRunner().invoke(app, ["claimz"])

    assert answer.exit_code == 2
    assert "No such command 'claimz'. Did you mean 'claim', 'claims'?" in answer.stderr


def test_wrong_usage_of_a_command_names_it() -> None:
    """As if it had been there from the start."""
    answer = CliRunner().invoke(app, ["audit", "prove"])

    assert answer.exit_code == 2
    assert "Usage: spotclaim audit prove [OPTIONS] {CLAIM}" in answer.stderr
