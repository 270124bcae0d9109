"""Defines what people and programs read; adapters implement these ports."""

from datetime import datetime
from typing import Any, Protocol


class IncidentReports(Protocol):
    """Reads incidents for people and programs. Rows are dicts with JSON-ready values."""

    def listed(
        self, *, status: str | None = None, code: str | None = None, before: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Lists incidents, newest first; `before` is the last id of the page before."""

    def find(self, incident_id: str) -> dict[str, Any] | None:
        """Finds the incident with this id, or the only one ending with these characters.

        These must be 6 or more.
        """

    def claims_of(self, incident_id: str, limit: int = 1000) -> list[dict[str, Any]]:
        """Lists the claims that belong to an incident, by when they were first seen."""

    def of_claim(self, claim_id: str) -> dict[str, Any] | None:
        """Finds the incident that a claim belongs to."""


class Reports(Protocol):
    """Reads what people and programs ask for.

    Rows are dicts with JSON-ready values; see the tables of the adapter.
    """

    def list_claims(
        self,
        *,
        status: str | None = None,
        spot_id: str | None = None,
        code: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Lists claims, newest first; `before` is the last id of the page before."""

    def find_claim(self, claim_id: str) -> dict[str, Any] | None:
        """Finds the claim with this number or id, or the only one whose id ends with these characters.

        These must be 6 or more.
        """

    def claim_events(self, claim_id: str) -> list[dict[str, Any]]:
        """Lists the claim's audit events in order."""

    def administrative_events(
        self, *, kind: str | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Lists administrative acts, latest first; of one kind or from a moment on, if named."""

    def list_faults(self, keys: list[str]) -> list[dict[str, Any]]:
        """Lists these faults as they were reported, in order of occurrence."""

    def list_deliveries(
        self, *, claim_id: str | None = None, status: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Lists deliveries, newest first; of one claim or status only, if named."""

    def find_delivery(self, delivery_id: str) -> dict[str, Any] | None:
        """Finds the delivery with this id, or the only one ending with these characters.

        These must be 6 or more.
        """

    def list_quarantine(self, *, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Lists quarantined messages without their bytes, latest first; of one state if named."""

    def find_quarantined(self, key: str) -> dict[str, Any] | None:
        """Finds a quarantined message with its bytes, by its key or its unique beginning."""
