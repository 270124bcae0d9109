"""Notifies of what happened to claims and incidents."""

from collections.abc import Sequence

from domain.changes import Changes
from domain.notifications.notice import NEWS, Notice, of_claims, of_incidents
from domain.notifications.routing import follow_ups, route
from domain.policy.policy import Policy
from domain.ports.store import Clock, Transaction
from domain.steps import INCIDENT, Announce
from workers.services.notifying import Dispatcher


class Announcer:
    """Sends messages at once, or collects notices for their groups' digests."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._dispatcher = Dispatcher(policy, clock)

    def __call__(self, transaction: Transaction, steps: Sequence[Announce]) -> Changes:
        of_incident = [step for step in steps if step.subject_kind == INCIDENT]
        notices = _of_claims(transaction, [step for step in steps if step.subject_kind != INCIDENT])
        for step in of_incident:
            notices += of_incidents(transaction.incidents(step.subject_ids), step.event, self._policy)
        context = self._dispatcher.context(transaction, [item.about for item in notices], notices)
        changes = self._dispatcher.dispatch(transaction, route(notices, self._policy, context))
        changes.put(*follow_ups(notices, self._policy, context.now))
        return changes


def _of_claims(transaction: Transaction, steps: Sequence[Announce]) -> list[Notice]:
    if not steps:
        return []
    pending = {(claim_id, step.event or step.state_key) for step in steps for claim_id in step.subject_ids}
    claims = transaction.claims([claim_id for claim_id, _ in pending])
    # A claim that has moved on since is not notified; a later step has its present state key.
    notices = of_claims([claim for claim in claims if (claim.id, claim.state_key) in pending])
    for news in sorted({step.event for step in steps if step.event in NEWS}):
        concerned = [claim for claim in claims if (claim.id, news) in pending and claim.closed_at is None]
        notices += of_claims(concerned, news)
    return notices
