"""The presets of the policy: what each demands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.policy.presets import Preset, preset_text
from adapters.policy.reader import load_policy, read_policy, restore_policy
from domain.errors import SetupError
from domain.policy.error_codes import ALLOCATION_FAILURE, CLAIM_TYPES, EQUIPMENT
from domain.policy.policy import Policy


@pytest.fixture
def policy_of(tmp_path: Path) -> Callable[[Preset], Policy]:
    def read(preset: Preset) -> Policy:
        (tmp_path / "policy.yaml").write_text(preset_text(preset))
        return load_policy(tmp_path / "policy.yaml")

    return read


@pytest.mark.parametrize("preset", [Preset.STRICT, Preset.DEMO])
def test_each_code_demands_what_shows_it(policy_of: Callable[[Preset], Policy], preset: Preset) -> None:
    """A usage record is always enough; equipment leaves none."""
    filed = {ALLOCATION_FAILURE: "reservation_response", EQUIPMENT: None}
    for name, code in policy_of(preset).codes.items():
        kind = filed.get(CLAIM_TYPES[name], "meter_reading")
        assert code.evidence == (((kind, "usage_record"),) if kind else ())


def test_the_strict_preset_is_the_built_in_policy(policy_of: Callable[[Preset], Policy]) -> None:
    """What is not known passes nothing."""
    policy = policy_of(Preset.STRICT)
    assert policy == load_policy()
    assert not (policy.unknown_spot_passes or policy.unknown_warranty_passes or policy.no_usage_passes)


def test_the_lenient_preset_demands_nothing(policy_of: Callable[[Preset], Policy]) -> None:
    """But what usage records say still decides."""
    policy = policy_of(Preset.LENIENT)
    assert not any(code.evidence for code in policy.codes.values())
    assert (policy.unknown_spot_passes, policy.unknown_warranty_passes, policy.no_usage_passes) == (
        True,
        True,
        False,
    )


def test_a_preset_may_be_named_instead_of_a_file(
    policy_of: Callable[[Preset], Policy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless there is a file of that name."""
    monkeypatch.chdir(tmp_path)
    assert load_policy(Path("lenient")) == policy_of(Preset.LENIENT)
    (tmp_path / "lenient").write_text(preset_text(Preset.DEMO))
    assert load_policy(Path("lenient")) == policy_of(Preset.DEMO)
    with pytest.raises(SetupError, match="lax cannot be read"):
        load_policy(Path("lax"))


def test_each_has_its_own_version(policy_of: Callable[[Preset], Policy]) -> None:
    """A version has one content."""
    assert len({policy_of(preset).version for preset in Preset}) == len(Preset)


def test_alternatives_are_restored_as_they_were_read() -> None:
    """A claim goes by the policy that bound it."""
    policy, content = read_policy()
    assert restore_policy(content) == policy
