"""What evidence of each kind must hold, whoever brings it."""

from typing import Any

import pytest

from domain.errors import EvidenceRefused
from domain.evidence.content import demand_content
from domain.policy.policy import EVIDENCE_KINDS
from tests.builders import PIECES, a_piece
from tests.unit.domain.evidence.pieces import REFUSED, SOUND


def test_every_kind_has_its_rule() -> None:
    """With nothing in it, none is evidence; the refusal names what is lacking."""
    for kind in EVIDENCE_KINDS:
        with pytest.raises(EvidenceRefused) as refused:
            demand_content(kind, {"x": "lol"})
        first = next(iter(PIECES[kind]))
        assert (refused.value.code, refused.value.pointer) == ("MISSING_FIELD", f"/{first}")
        assert f"`{first}`" in refused.value.sentence


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in PIECES for field in PIECES[kind]])
def test_every_field_is_needed(kind: str, field: str) -> None:
    """Neither left out nor null."""
    for piece in ({name: value for name, value in a_piece(kind).items() if name != field}, {field: None}):
        with pytest.raises(EvidenceRefused):
            demand_content(kind, piece)


@pytest.mark.parametrize("piece", SOUND)
def test_what_is_sound_is_taken(piece: dict[str, Any]) -> None:
    """With whatever else it carries."""
    demand_content(piece["kind"], piece | {"more": [1]})


@pytest.mark.parametrize("piece", REFUSED)
def test_what_is_wrong_is_refused(piece: dict[str, Any]) -> None:
    """With the field in the sentence."""
    with pytest.raises(EvidenceRefused, match=r"`.*` of a .* must be") as refused:
        demand_content(piece["kind"], piece)
    assert refused.value.code == "INVALID_FIELD"
