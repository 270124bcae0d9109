"""Collects what the verifier finds."""

from dataclasses import dataclass, field

_KEPT = 100


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A difference from what was recorded, and the first record that shows it.

    It is about a claim, an incident or something administered (`subject_kind`), or about the log itself.
    `claim_id` is set where the link between an incident and a claim is wrong.
    """

    what: str
    sentence: str
    subject_kind: str | None = None
    subject_id: str | None = None
    seq: int | None = None
    position: int | None = None
    claim_id: str | None = None


@dataclass(slots=True)
class Result:
    """What the verifier checked and found.

    `findings` holds the first hundred of `broken`; `warnings` break nothing. `rows` counts the faults, usage
    records and items of evidence that were held against the events that name them; None in an archive, which has
    no such rows.
    """

    claims: int = 0
    administered: int = 0
    events: int = 0
    log_size: int = 0
    not_in_log: int = 0
    rows: int | None = None
    checkpoints: int = 0
    outside: int = 0
    signatures_checked: bool = False
    chains_broken: int = 0
    broken: int = 0
    findings: list[AuditFinding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Checks whether everything is as it was recorded."""
        return not self.broken

    def add(self, finding: AuditFinding) -> None:
        """Counts a finding, and keeps it if it is one of the first."""
        self.broken += 1
        if len(self.findings) < _KEPT:
            self.findings.append(finding)

    def take(self, part: "Result") -> None:
        """Adds what was found in the next part of the record."""
        self.claims += part.claims
        self.administered += part.administered
        self.events += part.events
        self.not_in_log += part.not_in_log
        if part.rows is not None:
            self.rows = (self.rows or 0) + part.rows
        self.chains_broken += part.chains_broken
        self.broken += part.broken
        self.findings += part.findings[: _KEPT - len(self.findings)]
