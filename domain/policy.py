"""The rules an operator sets: severities, stages, targets, and who is told. Loaded from `policy.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """What the policy says of one error code."""

    severity: Severity


@dataclass(frozen=True, slots=True)
class NotificationRule:
    """Claims of these severities and types, on this event, go to these destinations. Empty means every."""

    event: str
    destinations: tuple[str, ...]
    severities: tuple[str, ...] = ()
    claim_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. Times in hours or days as named."""

    version: str
    codes: Mapping[str, CodePolicy]
    stages: Mapping[str, tuple[str, ...]]
    resolve_hours: Mapping[str, float]
    evidence_wait_hours: float
    corroboration_window_days: float
    unknown_spot_passes: bool
    unknown_warranty_passes: bool
    notifications: tuple[NotificationRule, ...]
