"""Prometheus scrapes a running PAO, evaluates the rules, answers every question of a dashboard."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.tests.chart.rendering import CHART
from deploy.tests.running import Running, running_pao
from pao.app.local.ports import free_ports

FILES = CHART / "files"
RULES = yaml.safe_load((FILES / "pao.rules.yml").read_text(encoding="utf-8"))
# What a PAO that works well has no values of, and why.
EMPTY_WHERE_ALL_IS_WELL = (
    "pao_connections_refused_total",  # no connection was refused
    "pao_unmeasured_total",  # every part answered
    "max by (target) (pao_circuit_breaker_open)",  # no target has failed lately
    'max by (item) (pao_requests{status="failed"})',  # no request is failed
    "temporal_workflow_task_execution_failed",  # no workflow task failed
    "pao_secret_age_seconds",  # no secret comes from a store
    "pao_catalog_source_calls",  # the catalog is a folder
)
PATIENCE_SECONDS = 180.0


def dashboards() -> Iterator[str]:
    for file in sorted((FILES / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield target["expr"]


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=30)

    def ask(self, expression: str) -> list[Any]:
        """Return the answer to an expression now."""
        answer = self._client.get("/query", params={"query": expression})
        assert answer.is_success, f"{expression}: {answer.text}"
        return list(answer.json()["data"]["result"])

    def answers(self) -> bool:
        """Whether it is ready to be asked."""
        try:
            return bool(self._client.get("/query", params={"query": "up"}).is_success)
        except httpx.TransportError:
            return False

    def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its state."""
        groups = self._client.get("/rules").raise_for_status().json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def metrics_port() -> int:
    [port] = free_ports(1)
    return port


@pytest.fixture(scope="module")
def running(metrics_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("home")
    with running_pao(home, WORKER_METRICS_PORT=str(metrics_port)) as made:
        yield made


@pytest.fixture(scope="module")
def used(running: Running) -> Running:
    """A PAO with a completed request, one that failed and was retried, and callers of all kinds."""
    fields = ("--field", "hostName=orders.example.com", "--field", "address=10.0.0.7")
    submit = ("request", "submit", "network-dns-record", *fields)
    assert running.pao(*submit).returncode == 0
    faults = f"{running.admin['JIRA_SANDBOX_URL']}/sandbox/faults"
    fault = {"kind": "status", "status": 400, "message": "No"}
    httpx.post(faults, json=fault, trust_env=False).raise_for_status()
    running.pao(*submit)
    failed = running.pao("request", "list", "--status", "failed", "-o", "id").stdout.split()
    assert len(failed) == 1
    assert running.pao("request", "retry", *failed, "--reason", "again").returncode == 0
    with httpx.Client(base_url=running.admin["PAO_URL"], trust_env=False) as client:
        # No webhook is set up, and no such link was made: both are counted.
        assert client.post("/api/v1/webhooks/github", json={}).status_code == 404
        form = {"code": "x" * 43, "confirmed": "yes"}
        client.post("/signin", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    return running


@pytest.fixture(scope="module")
def prometheus(
    used: Running, metrics_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    jobs = [
        {
            "job_name": "pao-api",
            "metrics_path": "/api/v1/metrics",
            "static_configs": [{"targets": [used.api]}],
        },
        {
            "job_name": "pao-worker",
            "static_configs": [{"targets": [f"127.0.0.1:{metrics_port}"]}],
        },
    ]
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    rules = [str(FILES / "pao.rules.yml")]
    configuration = {"global": often, "rule_files": rules, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    with serving(folder) as url:
        asked = Prometheus(url)
        wait_until(asked.answers)
        yield asked
        asked.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    [port] = free_ports(1)
    command = [
        "/usr/bin/prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 -- our own arguments
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def wait_until(condition: Any) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "Prometheus did not come to it"
        time.sleep(0.5)


def test_both_processes_are_scraped(prometheus: Prometheus) -> None:
    wait_until(lambda: len(prometheus.ask('up{job=~"pao-.*"} == 1')) == 2)


@pytest.mark.parametrize("expression", sorted(set(dashboards())))
def test_a_panel_shows_something(prometheus: Prometheus, expression: str) -> None:
    if any(part in expression for part in EMPTY_WHERE_ALL_IS_WELL):
        prometheus.ask(expression)
    else:
        wait_until(lambda: prometheus.ask(expression))


def test_rules_are_evaluated_and_no_alert_is_raised_by_a_pao_that_works(
    prometheus: Prometheus,
) -> None:
    wanted = sum(len(group["rules"]) for group in RULES["groups"])
    wait_until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()))

    found = prometheus.rules()
    assert len(found) == wanted
    assert [rule["name"] for rule in found if rule.get("state") == "firing"] == []
