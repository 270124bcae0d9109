"""No object and no bytes are too odd: whatever a partner sends, every object is counted, and nothing is raised."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.fuzzing import fuzzed
from tests.unit.ingest.ocpi.objects import (
    Imported,
    a_cdr,
    a_location,
    a_patch,
    a_session,
    an_evse,
    at,
    imported,
    in_lines,
    period,
    reserve_now,
)

# What partners write, and what nobody should.
_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([[period(0, 1e308), period(5, 1e308)], [an_evse(), an_evse("E2")], {"evses": [an_evse()]}])
    | st.text(max_size=5)
    | st.sampled_from(
        [at(0), "#NA", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
    )
    | st.sampled_from(
        ["DC", "ENERGY", "PENDING", "FAILED", "CANCELED", "CPO", "E1", "77", "http://[", "/sessions/FR/ABC/s-1"]
    )
)
_names = st.sampled_from(
    sorted(
        {
            *a_session(), *a_cdr(), *a_location(), *an_evse(), *reserve_now(), *a_patch(0), "result", "response",
            "reservation_status", "canceled", "who_canceled", "data", "location", "type", "volume", "dimensions",
            "power_type", "max_electric_power", "latitude", "uid", "id", "body", "timestamp", "credit", "message",
        }
    )
)  # fmt: skip
_values = st.recursive(
    _leaves,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_names, inside, max_size=6),
    max_leaves=12,
)
_mutated = st.builds(
    lambda base, changes: base | changes,
    st.sampled_from(
        [a_session(), a_cdr(), a_location(), a_patch(30, kwh=2.0), reserve_now(), {"result": "FAILED"}, an_evse()]
    ),
    st.dictionaries(_names, _values, max_size=4),
)


@fuzzed
@given(st.lists(_mutated | st.dictionaries(_names, _values, max_size=6), max_size=5))
def test_no_object_is_too_odd(objects: list[dict[str, Any]]) -> None:
    """Whatever stands in the fields: every object is counted once, and none is a mistake of ours."""
    done = imported(*objects)
    tally = done.tally
    assert tally.read == tally.accepted + tally.known + tally.refused + tally.ignored
    assert "NOT_READABLE" not in done.reasons
    assert tally.ignored == sum(done.ignored.values())


@fuzzed
@given(st.binary(max_size=60), st.data())
def test_no_bytes_are_too_odd(noise: bytes, data: st.DataObject) -> None:
    """Bytes anywhere in a file cost at most the object that they fall into and the one after it."""
    text = in_lines(a_session(id="1"), a_session(id="2"), a_session(id="3"))
    place = data.draw(st.integers(0, len(text)))
    done = Imported(text[:place] + noise + text[place:])
    assert "NOT_READABLE" not in done.reasons
    assert done.tally.read == done.tally.accepted + done.tally.known + done.tally.refused + done.tally.ignored
