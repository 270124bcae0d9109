"""Roles, and what each may do."""

from typing import Final, NamedTuple

from domain.errors import NotAllowed

ADMIN: Final = "admin"
AUDITOR: Final = "auditor"
ROLES: Final = ("operator", "reviewer", "manager", AUDITOR, ADMIN)
# Who decides when the one below is late. Auditors read, and do nothing else.
AUTHORITIES: Final = ("operator", "reviewer", "manager", ADMIN)
SUPERVISORS: Final = ("manager", ADMIN)


class Right(NamedTuple):
    """Something that some roles may do, and the answer to the others; `{role}` stands for theirs."""

    roles: tuple[str, ...]
    refusal: str

    def demand(self, role: str) -> None:
        """Raises `NotAllowed` unless the role has the right."""
        if role not in self.roles:
            raise NotAllowed(self.refusal.format(role=role))


# Who decides which claim lies with its stages (`domain.claims.approval`) and actions (`domain.claims.decide`).
DECIDE: Final = Right(AUTHORITIES, "Auditors read; they do not decide.")
LEND_AUTHORITY: Final = Right(AUTHORITIES, "The role {role} has no authority to lend.")
FILE_MESSAGES: Final = Right(AUTHORITIES, "Auditors read; they do not file.")
FILE_EVIDENCE: Final = Right(AUTHORITIES, "Auditors read; they neither add nor withdraw evidence.")
SETTLE_QUARANTINE: Final = Right(AUTHORITIES, "Auditors read; they neither replay nor discard.")
HANDLE_INCIDENTS: Final = Right(
    AUTHORITIES, f"The role {{role}} handles no incidents; {', '.join(AUTHORITIES)} do."
)
HANDLE_NOTIFICATIONS: Final = Right(AUTHORITIES, "Auditors read; they neither silence nor send again.")
CHANGE_DESTINATIONS: Final = Right((ADMIN,), "The role {role} changes no destinations; admin does.")
READ_ADMINISTRATION: Final = Right(
    (AUDITOR, ADMIN), "The role {role} reads no administrative acts; auditor and admin do."
)
