"""Presets of the policy: the default text, of which each changes a few lines."""

import re
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Final


class Preset(StrEnum):
    """How much evidence a policy demands, and what passes without it."""

    STRICT = "strict"
    LENIENT = "lenient"
    DEMO = "demo"


_Edits = tuple[tuple[str, str], ...]

_UNKNOWN_PASSES: Final[_Edits] = (
    (r"^  unknown_spot_passes: false$", "  unknown_spot_passes: true"),
    (r"^  unknown_warranty_passes: false$", "  unknown_warranty_passes: true"),
)
_EDITS: Final[dict[Preset, _Edits]] = {
    Preset.STRICT: (),
    Preset.LENIENT: (
        (
            r"^# The default policy of Spotclaim\.",
            "# The lenient policy of Spotclaim: every spot is believed.",
        ),
        (r'^version: "(.*)"$', r'version: "\1-lenient"'),
        (r", evidence: \[\[\w+, usage_record\]\]\}$", "}"),
        *_UNKNOWN_PASSES,
    ),
    Preset.DEMO: (
        (r"^# The default policy of Spotclaim\.", "# The policy of a demonstration: nothing waits for long."),
        (r'^version: "(.*)"$', r'version: "\1-demo"'),
        (r"^  evidence_wait_hours: 72$", "  evidence_wait_hours: 1"),
        (r"digest_seconds: 30, longest_minutes: 30", "digest_seconds: 5, longest_minutes: 5"),
        *_UNKNOWN_PASSES,
    ),
}


def policy_text(file: Path | None) -> str:
    """Reads the text of a policy: a file, or a preset that is named instead; the strict one without either."""
    name = "" if file is None else str(file)
    if file is None or (name in set(Preset) and not file.exists()):
        return preset_text(Preset(name or Preset.STRICT))
    return file.read_text()


def preset_text(preset: Preset) -> str:
    """Returns the whole text of a preset, with its comments."""
    text = (files("domain.policy") / "policy.yaml").read_text()
    for old, new in _EDITS[preset]:
        text, changed = re.subn(old, new, text, flags=re.MULTILINE)
        if not changed:
            raise LookupError(f"The default policy has no line {old!r} that the preset {preset} could change.")
    return text
