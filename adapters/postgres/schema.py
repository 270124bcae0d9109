"""Gathers every table, so that `metadata` is the whole schema as the code sees it.

Alembic and tests take it from here; tests hold it against what the migrations build.
"""

from typing import Final

from adapters.postgres.audit.events import audit_events, audit_pending
from adapters.postgres.audit.keys import audit_keys
from adapters.postgres.audit.log import audit_checkpoints, audit_log
from adapters.postgres.claims.claims import claims
from adapters.postgres.claims.policies import policies
from adapters.postgres.evidence.files import evidence_files
from adapters.postgres.evidence.items import claim_evidence
from adapters.postgres.field.faults import faults
from adapters.postgres.field.idempotency import idempotency_keys
from adapters.postgres.field.meter_keys import meter_keys
from adapters.postgres.field.quarantine import quarantine
from adapters.postgres.field.spots import spots
from adapters.postgres.field.station_memory import ocpp_stations
from adapters.postgres.field.usage import usage_records
from adapters.postgres.incidents.baseline_sql import baseline_places, baseline_thresholds, baselines
from adapters.postgres.incidents.incidents import incident_claims, incidents
from adapters.postgres.metadata import metadata as metadata
from adapters.postgres.notifications.deliveries import deliveries
from adapters.postgres.notifications.destinations import destinations
from adapters.postgres.notifications.groups import collected_notices, notification_groups
from adapters.postgres.notifications.silences import silences
from adapters.postgres.people.delegations import delegations
from adapters.postgres.people.tokens import api_tokens
from adapters.postgres.steps.steps import steps

TABLES: Final = (
    # field
    faults,
    usage_records,
    spots,
    meter_keys,
    ocpp_stations,
    quarantine,
    idempotency_keys,
    # claims
    claims,
    policies,
    # evidence
    claim_evidence,
    evidence_files,
    # incidents
    incidents,
    incident_claims,
    baselines,
    baseline_places,
    baseline_thresholds,
    # notifications
    deliveries,
    notification_groups,
    collected_notices,
    silences,
    destinations,
    # audit
    audit_events,
    audit_pending,
    audit_log,
    audit_checkpoints,
    audit_keys,
    # steps and people
    steps,
    delegations,
    api_tokens,
)
