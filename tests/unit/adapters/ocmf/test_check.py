"""Signed meter values are checked against the key that is pinned, whatever they come in."""

import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.ocmf.check import check_signed
from domain.field.signed_value import INVALID, LONGEST_TEXT, UNVERIFIED, VERIFIED, CheckedValue, SignedReading
from tests.builders import FAULT_TIME
from tests.signed import Meter, a_reading, in_xml

HOUR = timedelta(hours=1)
METER, OTHER = Meter(), Meter()
TEXT = METER.session()
READINGS = (
    SignedReading("1-b:1.8.0", 100.0, True, FAULT_TIME - HOUR),
    SignedReading("1-b:1.8.0", 111.0, False, FAULT_TIME),
)


def checked(text: Any, key: str | None = METER.key, **more: Any) -> CheckedValue:
    [value] = check_signed({"text": text} | more, key)
    return value


def in_hex(text: str) -> str:
    return text.encode().hex().upper()


def in_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "packed",
    [
        str,
        in_hex,
        in_base64,
        in_xml,
        lambda text: in_xml(in_base64(text), encoding="base64"),
        lambda text: in_xml(in_hex(text), encoding="hex"),
        lambda text: in_base64(in_xml(text)),
        lambda text: f"  {text}\n",
        lambda text: f"{text}|{OTHER.key}",
    ],
    ids=["plain", "hex", "base64", "xml", "base64 in xml", "hex in xml", "xml in base64", "spaces", "key behind"],
)
def test_a_value_is_verified_whatever_it_comes_in(packed: Callable[[str], str]) -> None:
    """With what the register showed, in kWh and with its time. A key that comes with it counts for nothing."""
    assert checked(packed(TEXT)) == CheckedValue(VERIFIED, "", READINGS)


@pytest.mark.parametrize("key", [METER.key, b64encode(METER.der).decode()], ids=["hex", "base64"])
def test_a_key_that_comes_with_it_proves_nothing(key: str) -> None:
    """Neither beside the text nor in the XML nor behind the signature: anybody can bring one that fits."""
    reason = "no public key is pinned for the spot, and the one that came with it proves nothing"

    for value in (
        checked(TEXT, None, public_key=key),
        checked(in_xml(TEXT, key), None),
        checked(f"{TEXT}|{key}", None),
    ):
        assert value == CheckedValue(UNVERIFIED, reason, READINGS)
    assert checked(TEXT, None).reason == "no public key is pinned for the spot"


def test_another_key_does_not_fit() -> None:
    """The values of an invalid text count for nothing."""
    assert checked(TEXT, OTHER.key) == CheckedValue(INVALID, "its signature does not fit the pinned key")
    wrong = checked(TEXT, Meter(ec.SECP384R1()).key)
    assert wrong == CheckedValue(
        INVALID, "it is signed on the curve secp256r1, and the pinned key is of secp384r1"
    )


@pytest.mark.parametrize("place", range(5, TEXT.rindex("|"), 29))
def test_an_altered_byte_shows(place: int) -> None:
    """Wherever in the payload: the signature covers every character of it."""
    other = "9" if TEXT[place] != "9" else "8"

    assert checked(TEXT[:place] + other + TEXT[place + 1 :]).outcome == INVALID


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [
        (ec.SECP256K1(), "ECDSA-secp256k1-SHA256"),
        (ec.SECP384R1(), "ECDSA-secp384r1-SHA256"),
        (ec.SECP521R1(), "ECDSA-secp521r1-SHA256"),
        (ec.BrainpoolP256R1(), "ECDSA-brainpool256r1-SHA256"),
    ],
)
def test_meters_sign_on_many_curves(curve: ec.EllipticCurve, algorithm: str) -> None:
    """Brainpool's is of one name in OCMF, and of another in keys."""
    meter = Meter(curve, algorithm)

    assert checked(meter.session(), meter.key).outcome == VERIFIED


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"ST": "M"}, "the meter's status was M, and not G, good"),
        ({"ST": None}, "the meter's status was not stated, and not G, good"),
        ({"EF": "Et"}, "the meter marked its energy as wrong"),
        ({"RU": "mOhm"}, "its unit mOhm is neither kWh nor Wh"),
        ({"RU": None}, "its unit (none) is neither kWh nor Wh"),
    ],
)
def test_a_meter_that_was_not_well_proves_nothing(more: dict[str, Any], reason: str) -> None:
    """Though its signature is right."""
    assert checked(METER.session(**more)) == CheckedValue(UNVERIFIED, reason)


def test_watt_hours_are_read_as_such() -> None:
    """A unit that is wrong shows in the energy."""
    assert [one.kwh for one in checked(METER.session(100_000, 111_000, RU="Wh")).readings] == [100.0, 111.0]
    assert [one.kwh for one in checked(METER.session(100.0, 111.0, RU="Wh")).readings] == [0.1, 0.111]


def test_a_clock_that_the_meter_does_not_vouch_for_counts_for_nothing() -> None:
    """Synchronised and informative ones do."""
    assert [one.at for one in checked(METER.session(clock="U")).readings] == [None, None]
    assert all(one.at for one in checked(METER.session(clock="I")).readings)


def test_what_lies_between_begin_and_end_is_left_out() -> None:
    """Where the text does not say which it is, the context does."""
    between = METER.signs(a_reading("B", 1), a_reading("C", 2, ST="M"), a_reading("T", 3), a_reading("L", 4))
    assert [one.kwh for one in checked(between).readings] == [1.0, 4.0]
    lone = METER.signs(a_reading(None, 7.5))
    contexts = ("Transaction.Begin", "Start", "Transaction.End", "Sample.Periodic", "")
    found = [[one.begin for one in checked(lone, context=context).readings] for context in contexts]
    assert found == [[True], [True], [False], [], []]
    assert [one.begin for one in checked(in_xml(lone), context="Transaction.Begin").readings] == [False]


def test_an_xml_may_hold_several_values() -> None:
    """Up to sixteen are checked, and the rest are said."""
    two = in_xml(TEXT).replace("</values>", "<value><encodedData format='ALFEN'>x</encodedData></value></values>")
    assert [one.outcome for one in check_signed({"text": two}, METER.key)] == [VERIFIED, UNVERIFIED]
    value = "<value><signedData>OCMF|a</signedData></value>"
    many = check_signed({"text": f"<values>{value * 20}</values>"}, METER.key)
    assert [one.outcome for one in many] == [INVALID] * 16 + [UNVERIFIED]
    assert many[-1].reason == "only 16 of its 20 values were checked"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"format": "ALFEN", "text": "AP;0;3;AJ2…"}, "the format ALFEN is not known"),
        ({"format": "EDL40", "text": "1b1b1b1b0101"}, "the format EDL40 is not known"),
        ({"text": "anything"}, "its format is not known"),
        ({"text": "O" * (LONGEST_TEXT + 1)}, "it has more than 32,768 characters"),
    ],
)
def test_other_formats_are_kept_and_not_verified(value: dict[str, Any], reason: str) -> None:
    """The reason says so."""
    assert check_signed(value, METER.key) == [CheckedValue(UNVERIFIED, reason)]


def test_an_algorithm_or_a_key_that_is_not_known_is_no_forgery() -> None:
    """Nobody can say whether the signature is right."""
    assert checked(Meter(algorithm="RSA").session()).reason == "its algorithm RSA is not known"
    assert checked(TEXT, "3059").reason == "the pinned key cannot be read"


def test_without_the_extra_nothing_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding names it."""
    monkeypatch.setitem(sys.modules, "pyocmf", None)

    assert checked(Meter().session(), METER.key) == CheckedValue(
        UNVERIFIED, "to check it: pip install 'spotclaim[signed]'"
    )
