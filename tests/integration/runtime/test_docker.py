"""What `docker/` says, held against the code that it runs and against the programs that read it."""

import json
import os
import re
import subprocess
import warnings
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.main import get_command

from adapters.prometheus import DatabaseCollector, Metrics
from ingest.rabbitmq import topology
from tests.servers.server import program
from workers.runtime.actors import INTAKE_QUEUE
from workers.settings import Settings

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yml"
KUBERNETES = DOCKER / "kubernetes"
RULES = DOCKER / "prometheus" / "rules.yml"
DASHBOARDS = sorted((DOCKER / "grafana" / "dashboards").glob("*.json"))
ROLES = {"migrate", "ingest", "worker", "relay", "scheduler", "console"}
SECRETS = {"DATABASE_URL", "AMQP_URL", "REDIS_URL", "BOOTSTRAP_TOKEN", "DESTINATIONS"}
SERIES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def test_compose_file_is_sound() -> None:
    """Given no variable at all, when Compose reads its file, then it finds nothing wrong."""
    _run("docker-compose", "docker-compose", "-f", COMPOSE, "config", "-q")


def test_every_variable_is_a_setting() -> None:
    """Given all files in `docker/`, when they name a variable of Spotclaim, then a setting of that name exists."""
    texts = [path.read_text() for path in DOCKER.rglob("*") if path.is_file()]

    named = {name for text in texts for name in re.findall(r"SPOTCLAIM_([A-Z_]+[A-Z])", text)}

    assert named >= SECRETS
    assert sorted(named - {name.upper() for name in Settings.model_fields}) == []


def test_compose_runs_every_role_by_a_command_that_exists(commands: set[str]) -> None:
    """Given the services made from our image, when their commands are read, then the command line has each."""
    services = _compose()["services"]
    ours = {name: service["command"] for name, service in services.items() if _is_ours(service["image"])}

    assert set(ours) == ROLES
    assert {command[0] for command in ours.values()} == ROLES
    assert commands >= ROLES


def test_compose_services_are_bounded_watched_and_private() -> None:
    """Given any service, when it misbehaves or a stranger calls, then it is bounded and private."""
    for name, service in _compose()["services"].items():
        assert service["mem_limit"], name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert name == "migrate" or service["healthcheck"]["test"], name
        assert all(ip_address(port.split(":")[0]).is_loopback for port in service.get("ports", [])), name


def test_roles_wait_for_the_schema() -> None:
    """Given a new installation, when it starts, then no role runs before the database has its schema."""
    for name in ROLES - {"migrate"}:
        awaited = _compose()["services"][name]["depends_on"]

        assert awaited["migrate"] == {"condition": "service_completed_successfully"}, name
        for server in ("postgres", "rabbitmq", "redis"):
            assert awaited[server] == {"condition": "service_healthy"}, name


def test_image_is_built_from_locked_dependencies_and_runs_as_nobody() -> None:
    """Given the Dockerfile, when it is read, then hashes are demanded and the process has no rights."""
    lines = (DOCKER / "Dockerfile").read_text().splitlines()

    assert any("--require-hashes" in line and "requirements.lock" in line for line in lines)
    assert 'ENTRYPOINT ["spotclaim"]' in lines
    assert "USER 10001:10001" in lines


def test_builder_is_given_what_the_dockerfile_copies() -> None:
    """Given `.dockerignore`, when the Dockerfile copies from the tree, then that is let in and is there."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    copied = {source for sources in copies for source in sources.split()}

    assert copied == let_in
    assert all((ROOT / source).exists() for source in copied)


def test_folder_is_no_package() -> None:
    """Given a library named docker, when somebody imports it, then our folder does not stand in its place."""
    assert not (DOCKER / "__init__.py").exists()


def test_prometheus_configuration_is_sound() -> None:
    """Given the configuration and the rules it names, when promtool checks them, then it finds nothing wrong."""
    _run("promtool", "prometheus", "check", "config", DOCKER / "prometheus" / "prometheus.yml")
    _run("promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", RULES)


def test_alerts_fire_when_they_should() -> None:
    """Given series that promtool invents, when it plays them, then exactly the expected alerts fire."""
    _run("promtool", "prometheus", "test", "rules", *sorted(RULES.parent.glob("*_test.yml")))


def test_every_alert_is_tested() -> None:
    """Given the rules, when the tests are read, then each alert is expected to fire at least once."""
    cases = [
        case
        for path in RULES.parent.glob("*_test.yml")
        for test in _yaml(path)["tests"]
        for case in test["alert_rule_test"]
    ]

    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {rule["alert"] for rule in _rules()}


def test_prometheus_looks_for_every_role_that_runs_on() -> None:
    """Given the services of Compose, when Prometheus asks for targets, then it names each role at its port."""
    [job] = _yaml(DOCKER / "prometheus" / "prometheus.yml")["scrape_configs"]
    asked = {name: query["port"] for query in job["dns_sd_configs"] for name in query["names"]}

    metrics = int(_compose()["x-role"]["environment"]["SPOTCLAIM_METRICS_PORT"])
    console = Settings.model_fields["port"].default
    roles = dict.fromkeys(("ingest", "worker", "relay", "scheduler"), metrics)
    assert asked == roles | {"console": console}


def test_rules_and_dashboards_use_metrics_that_exist(exported: set[str]) -> None:
    """Given every expression, when it names a series of Spotclaim, then a process exports that series."""
    expressions = [*(rule["expr"] for rule in _rules()), *_dashboard_expressions()]

    used = {name for expression in expressions for name in re.findall(r"\bspotclaim_\w+", expression)}

    assert used
    assert sorted(used - exported) == []


def test_dashboard_expressions_can_be_read(tmp_path: Path) -> None:
    """Given what Grafana would ask, when promtool parses it as rules, then it finds nothing wrong."""
    asked = [expression.replace("$__rate_interval", "5m") for expression in _dashboard_expressions()]
    asked = [expression.replace("$__range", "1d") for expression in asked]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    _run("promtool", "prometheus", "check", "rules", "--lint=none", file)


def test_dashboards_ask_the_provisioned_source() -> None:
    """Given the provisioned data source, when a panel asks, then it asks that one."""
    [source] = _yaml(DOCKER / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"]

    assert {target["datasource"]["uid"] for target in _targets()} == {source["uid"]}


def test_kubernetes_runs_every_role_by_a_command_that_exists(commands: set[str]) -> None:
    """Given the workloads, when their arguments are read, then each is one role that the command line has."""
    run = {workload["metadata"]["name"]: _container(workload)["args"] for workload in _workloads()}

    assert run == {role: [role] for role in ROLES}
    assert commands >= ROLES


def test_kubernetes_lists_every_manifest() -> None:
    """Given the folder, when it is applied, then nothing is left out but the example and what needs KEDA."""
    listed = set(_yaml(KUBERNETES / "kustomization.yaml")["resources"])
    present = {path.name for path in KUBERNETES.glob("*.yaml")}

    assert present - listed == {"kustomization.yaml", "secret.example.yaml", "autoscaling.yaml"}
    assert listed <= present


@pytest.mark.parametrize("role", sorted(ROLES))
def test_kubernetes_pods_have_no_rights_and_no_surprises(role: str) -> None:
    """Given a Service named spotclaim-metrics, when a pod starts, then no setting is its address."""
    [pod] = [_pod(workload) for workload in _workloads() if workload["metadata"]["name"] == role]
    [container] = pod["containers"]

    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"]["memory"]


def test_kubernetes_services_lead_to_pods() -> None:
    """Given a Service, when it picks pods and a port, then a Deployment has both."""
    for service in _manifests("Service"):
        wanted = service["spec"]["selector"]
        [found] = [it for it in _manifests("Deployment") if it["spec"]["template"]["metadata"]["labels"] == wanted]

        assert found["spec"]["selector"]["matchLabels"] == wanted
        names = {port["name"] for port in _container(found)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names


def test_kubernetes_keeps_secrets_out_of_the_configuration() -> None:
    """Given the ConfigMap and the example of the Secret, when they are read, then each holds its own kind."""
    [config], [secret] = _manifests("ConfigMap"), _manifests("Secret")

    assert set(secret["stringData"]) == {f"SPOTCLAIM_{name}" for name in SECRETS}
    assert not set(config["data"]) & set(secret["stringData"])
    assert all("REPLACE-ME" in value for value in secret["stringData"].values())


def test_scaling_follows_the_queues_that_exist() -> None:
    """Given KEDA's objects, when they look at a queue, then it is the one which the scaled role consumes."""
    queues = {
        scaled["spec"]["scaleTargetRef"]["name"]: trigger["metadata"]["queueName"]
        for scaled in _manifests("ScaledObject")
        for trigger in scaled["spec"]["triggers"]
    }

    assert queues == {"ingest": topology.QUEUES["fault.#"], "worker": INTAKE_QUEUE}


def test_scaled_deployments_state_no_number_of_their_own() -> None:
    """Given a Deployment that KEDA scales, when it is applied again, then it does not undo the scaling."""
    scaled = {it["spec"]["scaleTargetRef"]["name"] for it in _manifests("ScaledObject")}

    fixed = {it["metadata"]["name"] for it in _manifests("Deployment") if "replicas" in it["spec"]}

    assert not scaled & fixed


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """The names of all series that a process of Spotclaim exports."""
    registry = CollectorRegistry()
    Metrics(registry)
    registry.register(DatabaseCollector(dict))
    return {family.name + ending for family in registry.collect() for ending in SERIES[family.type]}


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """The names of all commands of `spotclaim`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Apprise imports what Python is about to give up
        from workers.cli import app
    return set(get_command(app).commands)


def _run(name: str, package: str, *arguments: str | Path) -> None:
    """Run a program to its end; a missing one fails with the name of its package."""
    variables = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/")}
    command = [program(name, package), *map(str, arguments)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def _compose() -> dict[str, Any]:
    return _yaml(COMPOSE)


def _is_ours(image: str) -> bool:
    return image.partition(":")[0] == "spotclaim"


def _rules() -> list[dict[str, Any]]:
    return [rule for group in _yaml(RULES)["groups"] for rule in group["rules"]]


def _targets() -> Iterator[dict[str, Any]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            yield from panel["targets"]


def _dashboard_expressions() -> list[str]:
    return [target["expr"] for target in _targets()]


def _manifests(*kinds: str) -> list[dict[str, Any]]:
    documents = [it for path in sorted(KUBERNETES.glob("*.yaml")) for it in yaml.safe_load_all(path.read_text())]
    return [document for document in documents if document["kind"] in kinds]


def _workloads() -> list[dict[str, Any]]:
    return _manifests("Job", "Deployment")


def _pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def _container(workload: dict[str, Any]) -> dict[str, Any]:
    [container] = _pod(workload)["containers"]
    return container
