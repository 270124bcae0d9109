"""The comparison of what a command printed with what a document shows."""

import pytest

from tests.acceptance.documents.shown import Meanings

CLAIM = "01a22d6c-5c40-7f43-a2d0-4693a70b16b5"


@pytest.fixture
def meanings() -> Meanings:
    return Meanings(port=18099)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["2 claims"], ["3 claims"]),
        (["2 claims"], ["2 claims", "and more"]),
        (["2 claims", "and more"], ["2 claims"]),
        (["seen 2026-11-22 10:00"], ["seen 2026-11-22 10:01"]),
        (["aaaa0001 is replayed."], ["nobody is replayed."]),
        (["first", "…", "last"], ["first", "between"]),
        ([" Claim  Spot", " aaaa0001  E1"], [" Claim  Spot", " bbbb0002  E1", " cccc0003  E2"]),
    ],
)
def test_a_difference_is_found(meanings: Meanings, shown: list[str], printed: list[str]) -> None:
    """Given lines that are not those shown, then they do not agree."""
    assert not meanings.agree(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a  table   cell", ""], ["a table cell"]),
        (["at 2026-11-30T17:05:58.741105Z: ready"], ["at 2031-01-02T03:04:05.6Z: ready"]),
        (["replayed in 0.4 seconds"], ["replayed in 12.75 seconds"]),
        (["head eef8890b81631311…"], ["head 0277d96048c7e505…"]),
        (["first", "…", "last"], ["first", "between", "also", "last"]),
        (["reads …", "…"], ["reads on and on"]),
        (["console=http://127.0.0.1:8080 data"], ["console=http://127.0.0.1:18099 data"]),
        ([" Claim  Spot", " aaaa0001  E1", " aaaa0002  E2"], [" Claim Spot", " bbbb0002 E2", " bbbb0001 E1"]),
        ([" Claim  Spot", " aaaa0001  E1", "…"], [" Claim Spot", " bbbb0002 E2", " bbbb0001 E1"]),
    ],
)
def test_what_stands_for_another_agrees(meanings: Meanings, shown: list[str], printed: list[str]) -> None:
    """Given another id, moment, digest, port or order of rows, then the lines agree."""
    assert meanings.agree(shown, printed)


def test_an_id_stands_for_one_id_only(meanings: Meanings) -> None:
    """Given an id that was printed once, then it is meant wherever the document has it, and no other is."""
    assert meanings.agree([f"Claim {CLAIM}"], ["Claim 01b00000-0000-7000-8000-0000bbbb0001"])

    assert meanings.meant("spotclaim claim a70b16b5 on :8080") == "spotclaim claim bbbb0001 on :18099"
    assert meanings.agree(["a70b16b5 is open"], ["bbbb0001 is open"])
    assert not meanings.agree(["a70b16b5 is open"], ["cccc0001 is open"])


def test_a_log_may_say_more(meanings: Meanings) -> None:
    """Given a process that goes on talking, then the lines shown are among what it says, in their order."""
    log = ["starting", "ready", "working"]

    assert meanings.agree(["ready"], log, gaps=True)
    assert not meanings.agree(["working", "ready"], log, gaps=True)
