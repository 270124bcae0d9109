"""A storm: one error on thousands of spots at once, and who is notified how soon, how often, and of how much.

All roles run, at rest. The faults are published as fast as the broker confirms them; the clock runs from the first
of them until a web hook is sent something. When half of the claims are open, every worker is killed and another
started. It is over when all claims are announced, or are suppressed under an announced incident, and nothing is
collecting any more. Once with the built-in policy, by which the storm is an incident, and once where nobody hears
of incidents, so that all of it goes through digests. Gathering begins with `DIGEST_SECONDS`, which is more often
than the policy has it. Beside it Alertmanager, killed as well when it has half of the alerts.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import orjson

from ingest.rabbitmq import publisher
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake import loads
from tests.benchmarks.intake.intake import demand_running
from tests.benchmarks.notifications.alertmanager import Alertmanager, alerts
from tests.benchmarks.notifications.receiver import Receiver, receiver
from tests.benchmarks.processes import role
from tests.benchmarks.progress import TooSlow, watch
from tests.benchmarks.report import Row, ceiling_row
from tests.benchmarks.scale import Scale
from tests.builders import a_policy_file
from tests.servers.waiting import wait_until

DIGEST_SECONDS = 5
_DEADLINE_SECONDS = 180
# What starts has looked round by then.
_REST_SECONDS = 2.0
_OPENED = "SELECT count(*) FROM claims"
_ACCOUNTED = """
    SELECT count(DISTINCT claim) FROM deliveries, unnest(subject_ids) claim
    WHERE event LIKE 'claim.%' AND status IN ('sent', 'suppressed')
"""
_UNDER_WAY = "SELECT count(*) FROM deliveries WHERE status NOT IN ('sent', 'suppressed')"
# Announced itself, or linked to an incident that was announced.
_TOLD = """
    WITH came AS (SELECT event, unnest(subject_ids) AS about FROM deliveries WHERE id = ANY(%(keys)s::uuid[]))
    SELECT count(*) FROM (
        SELECT about FROM came WHERE event LIKE 'claim.%%'
        UNION SELECT claim_id FROM incident_claims JOIN came ON about = incident_id WHERE event LIKE 'incident.%%'
    ) announced
"""


class Telling(NamedTuple):
    """How long the first message took, how many there were, and how many claims nobody was notified of."""

    first_seconds: float
    messages: int
    lost: int


def measure(scale: Scale) -> Iterator[Row]:
    """The first word, all words, and what is lost, for each way."""
    yield from _rows("as an incident", _ours(scale.storm_claims, incidents=True), aimed=True)
    yield from _rows("in digests", _ours(scale.storm_claims, incidents=False), aimed=True)
    yield from _rows("Alertmanager", _alertmanager(scale.storm_claims), aimed=False)


def _rows(way: str, telling: Telling, *, aimed: bool) -> Iterator[Row]:
    first, most, least = (1.0, 20, 0) if aimed else (None, None, None)
    yield ceiling_row("storm", f"{way}: until the first message", telling.first_seconds, "s", first)
    yield ceiling_row("storm", f"{way}: messages in all", telling.messages, "", most)
    yield ceiling_row("storm", f"{way}: claims never announced, after a kill", telling.lost, "", least)


def _ours(count: int, *, incidents: bool) -> Telling:
    with fresh_corner() as corner, receiver(corner) as ops, ExitStack() as stack:
        policy = a_policy_file(corner.folder, incidents=incidents, digest_seconds=DIGEST_SECONDS)
        settings = telling(ops, policy)
        roles = [stack.enter_context(role(name, corner, **settings)) for name in ("relay", "ingest", "scheduler")]
        worker = stack.enter_context(role("worker", corner, **settings))
        faults = list(loads.storm(count))
        corner.settle()
        time.sleep(_REST_SECONDS)
        began = time.monotonic()
        publisher.publish(corner.amqp, faults)
        watch(corner, _OPENED, count // 2, _DEADLINE_SECONDS)
        worker.kill()
        roles.append(stack.enter_context(role("worker", corner, ready=False, **settings)))
        watch(corner, _ACCOUNTED, count, _DEADLINE_SECONDS, lambda: demand_running(roles))
        _await_nothing_under_way(corner)
        return _told(corner, ops, began, count)


def telling(ops: Receiver, policy: Path) -> dict[str, str]:
    """Settings of roles that tell this web hook."""
    return {
        "SPOTCLAIM_POLICY": str(policy),
        "SPOTCLAIM_DESTINATIONS": orjson.dumps({"ops": f"json://{ops.address}/"}).decode(),
        "SPOTCLAIM_ALLOW_INTERNAL_DESTINATIONS": "true",
    }


def _await_nothing_under_way(corner: Corner) -> None:
    with closing(corner.connect()) as connection, connection.cursor() as cursor:

        def nothing() -> bool:
            cursor.execute(_UNDER_WAY)
            return not cursor.fetchone()[0]

        if not wait_until(nothing, _DEADLINE_SECONDS):
            raise TooSlow(f"Deliveries are under way after {_DEADLINE_SECONDS} s: {_UNDER_WAY}")


def _told(corner: Corner, ops: Receiver, began: float, count: int) -> Telling:
    """What came, held against what is on record: a claim counts if its notice, or its incident's, has come."""
    posts = ops.posts()
    with closing(corner.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(_TOLD, {"keys": [post.key for post in posts]})
        announced = cursor.fetchone()[0]
    return Telling(posts[0].at - began, len(posts), count - announced)


def _alertmanager(count: int) -> Telling:
    with fresh_corner() as corner, receiver(corner) as ops:
        theirs = Alertmanager(corner, ops.address, DIGEST_SECONDS)
        storm = alerts(count, loads.STORM_CODE, loads.STORM_ZONE)
        with theirs.running("alertmanager") as process:
            began = time.monotonic()
            theirs.post(storm[: count // 2])
            process.kill()
        with theirs.running("alertmanager-again"):
            theirs.post(storm[count // 2 :])
            time.sleep(2 * DIGEST_SECONDS + 1)  # it has sent what it will send
        posts = ops.posts()
    announced = {alert["labels"]["spot"] for post in posts for alert in orjson.loads(post.body)["alerts"]}
    return Telling(posts[0].at - began, len(posts), count - len(announced))
