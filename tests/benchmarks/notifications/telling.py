"""Telling: separate notifications a second, by one worker process and by two, beside Apprise alone.

Claims are opened and each is owed a message of its own, while nobody runs to send it. Then the workers are
started, and the relay; the rate is that of the posts at a web hook, from the first to the last, so that starting
costs nobody anything. Ours goes through the step queue and RabbitMQ, and puts on record what came of each message
and, with the claim, that it was announced. Apprise alone sends as many, one after the other, from as many
processes.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from adapters.postgres.engine import connect
from adapters.postgres.store import PostgresStore
from domain.changes import Changes
from domain.identifiers import new_claim_id
from domain.notifications.delivery import Delivery
from domain.steps import Deliver
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake.drain import open_claims
from tests.benchmarks.intake.intake import demand_running
from tests.benchmarks.notifications import bare_apprise
from tests.benchmarks.notifications.receiver import Receiver, receiver
from tests.benchmarks.notifications.storm import telling
from tests.benchmarks.processes import Process, role, started
from tests.benchmarks.progress import TooSlow
from tests.benchmarks.report import Row, rate_row, ratio_row
from tests.benchmarks.scale import Scale
from tests.builders import a_policy_file
from tests.servers.waiting import wait_until

_PROCESSES = (1, 2)
_DEADLINE_SECONDS = 120
_BATCH = 500


def measure(scale: Scale) -> Iterator[Row]:
    """Both ways, in turns, and the ratios."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(scale.repetitions):
        for processes in _PROCESSES:
            for name, way in (("ours", ours), ("Apprise alone", apprise_alone)):
                rates.setdefault((name, processes), []).append(way(scale.separate_notifications, processes))
    for (name, processes), seen in rates.items():
        yield rate_row("telling", f"{name}, {_of(processes)}", seen, "messages/s")
    for processes in _PROCESSES:
        mine, other = rates["ours", processes], rates["Apprise alone", processes]
        yield ratio_row("telling", f"ours / Apprise alone, {_of(processes)}", mine, other, at_least=0.8)
    yield ratio_row("telling", "ours, two processes / one", rates["ours", 2], rates["ours", 1], at_least=1.2)


def ours(count: int, processes: int) -> float:
    """One turn, in messages a second."""
    with fresh_corner() as corner, receiver(corner) as ops, ExitStack() as stack:
        open_claims(corner, count)
        _owe_messages(corner)
        corner.settle(analyze=True)
        settings = telling(ops, a_policy_file(corner.folder, incidents=False))
        roles = [stack.enter_context(role("worker", corner, **settings)) for _ in range(processes)]
        roles.append(stack.enter_context(role("relay", corner, **settings)))
        return _rate(ops, count, roles)


def apprise_alone(count: int, processes: int) -> float:
    """One turn, in messages a second."""
    with fresh_corner() as corner, receiver(corner) as ops, ExitStack() as stack:
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.notifications.bare_apprise",
            ops.address,
            str(count // processes),
        ]
        for number in range(processes):
            stack.enter_context(started(Process(f"apprise-{number}", command, corner)))
        return _rate(ops, count // processes * processes, [])


def _rate(ops: Receiver, count: int, roles: list[Process]) -> float:
    def all_came() -> bool:
        demand_running(roles)
        return len(ops.posts()) >= count

    if not wait_until(all_came, _DEADLINE_SECONDS):
        raise TooSlow(f"{len(ops.posts())} of {count} messages came within {_DEADLINE_SECONDS} s.")
    moments = [post.at for post in ops.posts()]
    return (len(moments) - 1) / (moments[-1] - moments[0])


def _owe_messages(corner: Corner) -> None:
    """A message for each claim, in place of what would be pending next."""
    with corner.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM steps")
        cursor.execute("SELECT id::text, spot_id, code FROM claims")
        claims = cursor.fetchall()
    engine = connect(corner.database_url, pool_size=1)
    store = PostgresStore(engine)
    for begin in range(0, len(claims), _BATCH):
        with store.transaction() as transaction:
            transaction.record(_messages(claims[begin : begin + _BATCH]))
    engine.dispose()


def _messages(claims: list[tuple[str, str, str]]) -> Changes:
    changes = Changes()
    for claim_id, spot, code in claims:
        title, now = f"{code} at {spot}: under review", datetime.now(UTC)
        text = (title, bare_apprise.BODY)
        delivery = Delivery(new_claim_id(), "ops", "claim.under_review", *text, [claim_id], created_at=now)
        changes.put(delivery, Deliver([delivery.id], delivery.destination))
    return changes


def _of(processes: int) -> str:
    return f"{processes} process" + ("es" if processes > 1 else "")
