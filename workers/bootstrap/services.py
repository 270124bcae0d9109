"""What people and programs do. The API, the console and the command line call the same."""

from dataclasses import dataclass

from adapters.file_types import sniff
from adapters.object_store import object_files
from adapters.postgres.evidence.files import DatabaseFiles
from adapters.postgres.field.idempotency import IdempotencyKeys
from adapters.postgres.field.meter_keys import MeterKeys
from domain.identifiers import new_claim_id
from domain.ports.store import EvidenceFiles, Store
from workers.bootstrap.foundation import Foundation
from workers.bootstrap.live import Live
from workers.services.corrections import CorrectionService
from workers.services.decisions import Decide
from workers.services.evidence import EvidenceService
from workers.services.incidents import IncidentService
from workers.services.intake import Intake
from workers.services.quarantine import QuarantineService


@dataclass(frozen=True, slots=True)
class Services:
    """What is done with claims, evidence, incidents, quarantine and keys."""

    corrections: CorrectionService
    decide: Decide
    evidence: EvidenceService
    incidents: IncidentService
    meter_keys: MeterKeys
    quarantine: QuarantineService
    bind_key: IdempotencyKeys


def build(base: Foundation, store: Store, live: Live, intake: Intake) -> Services:
    """Builds the part. Raises `SetupError` for a place of evidence that cannot be one."""
    policy, clock = base.policy, base.clock
    decide = Decide(store, policy, base.policies, clock, live.committed)
    files = _files(base)
    return Services(
        corrections=CorrectionService(store, policy, base.policies, clock, live.committed),
        decide=decide,
        evidence=EvidenceService(store, files, sniff, policy, base.policies, clock, live.committed),
        incidents=IncidentService(store, decide, policy.incidents, clock, new_claim_id, live.committed),
        meter_keys=MeterKeys(base.engine),
        quarantine=QuarantineService(store, intake, clock),
        bind_key=IdempotencyKeys(base.engine),
    )


def _files(base: Foundation) -> EvidenceFiles:
    place = base.settings.evidence_store
    return object_files(place) if place else DatabaseFiles(base.engine)
