"""Replays chains from the bodies that are on record."""

import json
from collections.abc import Iterable
from datetime import datetime

from domain.audit.chain import AuditEvent
from domain.events import Subject, read, replay


def replayed(chain: Iterable[AuditEvent]) -> Subject | None:
    """Returns the claim or incident that the stored events lead to; nothing else is known of it."""
    subject: Subject | None = None
    for stored in chain:
        event = read(stored.kind, json.loads(stored.body))
        subject = replay(subject, stored.subject_id, event, datetime.fromisoformat(stored.at), stored.actor)
    return subject
