"""Signed meter values of OCPI 2.2.1 are kept with their usage record, as they came."""

from typing import Any

import pytest

from domain.field.signed_value import LONGEST_TEXT, MOST_VALUES
from tests.unit.ingest.ocpi.objects import a_cdr, a_session, imported

SIGNED = {
    "encoding_method": "OCMF",
    "encoding_method_version": 1,
    "public_key": "MFkw",
    "signed_values": [
        {"nature": "Start", "plain_data": "0.1", "signed_data": "T0NNRnwx"},
        {"nature": "End", "plain_data": "11.1", "signed_data": "T0NNRnwy"},
    ],
    "url": "https://cpo.example/verify",
}


@pytest.mark.parametrize("made", [a_cdr, a_session])
def test_signed_data_is_kept(made: Any) -> None:
    """Each value with its format, its place in the session and the key that came with it."""
    [record] = imported(made(signed_data=SIGNED)).usage

    shared = {"format": "OCMF", "public_key": "MFkw"}
    assert record.signed == [
        shared | {"text": "T0NNRnwx", "context": "Start"},
        shared | {"text": "T0NNRnwy", "context": "End"},
    ]
    assert (record.energy_kwh, record.findings) == (11.0, [])


def test_of_too_many_the_first_and_the_last_are_kept() -> None:
    """The record says how many were left out."""
    values = [{"nature": "Intermediate", "signed_data": f"text {number}"} for number in range(50)]
    [record] = imported(a_cdr(signed_data=SIGNED | {"signed_values": values})).usage

    assert record.signed is not None
    assert [one["text"] for one in record.signed] == [f"text {number}" for number in (0, 1, 2, 3, 46, 47, 48, 49)]
    assert {"left_out": "42 signed values between the first and the last"} in record.samples
    assert len(record.signed) == MOST_VALUES
    assert record.findings == []


@pytest.mark.parametrize(
    "signed",
    [
        "OCMF|{}|{}",
        [SIGNED],
        SIGNED | {"signed_values": [{"nature": "End", "plain_data": "11.1"}]},
        SIGNED | {"signed_values": [{"signed_data": {"a": 1}}]},
        SIGNED | {"signed_values": [{"signed_data": "x" * (LONGEST_TEXT + 1)}]},
    ],
)
def test_what_cannot_be_kept_is_a_finding(signed: Any) -> None:
    """The session is read all the same."""
    [record] = imported(a_cdr(signed_data=signed)).usage

    assert (record.signed, record.energy_kwh, record.findings) == (None, 11.0, ["VALUE_UNREADABLE"])


@pytest.mark.parametrize("signed", [None, {}, {"signed_values": None}, {"signed_values": [1, "x"]}])
def test_without_signed_values_there_is_nothing(signed: Any) -> None:
    """And nothing is wrong."""
    [record] = imported(a_cdr(signed_data=signed)).usage

    assert (record.signed, record.findings) == (None, [])
