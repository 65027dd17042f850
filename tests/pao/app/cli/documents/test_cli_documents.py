"""`pao catalog validate, init, preview, render, test`: documents without any server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import Result

from pao.app.cli.catalog_init import suggested_id
from tests.pao.app.cli.documents.folder import COUNT, DNS, Run, change, git
from tests.support.stack import SAMPLES

WORKFLOW = SAMPLES.parent / "github-workflows" / "catalog.yml"


def test_good_documents_are_valid(pao: Run, catalog: Path) -> None:
    result = pao("validate", str(catalog))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{COUNT} files: no findings" in result.stderr


def test_a_finding_is_told_with_its_place_as_compilers_do(pao: Run, catalog: Path) -> None:
    change(catalog / DNS, "version: 1.1.0", "version: one")
    result = pao("validate", "catalog", f"catalog/{DNS}")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"catalog/{DNS}:10:12: error: version 'one'")
    assert f"✗ {COUNT} files: 1 error" in result.stderr


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_findings_are_written_for_machines(pao: Run, catalog: Path, form: str) -> None:
    change(catalog / DNS, "version: 1.1.0", "version: one")
    result = pao("validate", "catalog", "--format", form)
    assert result.exit_code == 1
    if form == "github":
        assert result.stdout.startswith(f"::error file=catalog/{DNS},line=10,col=12,")
        return
    document = json.loads(result.stdout)
    place = document["findings"][0] if form == "json" else document["runs"][0]["results"][0]
    assert "one" in json.dumps(place)


def test_warnings_count_only_when_it_is_said(pao: Run, catalog: Path) -> None:
    other = catalog / "network/network-firewall-access.yaml"
    change(other, "id: network-firewall-access", "id: firewall")
    other.rename(catalog / "network/firewall.yaml")
    assert pao("validate", "catalog").exit_code == 0
    assert pao("validate", "catalog", "--strict").exit_code == 1


@pytest.mark.parametrize(
    "arguments", [["nowhere"], ["empty"], ["."], ["catalog", "--changed-since", "x"]]
)
def test_what_cannot_run_is_a_usage_error(
    pao: Run, here: Path, catalog: Path, arguments: list[str]
) -> None:
    (here / "empty").mkdir()
    if arguments == ["."]:
        shutil.rmtree(catalog)
    assert pao("validate", *arguments).exit_code == 2


def test_only_what_changed_since_a_revision_is_judged_with_what_broke(
    pao: Run, here: Path, catalog: Path
) -> None:
    change(catalog / "storage/storage-s3-bucket.yaml", "kind: CatalogItem", "kind: Nonsense")
    git(here, "init", "-q")
    git(here, "add", ".")
    git(here, "commit", "-qm", "first")
    assert pao("validate", "catalog", "--changed-since", "HEAD").exit_code == 0
    change(catalog / DNS, "- id: ttl", "- id: timeToLive")
    change(catalog / DNS, "fields.ttl", "fields.timeToLive")
    result = pao("validate", "catalog", "--changed-since", "HEAD", "--short")
    assert result.exit_code == 1
    assert {line.split(":")[0] for line in result.stdout.splitlines()} == {f"catalog/{DNS}"}
    assert "[breaking-change]" in result.stdout
    change(catalog / DNS, "version: 1.1.0", "version: 2.0.0")
    assert pao("validate", "catalog", "--changed-since", "HEAD").exit_code == 0


@pytest.mark.usefixtures("catalog")
def test_a_form_is_shown_as_people_will_see_it(pao: Run) -> None:
    shown = pao("preview", "network-dns-record").stdout
    assert "DNS Record  1.1.0" in shown
    assert "  Host name *\n  │ orders.example.com" in shown
    assert "Points to *   shown when recordType is CNAME" in shown
    assert "ttl: integer, 60 to 86400" in shown
    wizard = pao("preview", "catalog/databases/database-postgresql-standard.yaml").stdout
    assert "Step 1 of 3: Basic configuration" in wizard
    assert "[x] Standby in a second zone" in wizard


@pytest.mark.usefixtures("catalog")
def test_a_form_is_given_to_machines_as_the_api_gives_it(pao: Run) -> None:
    document = json.loads(pao("preview", "network-dns-record", "-o", "json").stdout)
    assert document["id"] == "network-dns-record"
    assert "hostName" in document["jsonSchema"]["properties"]


def test_a_form_is_shown_while_the_rest_is_still_wrong(pao: Run, catalog: Path) -> None:
    change(catalog / DNS, "type: jira-ticket", "type: carrier-pigeon")
    result = pao("preview", f"catalog/{DNS}")
    assert (result.exit_code, "Host name *" in result.stdout) == (0, True)
    assert "The document has 1 error" in result.stderr


@pytest.mark.usefixtures("catalog")
def test_an_item_that_is_not_there_is_not_found_with_a_suggestion(pao: Run) -> None:
    result = pao("preview", "network-dns-recrd")
    assert result.exit_code == 4
    assert "network-dns-record" in result.stderr


@pytest.mark.usefixtures("catalog")
def test_what_would_be_sent_is_shown(pao: Run, here: Path) -> None:
    (here / "fields.yaml").write_text("hostName: a.example.com\naddress: 10.0.0.1\n")
    result = pao("render", "network-dns-record", "--fields", "fields.yaml", "-f", "ttl=60")
    assert result.exit_code == 0
    assert "ticket.summaryTemplate: DNS A a.example.com" in result.stdout
    assert "|a.example.com|A|10.0.0.1|60|" in result.stdout


@pytest.mark.usefixtures("catalog")
def test_fields_that_are_refused_are_told_all_at_once(pao: Run) -> None:
    result = pao("render", "network-dns-record", "-f", "hostName=A", "-f", "ttl=1")
    assert result.exit_code == 1
    assert [line.split()[1] for line in result.stdout.splitlines()] == [
        "hostName",
        "address",
        "ttl",
    ]
    document = json.loads(pao("render", "network-dns-record", "-o", "json").stdout)
    assert (document["valid"], len(document["refused"])) == (False, 2)


def test_a_password_is_never_shown(pao: Run, here: Path) -> None:
    assert init(pao).exit_code == 0
    file = here / "tools/tool-test-standard.yaml"
    change(
        file,
        "- id: environment",
        "- {id: pin, name: Pin, type: password}\n          - id: environment",
    )
    change(file, "Requested by", "Pin {{ fields.pin | upper }}. Requested by")
    result = pao("render", str(file), "-f", "instanceName=orders", "-f", "pin=h0rse-battery")
    assert result.exit_code == 0, result.output
    assert "h0rse" not in result.output.casefold()
    assert "Pin ********" in result.stdout


def test_a_document_with_errors_is_not_rendered(pao: Run, catalog: Path) -> None:
    change(catalog / DNS, "{{fields.ttl}}", "{{fields.tl}}")
    result = pao("render", "network-dns-record")
    assert result.exit_code == 1
    assert "ttl" in result.stderr


def init(pao: Run, *more: str) -> Result:
    about = "A tool that exists for nothing but the tests of this very command line."
    given = {"name": "Test Tool", "category": "tools", "id": "tool-test-standard"}
    given |= {"description": about, "team": "team-tools", "project": "TOOL"}
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    return pao("init", *options, *more)


def test_a_new_item_is_valid_and_its_first_case_holds(pao: Run, here: Path) -> None:
    result = init(pao)
    assert result.exit_code == 0, result.output
    assert (here / "tools/tool-test-standard.yaml").is_file()
    assert pao("validate", ".", "--strict").exit_code == 0
    assert pao("test", ".").exit_code == 0
    assert init(pao).exit_code == 2


@pytest.mark.parametrize("mode", ["automatic", "hybrid"])
def test_a_new_item_may_be_fulfilled_by_a_call(pao: Run, here: Path, mode: str) -> None:
    result = init(pao, "--mode", mode, "--url", "https://api.example.com/tools")
    assert result.exit_code == 0, result.output

    document = yaml.safe_load((here / "tools/tool-test-standard.yaml").read_text())

    assert document["fulfillment"]["strategy"] == {"mode": mode}
    (call,) = document["fulfillment"]["automatic"]["actions"]
    assert call["config"]["endpoint"]["url"] == "https://api.example.com/tools"
    assert pao("validate", ".", "--strict").stdout == ""
    assert pao("test", ".").exit_code == 0


def test_a_new_bundle_asks_for_what_its_items_need(pao: Run, here: Path, catalog: Path) -> None:
    given = {"name": "Test Stack", "category": "bundles", "id": "bundle-test-standard"}
    given |= {"description": "A database and its record in one request, made for the tests only."}
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    parts = ["--component", "database-postgresql-standard", "--component", "network-dns-record"]

    result = pao("init", *options, *parts, "--team", "team-tools")

    assert result.exit_code == 0, result.output
    document = yaml.safe_load((catalog / "bundles/bundle-test-standard.yaml").read_text())
    assert [one["catalogItem"] for one in document["components"]] == parts[1::2]
    assert pao("validate", "catalog", "--strict").stdout == ""
    assert (here / "catalog/.schemas/catalog-bundle.json").is_file()
    assert pao("init", *options, "--component", "nothing").exit_code != 0


@pytest.mark.parametrize(
    "name", ['Say "hi" {fields}', "a: b # c", "- x", "Größe \\ é", "null", "yes", "'", "{a}"]
)
def test_a_new_item_is_valid_whatever_it_is_called(pao: Run, here: Path, name: str) -> None:
    result = init(pao, "--name", name, "--team", name, "--contact", name)
    assert result.exit_code == 0, result.output
    document = yaml.safe_load((here / "tools/tool-test-standard.yaml").read_text())
    assert document["metadata"]["name"] == name
    assert document["metadata"]["owner"] == {"team": name, "contact": name}


def test_without_a_terminal_everything_that_is_missing_is_named(pao: Run) -> None:
    result = pao("init", "--id", "Nonsense")
    assert result.exit_code == 2
    for name in ("--name", "--description", "--id"):
        assert name in result.stderr


def case(here: Path, name: str, document: dict[str, Any]) -> Path:
    file = here / f"catalog/network/network-dns-record.tests/{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


@pytest.mark.parametrize(
    ("category", "name", "expected"),
    [
        ("access", "VPN", "access-vpn-standard"),
        ("queues", "Kafka Topic", "queue-kafka-topic"),
        ("policies", "Backup", "policy-backup-standard"),
    ],
)
def test_the_suggested_id_begins_with_one_of_its_category(
    category: str, name: str, expected: str
) -> None:
    assert suggested_id(category, name) == expected


@pytest.mark.usefixtures("catalog")
def test_the_samples_cases_hold(pao: Run) -> None:
    result = pao("test", "catalog")
    assert result.exit_code == 0, result.output
    cases = len(list(SAMPLES.glob("*/*.tests/*.yaml")))
    assert f"{cases} cases, 0 failed" in result.stderr


@pytest.mark.usefixtures("catalog")
def test_a_case_that_comes_out_differently_shows_the_difference(pao: Run, here: Path) -> None:
    file = case(
        here,
        "other",
        {
            "fields": {"hostName": "a.example.com", "address": "10.0.0.1"},
            "expect": {"refused": [{"field": "hostName", "constraint": "pattern"}]},
        },
    )
    result = pao("test", str(file))
    assert result.exit_code == 1
    assert "    -refused:\n    -- field: hostName" in result.stdout
    assert "DNS A a.example.com" in result.stdout


@pytest.mark.usefixtures("catalog")
def test_update_writes_what_comes_out_and_keeps_the_rest(pao: Run, here: Path) -> None:
    file = case(here, "new", {"fields": {"hostName": "B", "address": "10.0.0.1"}})
    file.write_text(
        "# Why this matters.\n"
        + file.read_text()
        + "expect:\n  refused: []\nat: 2026-03-01T00:00:00Z\n"
    )
    assert pao("test", "catalog").exit_code == 1
    assert pao("test", "catalog", "--update").exit_code == 0
    text = file.read_text()
    assert text.startswith("# Why this matters.\n")
    assert text.endswith("at: 2026-03-01T00:00:00Z\n")
    assert yaml.safe_load(text)["expect"] == {
        "refused": [{"field": "hostName", "constraint": "pattern"}]
    }
    assert pao("test", "catalog").exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fields: [1]\n", ":1:1: $.fields: fields must be a mapping of keys to values"),
        ("field: {}\n", ":1:1: $.field: unknown key 'field'; did you mean 'fields'?"),
        ("expect: {actions: 5}\n", "$.expect.actions: expect.actions must be a list, not 5"),
        ("expect: {refused: [{field: a}]}\n", "refused[0].constraint is missing"),
        ("options: {a: [{}]}\n", "a[0] must be a text or a number or true or false"),
        ("environment: {A: 1}\nat: 5x\n", "environment.A must be a text, not 1"),
        ("fields: {\n", ":2:1:"),
        (
            "at: yesterday\n",
            "$.at: at must be a moment with its offset such as 2026-03-01T08:30:00Z",
        ),
        ("- a\n", "mapping"),
        ("", "empty"),
    ],
)
@pytest.mark.usefixtures("catalog")
def test_a_case_that_cannot_be_read_fails_with_its_place(
    pao: Run, here: Path, text: str, said: str
) -> None:
    file = case(here, "bad", {})
    file.write_text(text)
    result = pao("test", str(file), "--update")
    assert result.exit_code == 1
    assert said in result.stdout
    assert file.read_text() == text


def test_paths_without_cases_are_a_usage_error(pao: Run, here: Path) -> None:
    assert pao("test", str(here)).exit_code == 2


def test_the_example_workflow_runs_without_a_server(here: Path, catalog: Path) -> None:
    document = yaml.safe_load(WORKFLOW.read_text())
    steps = document["jobs"]["catalog"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("pao ")]
    assert len(commands) == 3
    git(here, "init", "-q")
    git(here, "add", ".")
    git(here, "commit", "-qm", "first")
    git(here, "branch", "origin/main")
    change(catalog / DNS, "version: 1.1.0", "version: 1.1.1")
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command in commands:
        done = subprocess.run(  # noqa: S602 -- the runner has a shell as well
            command,
            shell=True,
            cwd=here,
            env={"PATH": paths, "GITHUB_BASE_REF": "main", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((here / "catalog.sarif").read_text())["version"] == "2.1.0"
