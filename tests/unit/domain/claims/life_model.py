"""What a claim should be, in the plainest words: the model that its random life is held against."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.errors import Conflict, EvidenceRefused, NotAllowed, NotFound

OPEN = {"observed", "submitted", "verifying", "awaiting_evidence", "ineligible", "under_review", "approved"}
CLOSED = {"rejected", "resolved", "withdrawn"}
STANDING = {"awaiting_evidence", "ineligible"}
HIGHER = {"operator": "reviewer", "reviewer": "manager", "manager": "admin"}
ENDS = {"reject": "rejected", "resolve": "resolved", "withdraw": "withdrawn"}
# After how much running time which alert is due, and how long evidence is waited for.
ACKNOWLEDGE, RESOLVE, WARN_SHARE = timedelta(hours=4), timedelta(hours=20), 0.75
MARKS = {
    f"{clock}.{alert}": share * target
    for clock, target in (("acknowledge", ACKNOWLEDGE), ("resolve", RESOLVE))
    for alert, share in (("warned", WARN_SHARE), ("breached", 1))
}
PATIENCE = timedelta(hours=72)
HOLD_DOWN, QUIET = timedelta(seconds=60), timedelta(minutes=10)
JUDGED = {"submitted", "awaiting_evidence", "verifying", "ineligible", "under_review"}

Refusal = tuple[type[Exception], str]
"""The error, and why, in words that the reached counts are kept by."""


@dataclass
class Loan:
    """Authority that one person lent to another."""

    role: str
    of: str
    to: str
    until: datetime
    revoked: bool = False


@dataclass
class Model:
    filed_by: list[str]
    stages: list[str]
    four_eyes: bool
    demanded: set[str]
    now: datetime
    status: str
    opened_at: datetime = field(init=False)
    stage: int = 0
    passed_by: list[str] = field(default_factory=list)
    late_for: list[str] = field(default_factory=list)
    reopened: int = 0
    events: int = 1
    faults: int = 1
    # Since when the error is there, or is not, and how long it has been there at the longest.
    raised_at: datetime | None = None
    cleared_at: datetime | None = None
    lasted: timedelta = timedelta(0)
    loans: list[Loan] = field(default_factory=list)
    # What stands, by its id: kind, person, text; and the ids of what was withdrawn.
    items: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    # The last verdict: what the spot recorded, what was missing, and what came of it.
    found: tuple[str, frozenset[str], str] | None = None
    stands_since: datetime | None = None
    # How often a stage began, or was opened to somebody higher: who is late for one is not late for the next.
    turns: int = 0
    # How long the clocks ran, when they reached what, and for how long they had run when somebody acted first.
    timed: bool = False
    ran: timedelta = timedelta(0)
    reached: dict[str, datetime] = field(default_factory=dict)
    acknowledged: timedelta | None = None
    fired: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.raised_at = self.opened_at = self.now

    @property
    def missing(self) -> set[str]:
        return self.demanded - {kind for kind, _, _ in self.items.values()}

    def refuses(self, action: str, name: str, role: str) -> Refusal | None:
        """Why a person who tries this must be refused, if they must."""
        if not self.possible(action):
            return Conflict, "impossible"
        if action == "approve" and self.missing:
            return Conflict, "evidence missing"
        if role == "auditor":
            return NotAllowed, "auditor"
        if self.authority(action, name, role) is None:
            late = any(loan.to == name and self.fits(action, loan.role) for loan in self.loans)
            return NotAllowed, "loan over" if late else "role"
        return self.refuses_eyes(name, self.authority(action, name, role)) if action == "approve" else None

    def possible(self, action: str) -> bool:
        return {
            "note": True,
            "acknowledge": self.status in OPEN,
            "withdraw": self.status in OPEN,
            "reopen": self.status in CLOSED | {"ineligible"},
            "correct": self.status in OPEN,
            "resolve": self.status == "approved",
            "approve": self.status == "under_review",
            "reject": self.status == "under_review",
        }[action]

    def authority(self, action: str, name: str, role: str) -> tuple[str, str | None] | None:
        """The role that they do it in and whose it is if it was lent to them; their own comes first."""
        if action == "withdraw" and name == self.filed_by[0]:
            return role, None
        lent = [(loan.role, loan.of) for loan in self.loans if loan.to == name and self.holds(loan)]
        return next((held for held in [(role, None), *lent] if self.fits(action, held[0])), None)

    def holds(self, loan: Loan) -> bool:
        return not loan.revoked and self.now < loan.until

    def fits(self, action: str, role: str) -> bool:
        if role == "admin" or action in ("note", "acknowledge", "resolve"):
            return True
        if action in ("reopen", "withdraw", "correct"):
            return role == "manager"
        return role in [self.stages[self.stage - 1], *self.late_for]

    def refuses_eyes(self, name: str, authority: tuple[str, str | None] | None) -> Refusal | None:
        assert authority is not None
        eyes = {name, authority[1]}
        if eyes & set(self.filed_by):
            return NotAllowed, "filed it"
        if self.four_eyes and eyes & set(self.passed_by):
            return NotAllowed, "passed it"
        return None

    def does(self, action: str, name: str, of: str | None) -> None:
        self.events += 1
        if action != "note" and self.acknowledged is None:
            self.acknowledged = self.ran
        if action == "approve":
            self.passed_by += [name, of] if of else [name]
            self.late_for = []
            if self.stage < len(self.stages):
                self.stage += 1
                self.turns += 1
            else:
                self.status = "approved"
        elif action == "reopen":
            self.status, self.stage, self.passed_by, self.late_for = "submitted", 0, [], []
            self.reopened += 1
        elif action in ENDS:
            self.status, self.late_for = ENDS[action], []

    def is_corrected(self, name: str) -> bool:
        """Whether the claim begins again: reviews go on, but for those of whoever shaped the claim now."""
        goes_on = self.status in ("under_review", "approved") and name not in self.passed_by
        self.events += 1
        if self.acknowledged is None:
            self.acknowledged = self.ran
        if name not in self.filed_by:
            self.filed_by.append(name)
        if goes_on or self.status == "observed":
            return False
        self.status, self.stage, self.passed_by, self.late_for = "submitted", 0, [], []
        return True

    def refuses_item(self, role: str) -> Refusal | None:
        if role == "auditor":
            return NotAllowed, "auditor"
        return (Conflict, "closed") if self.status in CLOSED else None

    def refuses_withdrawal(self, item: str, role: str, reason: str) -> Refusal | None:
        if role == "auditor":
            return NotAllowed, "auditor"
        if item not in self.items.keys() | self.withdrawn:
            return NotFound, "unknown"
        if self.status in CLOSED:
            return Conflict, "closed"
        if not reason:
            return EvidenceRefused, "no reason"
        if item in self.withdrawn:
            return Conflict, "withdrawn before"
        return (Conflict, "approved on it") if self.status == "approved" else None

    def moves_to(self, moment: datetime) -> None:
        """The clocks run unless the claim is closed, or waits for others or for nothing."""
        if self.status in OPEN - STANDING:
            for mark, after in MARKS.items():
                if self.ran < after <= self.ran + (moment - self.now):
                    self.reached[mark] = self.now + (after - self.ran)
            self.ran += moment - self.now
        self.now = moment

    def due(self, clock: str) -> datetime | None:
        """When the clock of an open claim runs out; None while nobody can say."""
        mark = f"{clock}.breached"
        if mark in self.reached:
            return self.reached[mark]
        return self.now + (MARKS[mark] - self.ran) if self.status in OPEN - STANDING else None

    @property
    def alerts(self) -> set[str]:
        """What must have fired once somebody looks at the clocks."""
        return {mark for mark, after in MARKS.items() if self.timed and self._ran_past(mark, after)}

    def _ran_past(self, mark: str, after: timedelta) -> bool:
        """A clock that is stopped at its very mark was stopped in time; one that is not has reached it."""
        stopped = self.acknowledged if mark.startswith("acknowledge") else None
        ran = self.ran if stopped is None else stopped
        return ran > after or (ran == after and stopped is None and self.status not in CLOSED)

    def hears(self, filed_by: str | None, *, clear: bool) -> None:
        self.events += 1
        self.faults += not clear
        if filed_by is not None and not clear:
            self.filed_by.append(filed_by)
        if not clear:
            self.raised_at, self.cleared_at = self.raised_at or self.now, None
        elif self.raised_at is not None:
            self.lasted = max(self.lasted, self.now - self.raised_at)
            self.raised_at, self.cleared_at = None, self.now

    def hold_down_ends(self) -> bool:
        """An error that lasted is a claim, one that has been quiet for long is none, and others are watched on."""
        if self.status != "observed":
            return False
        lasted = self.lasted if self.raised_at is None else max(self.lasted, self.now - self.raised_at)
        if lasted >= HOLD_DOWN:
            self.status = "submitted"
        elif self.cleared_at is not None and self.now - self.cleared_at >= QUIET:
            self.status = "withdrawn"
        return self.status != "observed"

    def is_judged(self, usage: str) -> bool:
        """By what the spot recorded and what is on file; a verdict that stays the same leaves no trace."""
        before = self.status
        if before not in JUDGED:
            return False
        if usage == "bad":
            outcome = "ineligible"
        elif usage == "good" and not self.missing:
            outcome = "verifying"
        else:
            outcome = "awaiting_evidence" if self.now < self.waits_since + PATIENCE else "ineligible"
        known, self.found = self.found, (usage, frozenset(self.missing), outcome)
        if before != "submitted" and known == self.found:
            return False
        self.timed = True
        if (before, outcome) != ("under_review", "verifying"):
            self.status = outcome
        if before == "under_review" != self.status:
            self.stage, self.passed_by, self.late_for = 0, [], []
        if before not in STANDING:
            self.stands_since = self.now
        return True

    @property
    def waits_since(self) -> datetime:
        """From when on evidence is waited for: the opening, or anew when the claim was taken up again."""
        if not self.reopened:
            return self.opened_at
        return self.stands_since if self.stands_since and self.status in STANDING else self.now

    def is_routed(self) -> bool:
        if self.status != "verifying":
            return False
        self.turns += 1
        self.passed_by, self.late_for = [], []
        self.status, self.stage = ("under_review", 1) if self.stages else ("approved", 0)
        return True

    def is_late(self, turn: int) -> bool:
        """For the turn that it was scheduled for; nobody is late who could not decide for want of evidence."""
        if self.status != "under_review" or turn != self.turns or self.missing:
            return False
        self.late_for.append(HIGHER[self.highest])
        self.turns += 1
        return True

    @property
    def highest(self) -> str:
        return (self.late_for or [self.stages[self.stage - 1]])[-1]
