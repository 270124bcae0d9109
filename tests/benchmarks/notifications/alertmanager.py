"""The usual way to tell of a storm: Prometheus' Alertmanager, as Debian has it.

It groups by error and zone, tells the first at once (`group_wait` 0) and waits between messages as long as our
first digest does. Alerts go to it by its API in lists, each of which it accepts.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import yaml

from tests.benchmarks.corner import Corner
from tests.benchmarks.processes import Process, ProcessFailed, started
from tests.servers.loopback import HOST, free_port
from tests.servers.waiting import wait_until

PROGRAM = "prometheus-alertmanager"
_LIST = 500
_READY_SECONDS = 90
_POST_SECONDS = 60


class Alertmanager:
    """One instance, its API, and what it is to tell where."""

    def __init__(self, corner: Corner, webhook: str, group_interval_seconds: int) -> None:
        program = shutil.which(PROGRAM)
        if program is None:
            raise ProcessFailed(f"There is no {PROGRAM}: apt-get install {PROGRAM}")
        self._corner = corner
        self._address = f"{HOST}:{free_port()}"
        config = corner.folder / "alertmanager.yaml"
        config.write_text(yaml.safe_dump(_config(webhook, group_interval_seconds)))
        self._command = [
            program,
            f"--config.file={config}",
            f"--storage.path={corner.folder / 'alertmanager'}",
            f"--web.listen-address={self._address}",
            "--cluster.listen-address=",
        ]

    @contextmanager
    def running(self, name: str) -> Iterator[Process]:
        """Its process, ready."""
        with started(Process(name, self._command, self._corner)) as process:
            wait_until(lambda: not process.running or self._ready(), _READY_SECONDS)
            if not process.running:
                raise ProcessFailed(process.log_tail())
            yield process

    def post(self, alerts: Sequence[dict[str, object]]) -> None:
        """Returns when all are accepted. Raises `ProcessFailed`."""
        with httpx.Client(base_url=f"http://{self._address}", trust_env=False, timeout=_POST_SECONDS) as api:
            for begin in range(0, len(alerts), _LIST):
                answer = api.post("/api/v2/alerts", json=list(alerts[begin : begin + _LIST]))
                if answer.status_code != httpx.codes.OK:
                    raise ProcessFailed(f"Alertmanager refused alerts: {answer.status_code} {answer.text[:200]}")

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://{self._address}/-/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False


def alerts(count: int, code: str, zone: str) -> list[dict[str, object]]:
    """One alert a spot, all of one error in one zone."""
    now = datetime.now(UTC).isoformat()
    labels = {"alertname": code, "zone": zone, "severity": "critical"}
    return [{"labels": labels | {"spot": f"spot-{number}"}, "startsAt": now} for number in range(count)]


def _config(webhook: str, group_interval_seconds: int) -> dict[str, object]:
    route = {
        "receiver": "ops",
        "group_by": ["alertname", "zone"],
        "group_wait": "0s",
        "group_interval": f"{group_interval_seconds}s",
        "repeat_interval": "4h",
    }
    hook = {"url": f"http://{webhook}/", "send_resolved": True}
    return {"route": route, "receivers": [{"name": "ops", "webhook_configs": [hook]}]}
