"""Builds what people and programs read."""

from dataclasses import dataclass

from adapters.postgres.claims.queries import Reports
from adapters.postgres.field.reconciliation import ReconciliationQueries
from adapters.postgres.incidents.baselines import Baselines
from adapters.postgres.incidents.queries import IncidentReports
from workers.bootstrap.foundation import Foundation
from workers.runtime.cached_thresholds import CachedThresholds
from workers.services.sla_explanation import SlaExplanation


@dataclass(frozen=True, slots=True)
class Queries:
    """Claims with their clocks, incidents, what there is to reconcile, and what is usual."""

    reports: Reports
    incidents: IncidentReports
    clocks: SlaExplanation
    reconciliation: ReconciliationQueries
    baselines: Baselines
    threshold: CachedThresholds


def build(base: Foundation) -> Queries:
    """Builds the part. Nothing is read yet."""
    baselines = Baselines(base.engine, base.policy.incidents)
    return Queries(
        reports=Reports(base.engine),
        incidents=IncidentReports(base.engine),
        clocks=SlaExplanation(base.policies, base.clock),
        reconciliation=ReconciliationQueries(base.engine),
        baselines=baselines,
        threshold=CachedThresholds(baselines.load),
    )
