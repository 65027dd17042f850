"""Alert rules and dashboards are about metrics that a running PAO has, with labels that it gives.

That their expressions can be evaluated is checked by Prometheus itself: make chart-test.
"""

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from activities.metrics import WorkerMetrics
from pao.app.local.postgres import PostgresAddress
from tests.docs.test_pages_name_what_exists import routes
from tests.support.pages import ROOT
from tests.support.postgres import cloned_database
from tests.support.stack import running_stack

FILES = ROOT / "helm/pao/files"
RULES = yaml.safe_load((FILES / "pao.rules.yml").read_text(encoding="utf-8"))
METRIC = re.compile(r"\b(?:pao|temporal|process)_[a-z_]+\b")


def shown() -> Iterator[str]:
    """Yield every expression of the dashboards."""
    for file in sorted((FILES / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield target["expr"]


def expressions() -> Iterator[str]:
    """Yield every expression of rules and dashboards."""
    for group in RULES["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    yield from shown()


def metrics_of(expressions: Iterable[str]) -> set[str]:
    named = {name for one in expressions for name in METRIC.findall(one)}
    return {re.sub(r"_(count|bucket|sum)$", "", name) for name in named}


@pytest.fixture(scope="module")
def scraped(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> set[str]:
    """The names of a scrape of the API, and of what a worker registers."""
    folder = tmp_path_factory.mktemp("scraped")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder) as stack,
    ):
        text = stack.anybody().get("/metrics").text
    families = [*text_string_to_metric_families(text), *WorkerMetrics().registry.collect()]
    return {one.name + ("_total" if one.type == "counter" else "") for one in families}


def test_every_metric_exists(scraped: set[str]) -> None:
    ours = {name for name in metrics_of(expressions()) if not name.startswith("temporal_")}

    assert len(ours) > 20
    assert ours - scraped == set()


def test_every_metric_of_ours_is_on_a_dashboard(scraped: set[str]) -> None:
    ours = {name for name in scraped if name.startswith("pao_")}

    assert ours - metrics_of(shown()) == set()


def test_every_metric_of_temporal_s_sdk_is_one_that_it_has() -> None:
    # Many appear only when something has happened; their names are in the library.
    files = [file for file in distribution("temporalio").files or () if "bridge" in str(file)]
    library = next(
        Path(str(file.locate())).read_bytes() for file in files if file.suffix in {".so", ".pyd"}
    )
    of_sdk = {name for name in metrics_of(expressions()) if name.startswith("temporal_")}

    assert of_sdk
    for name in of_sdk:
        assert name.removeprefix("temporal_").encode() in library


def test_every_route_is_one_that_calls_are_counted_by() -> None:
    known = {call.partition(" ")[2] for call in routes()}
    named = {one for text in expressions() for one in re.findall(r'route="([^"]+)"', text)}

    assert named
    assert named <= known


def test_every_alert_says_how_urgent_it_is_and_what_it_is_about() -> None:
    alerts = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
    names = [alert["alert"] for alert in alerts]

    assert len(set(names)) == len(names)
    for alert in alerts:
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["summary"]
        assert alert["alert"].startswith("Pao")


def test_every_alert_has_a_section_that_says_what_to_do() -> None:
    alerts = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
    page = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (\w+)\n\n\*\*(\w+)\.\*\*", page, re.MULTILINE)

    assert sorted(sections) == sorted((one["alert"], one["labels"]["severity"]) for one in alerts)
    for alert in alerts:
        assert alert["annotations"]["runbook"] == f"docs/alerts.md#{alert['alert'].lower()}"
