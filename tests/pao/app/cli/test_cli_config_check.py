"""`pao config check` asks JIRA whether it would take an escalation, before anybody needs one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pao.app.cli.main import app
from pao.runtime.crypto import generate_key
from sandbox.jira.settings import JiraSandboxSettings, Screen
from tests.support.jira import JiraSandbox, jira_sandbox

STRICT = Screen(types=("Task",), without=frozenset({"priority"}), required=("customfield_10202",))


@pytest.fixture
def jira(tmp_path: Path) -> Iterator[JiraSandbox]:
    with jira_sandbox(
        tmp_path / "jira", settings=JiraSandboxSettings(screens={"OPS": STRICT})
    ) as sandbox:
        yield sandbox


def check(jira_url: str, *options: str, **environ: str) -> Result:
    usual = {
        "DATABASE_URL": "postgresql://pao:x@127.0.0.1/pao",
        "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
        "JIRA_BASE_URL": jira_url,
        "JIRA_USERNAME": "pao",
        "JIRA_API_TOKEN": "sandbox-token",
        "JIRA_FLAVOUR": "datacenter",
        "JIRA_DEFAULT_PROJECT": "PLATFORM",
        "CATALOG_PATH": "catalog",
        "NO_COLOR": "1",
        "COLUMNS": "300",
    }
    arguments = ["config", "check", "--for", "worker", *options]
    return CliRunner().invoke(app, arguments, env={**usual, **environ})


def test_escalations_that_fit_are_good(jira: JiraSandbox) -> None:
    result = check(jira.url, "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["escalation"] == "good"


def test_what_jira_would_refuse_is_told_by_the_setting(jira: JiraSandbox) -> None:
    result = check(jira.url, ESCALATION_PROJECT="OPS")
    assert result.exit_code == 2
    assert "ESCALATION_ISSUE_TYPE: OPS has no type 'Incident'; it has: Task" in result.stderr

    result = check(jira.url, ESCALATION_PROJECT="OPS", ESCALATION_ISSUE_TYPE="Task")
    assert "ESCALATION_PRIORITY: " in result.stderr
    assert "ESCALATION_FIELDS: Task in OPS needs customfield_10202 (Environment)" in result.stderr

    good = check(
        jira.url,
        ESCALATION_PROJECT="OPS",
        ESCALATION_ISSUE_TYPE="Task",
        ESCALATION_PRIORITY="none",
        ESCALATION_FIELDS='{"customfield_10202": {"value": "Production"}}',
    )
    assert good.exit_code == 0, good.stderr


def test_a_jira_that_does_not_answer_is_no_mistake_of_the_configuration() -> None:
    result = check("http://127.0.0.1:9")
    assert result.exit_code == 0
    assert "Escalations were not checked" in result.stderr


def test_who_wants_nobody_asked_says_so() -> None:
    result = check("http://127.0.0.1:9", "--offline")
    assert result.exit_code == 0
    assert result.stderr == ""


@pytest.mark.parametrize("fields", ["[1]", "{", '{"labels": ["x"]}', "x"])
def test_fields_that_make_no_sense_are_refused(fields: str) -> None:
    result = check("http://127.0.0.1:9", "--offline", ESCALATION_FIELDS=fields)
    assert result.exit_code == 2
    assert "ESCALATION_FIELDS" in result.stderr


def test_the_scripts_of_the_pages_are_looked_for(jira: JiraSandbox) -> None:
    result = check(jira.url, "--for", "api", "--offline", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["missingScripts"] == []
