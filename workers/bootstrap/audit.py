"""The audit record: its log, the checkpoints that sign it, and a look at it as a whole."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from adapters.audit.checkpoint_file import CheckpointFile
from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import DatabaseSnapshot, open_snapshot
from domain.ports.store import Notifier
from workers.audit.sequencer import Sequencer
from workers.audit.signing import Checkpoints
from workers.bootstrap.foundation import Foundation
from workers.runtime.audit_service import AuditService


@dataclass(frozen=True, slots=True)
class Audit:
    """`snapshot` opens the whole record as it stands at one moment."""

    log: AuditLog
    sequencer: Sequencer
    checkpoints: Checkpoints
    service: AuditService
    snapshot: Callable[[], AbstractContextManager[DatabaseSnapshot]]


def build(
    base: Foundation, notifier: Notifier, on_broken: Callable[[str], None], on_key: Callable[[bool], None]
) -> Audit:
    """Builds the part; `on_broken` hears the id of each claim whose chain is found broken.

    `on_key` hears whether the signing key is the one that is to sign.
    """
    settings, log = base.settings, AuditLog(base.engine)
    sequencer = Sequencer(log, on_broken)
    checkpoints = Checkpoints(
        log,
        settings.audit_key_file,
        CheckpointFile(settings.checkpoint_file),
        base.clock,
        notifier,
        settings.checkpoint_destination,
    )
    service = AuditService(
        sequencer,
        checkpoints,
        checkpoint_every=timedelta(seconds=settings.checkpoint_seconds),
        poll_seconds=settings.scheduler_poll_seconds,
        on_broken=on_broken,
        on_key=on_key,
    )
    snapshot = partial(open_snapshot, base.engine, files_inside=settings.evidence_store is None)
    return Audit(log, sequencer, checkpoints, service, snapshot)
