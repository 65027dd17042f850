"""helm/pao fits the code: settings, commands, paths, ports. How it renders: make chart-test."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pao.app.generate import SET_BY_THE_CHART
from pao.settings.loading import secret_names
from tests.docs.test_pages_name_what_exists import routes, settings
from tests.support.pages import ROOT, rows

CHART = ROOT / "helm/pao"
TEMPLATES = {
    file.name: file.read_text(encoding="utf-8")
    for file in CHART.rglob("templates/**/*")
    if file.is_file()
}
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
TRIED = sorted((ROOT / "deploy/tests/chart/values").glob("*.yaml"))
# A setting by its second name too.
KNOWN = {*settings(), *(f"{name}_{how}" for name in secret_names() for how in ("FILE", "PATH"))}
KNOWN |= {"AWS_REGION", "AWS_ACCOUNT_ID"}
# Values that people fill in as a whole.
WHOLE = {"settings", "resources", "dashboardLabels"}


def read(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def whole(given: dict[str, Any], defaults: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return values with the chart's defaults, as helm checks them; what is None goes."""
    found = read(CHART / "values.yaml") if defaults is None else dict(defaults)
    for name, value in given.items():
        known = found.get(name)
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict) and isinstance(known, dict):
            found[name] = whole(value, known)
        else:
            found[name] = value
    return found


def told(given: dict[str, Any]) -> list[str]:
    """Return what is wrong with values."""
    return [one.message for one in jsonschema.Draft7Validator(SCHEMA).iter_errors(whole(given))]


def test_chart_and_package_have_one_version() -> None:
    chart = read(CHART / "Chart.yaml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert chart["version"] == chart["appVersion"] == project["version"]


@pytest.mark.parametrize("file", [CHART / "values.yaml", *TRIED], ids=lambda file: file.stem)
def test_values_fit_their_schema_and_name_settings(file: Path) -> None:
    values = read(file)
    assert told(values) == []

    for place in (values, *(values.get(one, {}) for one in ("api", "worker", "migrate"))):
        assert set(place.get("settings", {})) <= KNOWN
        assert set(place.get("secrets", {}).get("names", ())) <= set(secret_names())


def test_every_value_is_in_the_schema_and_has_a_default() -> None:
    def compare(schema: dict[str, Any], values: dict[str, Any], path: str) -> None:
        if schema.get("additionalProperties") is not False:
            return
        assert set(schema["properties"]) - {"global"} == set(values), path
        for name, value in values.items():
            if isinstance(value, dict):
                compare(schema["properties"][name], value, f"{path}.{name}")

    jsonschema.Draft7Validator.check_schema(SCHEMA)
    compare(SCHEMA, read(CHART / "values.yaml"), "values")


def values(given: dict[str, Any], place: str = "") -> Iterator[str]:
    """Yield the path of every value."""
    for name, value in given.items():
        if isinstance(value, dict) and value and name not in WHOLE:
            yield from values(value, f"{place}{name}.")
        else:
            yield f"{place}{name}"


def test_the_page_of_the_chart_lists_every_value_and_no_other() -> None:
    known = values(read(CHART / "values.yaml"))
    cells = [row.cells[0] for row in rows(CHART / "README.md")]
    listed = [name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)]

    assert sorted(listed) == sorted(known)


@pytest.mark.parametrize("place", ["settings", "api", "worker", "migrate"])
def test_a_secret_is_refused_where_settings_are_shown_in_the_open(place: str) -> None:
    for name in secret_names():
        given = {name: "secret"}
        [said] = told({place: given if place == "settings" else {"settings": given}})
        assert "in the Secret of secrets.existingSecret" in said


def test_what_probes_services_and_jobs_take_for_granted_cannot_be_set() -> None:
    assert set(SET_BY_THE_CHART) <= KNOWN
    for name in SET_BY_THE_CHART:
        [said] = told({"settings": {name: "9000"}})
        assert "the chart decides" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"settings": None}, "'settings' is a required property"),
        ({"api": {"autoscaling": None}}, "'autoscaling' is a required property"),
        ({"networkPolicy": {"from": ["10.0.0.7"]}}, "'10.0.0.7' does not match"),
    ],
)
def test_what_would_break_while_it_renders_is_refused_before(
    given: dict[str, Any], said: str
) -> None:
    [found] = told(given)
    assert found.startswith(said)


def test_what_the_chart_decides_are_settings() -> None:
    decided = set(re.findall(r'"([A-Z]+_[A-Z_]+)"', TEMPLATES["_helpers.tpl"]))

    assert decided
    assert decided <= KNOWN | {"PAO_URL"}


def test_probes_and_scrapes_ask_paths_that_exist() -> None:
    text = "\n".join(TEMPLATES.values())
    known = {route.removeprefix("GET ") for route in routes() if route.startswith("GET ")}
    asked = {
        path.partition("?")[0].removeprefix("/api/v1")
        for path in re.findall(r"/api/v1/[\w/]+(?:\?\w+=\w+)?", text)
    }

    assert asked == {"/health/live", "/health/ready", "/metrics"}
    assert asked <= known


def test_ports_and_user_are_those_of_the_image() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for port in re.findall(
        r"containerPort: (\d+)", TEMPLATES["api.yaml"] + TEMPLATES["worker.yaml"]
    ):
        assert port in re.findall(r"^EXPOSE (.+)$", image, re.MULTILINE)[0].split()
    assert "runAsUser: 10001" in TEMPLATES["_helpers.tpl"]


def test_files_of_dashboards_are_ones_that_grafana_imports() -> None:
    uids = set()
    for file in (CHART / "files/dashboards").glob("*.json"):
        dashboard = json.loads(file.read_text(encoding="utf-8"))
        uids.add(dashboard["uid"])
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            assert panel["type"] == "row" or panel["targets"]
            for target in panel.get("targets", ()):
                assert target["datasource"]["uid"] == "${datasource}"
    assert uids == {"pao-service", "pao-requests"}
