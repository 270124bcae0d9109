"""The usual way with Dramatiq: its stock broker and middleware, run by its own command line.

dramatiq tests.benchmarks.intake.usual_dramatiq --processes 2 --threads 8
python -m tests.benchmarks.intake.usual_dramatiq new_spots|repeats COUNT    # fills the queue
"""

import os
import sys
from typing import Any

import dramatiq
import orjson
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.benchmarks.intake import loads, usual

broker = RabbitmqBroker(url=os.environ["SPOTCLAIM_AMQP_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=usual.QUEUE)
def take_in(event: dict[str, Any]) -> None:
    """One message, one call, one transaction."""
    usual.take_in(event)


if __name__ == "__main__":
    for body in getattr(loads, sys.argv[1])(int(sys.argv[2])):
        take_in.send(orjson.loads(body))
    broker.close()
