"""What people and programs read. Adapters implement these ports."""

from typing import Any, Protocol


class IncidentReports(Protocol):
    """Incidents as people and programs read them. Rows are dicts with JSON-ready values."""

    def listed(
        self, *, status: str | None = None, code: str | None = None, before: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Incidents, newest first; `before` is the id of the last incident of the page before."""

    def find(self, incident_id: str) -> dict[str, Any] | None:
        """The incident with this id, or the only one whose id ends with these characters (6 or more)."""

    def claims_of(self, incident_id: str, limit: int = 1000) -> list[dict[str, Any]]:
        """The claims that belong to it, by when they were first seen."""

    def of_claim(self, claim_id: str) -> dict[str, Any] | None:
        """The incident that a claim belongs to."""


class Reports(Protocol):
    """What people and programs read. Rows are dicts with JSON-ready values; see the tables of the adapter."""

    def list_claims(
        self,
        *,
        status: str | None = None,
        spot_id: str | None = None,
        code: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Claims, newest first; `before` is the id of the last claim of the page before."""

    def find_claim(self, claim_id: str) -> dict[str, Any] | None:
        """The claim with this id, or the only one whose id ends with these characters (6 or more)."""

    def claim_events(self, claim_id: str) -> list[dict[str, Any]]:
        """The claim's audit events in order."""

    def list_faults(self, keys: list[str]) -> list[dict[str, Any]]:
        """These faults as they were reported, in order of occurrence."""

    def list_deliveries(
        self, *, claim_id: str | None = None, status: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Deliveries, newest first; of one claim or status only, if named."""

    def find_delivery(self, delivery_id: str) -> dict[str, Any] | None:
        """The delivery with this id, or the only one whose id ends with these characters (6 or more)."""

    def list_quarantine(self, *, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Quarantined messages without their bytes, latest first; of one state only, if named."""

    def find_quarantined(self, key: str) -> dict[str, Any] | None:
        """One quarantined message with its bytes, by its key or the unique beginning of it."""
