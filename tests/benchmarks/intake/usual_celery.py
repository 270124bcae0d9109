"""The usual way with Celery: prefork, late acknowledgement, no results kept.

    celery -A tests.benchmarks.intake.usual_celery worker --pool prefork --concurrency 4
    python -m tests.benchmarks.intake.usual_celery new_spots|repeats COUNT    # fills the queue

Its queue is a classic one: Celery's prefetch relies on global QoS, which quorum queues refuse. A classic queue on
one node is the faster kind, so the comparison does not suffer for it.
"""

import os
import sys
from typing import Any

import orjson
from celery import Celery

from tests.benchmarks.intake import loads, usual

app = Celery("usual", broker=os.environ["SPOTCLAIM_AMQP_URL"])
app.conf.update(
    task_acks_late=True,
    task_default_queue=usual.QUEUE,
    task_ignore_result=True,
    worker_prefetch_multiplier=16,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="take_in")
def take_in(event: dict[str, Any]) -> None:
    """One message, one task, one transaction."""
    usual.take_in(event)


if __name__ == "__main__":
    with app.producer_pool.acquire(block=True) as producer:
        for body in getattr(loads, sys.argv[1])(int(sys.argv[2])):
            take_in.apply_async((orjson.loads(body),), producer=producer)
