"""Hostile texts give an outcome in little time: they stop no worker, and are never verified."""

import json
import time
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.ocmf.check import check_signed
from domain.field.signed_value import INVALID, LONGEST_TEXT, VERIFIED
from tests.signed import Meter, in_xml
from tests.unit.ingest.fuzzing import fuzzed

METER = Meter()
TEXT = METER.session()
_LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
_PATIENCE_SECONDS = 5.0

HOSTILE = {
    "a billion laughs": f'<!DOCTYPE l [<!ENTITY l0 "lol">{_LAUGHS}]><values>&l9;</values>',
    "quadratic blow-up": f'<!DOCTYPE l [<!ENTITY a "{"a" * 9000}">]><values>{"&a;" * 7000}</values>',
    "a file": '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><values><signedData>&a;</signedData></values>',
    "an outside type": '<!DOCTYPE l SYSTEM "http://192.0.2.1/l.dtd"><values/>',
    "deep XML": "<a>" * 5000 + "</a>" * 4000,
    "deep and whole XML": "<a>" * 4600 + "</a>" * 4600,
    "an unknown encoding": '<?xml version="1.0" encoding="x-y"?><values/>',
    "no value": "<values/>",
    "deep arrays": f"OCMF|{'[' * 15_000}|{{}}",
    "deep objects": "OCMF|" + '{"RD":' * 5000 + "|{}",
    "deep and whole": "OCMF|" + '{"RD":' * 4000 + "1" + "}" * 4000 + '|{"SD":"00"}',
    "an integer of 20,000 digits": f'OCMF|{{"RD":[{{"RV":{"9" * 20_000}}}]}}|{{"SD":"00"}}',
    "a huge exponent": METER.signs({"TM": "2026-03-10T10:00:00,000+0000 S", "TX": "B", "RV": 1}).replace(
        '"RV": 1', '"RV": 1e999999999'
    ),
    "no number": 'OCMF|{"RD":[{"TM":"2026-03-10T10:00:00,000+0000 S","TX":"B","RV":NaN}]}|{"SD":"00"}',
    "readings that are none": 'OCMF|{"RD":[1,null,"x"]}|{"SD":"00"}',
    "a payload that is none": 'OCMF|[]|{"SD":"00"}',
    "no payload": "OCMF|||",
    "a signature that is none": f'{TEXT.rpartition("|")[0]}|{{"SD":"zz"}}',
    "an empty signature": f'{TEXT.rpartition("|")[0]}|{{"SD":""}}',
    "nested base64": b64encode(
        in_xml(b64encode(in_xml(b64encode(in_xml("OCMF|").encode()).decode()).encode()).decode()).encode()
    ).decode(),
    "digits of a broken text": (b'OCMF|{"FV"' + b":" * 900).hex().upper(),
    "nothing but digits": "4F" * (LONGEST_TEXT // 2),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_no_value(text: str) -> None:
    """By whatever library reads it."""
    began = time.monotonic()
    outcomes = {
        value.outcome
        for stated in (None, "OCMF")
        for key in (None, METER.key)
        for value in check_signed({"text": text, "format": stated, "context": "Transaction.End"}, key)
    }

    assert time.monotonic() - began < _PATIENCE_SECONDS
    assert INVALID in outcomes
    assert VERIFIED not in outcomes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["RD", "TM", "TX", "RV", "RU", "ST", "SD", "ID"]), inner)
    ),
)


@fuzzed
@given(st.data())
def test_no_text_breaks_the_check(data: st.DataObject) -> None:
    """Random ones, and real ones with a piece cut out or put in. None is verified but the real one."""
    piece = data.draw(st.text() | _JSON.map(lambda value: json.dumps(value)))
    place, length = data.draw(st.integers(0, len(TEXT))), data.draw(st.integers(0, 40))
    text = data.draw(
        st.sampled_from(
            [
                piece,
                TEXT[:place] + piece + TEXT[place + length :],
                f"OCMF|{piece}|{piece}",
                f"<values><signedData>{piece}</signedData></values>",
            ]
        )
    )

    for value in check_signed({"text": text, "format": data.draw(st.none() | st.text())}, METER.key):
        assert value.outcome != VERIFIED or TEXT.split("|")[1] in text


@pytest.mark.parametrize(
    "name", ["a billion laughs", "quadratic blow-up", "a file", "an outside type", "one entity"]
)
def test_entities_are_not_even_read(name: str) -> None:
    """Not those either that would give a sound value."""
    sound = f"<!DOCTYPE v [<!ENTITY t '{TEXT}'>]><values><signedData>&t;</signedData></values>"
    [value] = check_signed({"text": HOSTILE.get(name, sound)}, METER.key)

    assert value.reason == "its XML declares a document type or entities, which are not read"
