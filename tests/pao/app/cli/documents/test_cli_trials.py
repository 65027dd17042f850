"""`pao catalog render, test` and `pao actions check`: what is made up, and what is never hidden."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from activities.registry import load_all
from pao.app.cli.main import app
from pao.extension.contract import check_contract
from tests.catalog.validation.example_items import item
from tests.pao.app.cli.documents.folder import Run, change

CALL = {
    "id": "create",
    "type": "rest-api",
    "outputs": ["host"],
    "config": {
        "endpoint": {"url": "{{environment.DNS_URL}}/records", "method": "POST"},
        "headers": {"X-Stage": "{{environment.STAGE}}"},
        "response": {
            "extract": {
                "host": "$.host",
                "size": {"path": "$.size", "type": "integer"},
                "open": {"path": "$.open", "type": "boolean"},
                "tags": {"path": "$.tags", "type": "array"},
            }
        },
    },
}
TICKET = {
    "id": "ticket",
    "type": "jira-ticket",
    "config": {
        "ticket": {
            "project": "DB",
            "summaryTemplate": "{{ outputs.create.size + 1 }} {{fulfillment.host}}"
            " {{#if outputs.create.open}}open{{/if}} {{len(outputs.create.tags)}}",
        }
    },
}


@pytest.fixture
def document(here: Path) -> Path:
    """An automatic item whose ticket reads what a call before it gives."""
    fulfillment = {
        "strategy": {"mode": "automatic"},
        "automatic": {"actions": [CALL, TICKET]},
        "manual": {"actions": [{**TICKET, "config": {"ticket": {"summaryTemplate": "x"}}}]},
    }
    file = here / "databases/database-postgresql-standard.yaml"
    file.parent.mkdir()
    file.write_text(item(yaml.safe_dump({"fulfillment": fulfillment})))
    return file


def actions(pao: Run, *arguments: str) -> dict[str, dict[str, object]]:
    result = pao("render", *arguments, "-o", "json")
    return {one["id"]: one for one in json.loads(result.stdout)["actions"]}


def test_what_a_call_promises_is_made_up_with_its_type(pao: Run, document: Path) -> None:
    found = actions(pao, str(document), "-f", "name=orders")

    assert "error" not in found["ticket"], found["ticket"]
    assert "2 <create.host> open 0" in json.dumps(found["ticket"])


def test_variables_of_the_environment_are_made_up_or_given(pao: Run, document: Path) -> None:
    made = json.dumps(actions(pao, str(document), "-f", "name=a")["create"])
    given = json.dumps(actions(pao, str(document), "-f", "name=a", "--env", "STAGE=test")["create"])

    assert "https://example.com/records" in made
    assert "<STAGE>" in made
    assert '"X-Stage": "test"' in given
    assert pao("render", str(document), "--env", "STAGE").exit_code == 2


def test_a_case_gives_variables_of_the_environment(pao: Run, document: Path) -> None:
    case = document.with_suffix(".tests") / "plain.yaml"
    case.parent.mkdir()
    case.write_text("fields: {name: orders}\nenvironment: {STAGE: production}\n")

    assert pao("test", str(document), "--update").exit_code == 0

    assert "X-Stage: production" in case.read_text()
    assert pao("test", str(document)).exit_code == 0


def test_an_error_is_never_written_as_the_expectation_unless_it_is_asked_for(
    pao: Run, document: Path
) -> None:
    change(document, "fulfillment.host}}", "fulfillment.host + 1}}")
    case = document.with_suffix(".tests") / "plain.yaml"
    case.parent.mkdir()
    case.write_text("fields: {name: orders}\n")

    refused = pao("test", str(document), "--update")

    assert refused.exit_code == 1
    assert "was not written" in refused.stderr
    assert "expect" not in case.read_text()

    accepted = pao("test", str(document), "--update", "--with-errors")

    assert accepted.exit_code == 0
    assert "is now the expectation" in accepted.stderr
    assert "error:" in case.read_text()


@pytest.mark.parametrize("name", sorted(load_all()))
def test_every_type_keeps_the_contract(name: str) -> None:
    assert [one for one in check_contract(load_all()[name]) if not one.holds] == []


def test_a_type_is_checked_by_its_name() -> None:
    result = CliRunner().invoke(app, ["actions", "check", "rest-api"], env={"NO_COLOR": "1"})

    assert result.exit_code == 0, result.output
    assert "✓ It has examples" in result.stdout
    assert CliRunner().invoke(app, ["actions", "check", "nothing"]).exit_code == 2


BROKEN = """
from pydantic import BaseModel, ConfigDict
from pao.extension import Action, ActionConfig, ActionResult

class Config(ActionConfig):
    model_config = ConfigDict(extra="ignore")
    name: str
    token: str = ""

class Outputs(BaseModel):
    id: str

class Broken(Action[Config]):
    type = "broken-type"
    summary = "Does something."
    resource_type = "thing"
    config = Config
    outputs = Outputs
    examples = ({"name": "{{ a && b }}", "token": "abc"}, {"name": 5, "token": ["a"]})
    breaker_keys = ("nme",)

    async def look(self, config, context):
        return None

    async def execute(self, config, context):
        return ActionResult()

    def cleanup(self, config, result):
        return ""

ACTION = Broken()
"""


def check_extension(here: Path, entry: str) -> tuple[int, str]:
    """Check a package's type in a program of its own; return its exit code and the problems."""
    info = here / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[pao.actions]\n{entry} = broken_type:ACTION\n")
    (here / "broken_type.py").write_text(BROKEN)
    program = [sys.executable, "-c", "from pao.app.cli.main import main; main()"]
    done = subprocess.run(  # noqa: S603 -- our own program
        [*program, "actions", "check", "broken-type", "-o", "json"],
        env={**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    checks = json.loads(done.stdout)["checks"]
    return done.returncode, " | ".join(text for one in checks for text in one["problems"])


def test_an_extension_that_breaks_its_promises_is_told_each(here: Path) -> None:
    code, told = check_extension(here, "broken-type")

    assert code == 1
    for part in (
        "extra='forbid'",
        "&& is not an operator",
        "nme: there is no nme",
        "example 1, token: write {{secrets.<name>}}",
        "example 2, $.name: name must be a text, not 5",
        "example 2, $.token: token must be a text",
    ):
        assert part in told, told
    for foreign in ("pydantic", "Input should", "validation error"):
        assert foreign not in told


def test_why_an_extension_cannot_be_loaded_is_told(here: Path) -> None:
    code, told = check_extension(here, "another-name")

    assert code == 1
    assert "the entry point is named another-name" in told
