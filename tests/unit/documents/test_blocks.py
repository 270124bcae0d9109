"""The reading of console blocks: what is a command, and what is what it prints."""

from pathlib import Path

import pytest

from tests.acceptance.documents.blocks import Command, commands, stray_prompts

DOCUMENT = """\
# Title

```console
$ first 'one
    two' \\
    three   # a remark
printed

$ second &
```

```json
{"a": 1}
```

```console
$ third
```
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return tmp_path / "README.md"


def test_commands_are_read_in_order(document: Path) -> None:
    """Given quotes and a backslash over several lines, then they are one command with its own output."""
    document.write_text(DOCUMENT)

    first, second, third = commands(document)

    assert first == Command(4, "first 'one\n    two' \\\n    three   # a remark", ("printed", ""))
    assert first.words == ["first", "one\n    two", "three"]
    assert (second.stays, third.stays) == (True, False)
    assert (second.line, third.line) == (9, 17)


def test_output_without_a_command_is_refused(document: Path) -> None:
    """Given a block that begins with output, then nobody could say what prints it."""
    document.write_text("```console\nready\n```\n")

    with pytest.raises(AssertionError, match="line 2: output of no command"):
        list(commands(document))


@pytest.mark.parametrize("kind", ["", "sh", "bash", "text"])
def test_a_prompt_elsewhere_is_found(document: Path, kind: str) -> None:
    """Given a command in a block of another kind, then its line is named."""
    document.write_text(f"text\n\n```{kind}\n$ hidden\n```\n")

    assert stray_prompts(document) == [4]
