"""Memory: the most that each role process ever held (VmHWM) while many faults from new spots passed through.

All roles run, and the faults are published while they do; the console is asked for its pages. The figures are read
when every fault is committed and every claim under review.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from ingest.rabbitmq import publisher
from tests.benchmarks.corner import Corner, fresh_corner
from tests.benchmarks.intake import loads
from tests.benchmarks.intake.drain import bear_out
from tests.benchmarks.intake.intake import demand_running
from tests.benchmarks.processes import Process, role
from tests.benchmarks.progress import watch
from tests.benchmarks.report import Row, ceiling_row
from tests.benchmarks.scale import Scale
from tests.servers.loopback import HOST, free_port

_DEADLINE_SECONDS = 600
_PAUSE_SECONDS = 0.5
_TOKEN = "benchmark-token-benchmark"
_ROUTED = "SELECT count(*) FROM claims WHERE status = 'under_review'"


def measure(scale: Scale) -> Iterator[Row]:
    """One figure for each role."""
    with fresh_corner() as corner:
        bear_out(corner, scale.memory_faults)
        with ExitStack() as stack:
            port = free_port()
            roles = [stack.enter_context(role(name, corner)) for name in ("ingest", "worker", "relay")]
            console = role("console", corner, "--port", str(port), SPOTCLAIM_BOOTSTRAP_TOKEN=_TOKEN)
            roles.append(stack.enter_context(console))
            peaks = _peaks(corner, roles, port, scale.memory_faults)
    for name, peak in peaks.items():
        yield ceiling_row("memory", f"{name}, {scale.memory_faults:,} faults", peak, "MiB", at_most=200)


def _peaks(corner: Corner, roles: list[Process], port: int, count: int) -> dict[str, float]:
    done = threading.Event()
    reading = threading.Thread(target=_read_pages, args=(port, done), daemon=True)
    reading.start()
    try:
        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(publisher.publish, corner.amqp, loads.new_spots(count))

            def alive() -> None:
                demand_running(roles)
                if publishing.done():
                    publishing.result()  # raises what publishing raised

            watch(corner, _ROUTED, count, _DEADLINE_SECONDS, alive)
    finally:
        done.set()
        reading.join(_DEADLINE_SECONDS)
    return {process.name: process.peak_memory_mib() for process in roles}


def _read_pages(port: int, done: threading.Event) -> None:
    """A person who keeps reloading."""
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    with httpx.Client(base_url=f"http://{HOST}:{port}", headers=headers, timeout=10, trust_env=False) as client:
        while not done.wait(_PAUSE_SECONDS):
            for path in ("/api/v1/claims", "/metrics", "/readyz"):
                try:
                    client.get(path)
                except httpx.HTTPError:
                    break  # not listening yet
