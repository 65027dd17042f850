"""The OpenAPI document passes the rules of the usual linters; where ours differ, they say why."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.node import node_packages
from tests.support.stack import Stack

# The linters are fetched once; `make test` does so before the tests begin.
pytestmark = pytest.mark.timeout(600)

LINT = Path(__file__).parent / "lint"


@pytest.fixture
def document(stack: Stack, tmp_path: Path) -> Path:
    written = tmp_path / "openapi.json"
    written.write_text(json.dumps(stack.anybody().get("/openapi.json").json(), indent=1))
    return written


def test_redocly_finds_nothing(document: Path) -> None:
    said = lint("@redocly/cli/bin/cli.js", "lint", document, "--config", LINT / "redocly.yaml")
    assert "Your API description is valid" in said
    assert re.search(r"\d+ (?:warning|error)", said) is None, said


def test_spectral_finds_nothing(document: Path) -> None:
    rules = LINT / "spectral.yaml"
    options = ("--fail-severity", "hint", "--ruleset", rules)
    said = lint("@stoplight/spectral-cli/dist/index.js", "lint", document, *options)
    assert "No results with a severity of 'hint' or higher found" in said


def lint(script: str, *arguments: object) -> str:
    packages = node_packages(LINT)
    done = subprocess.run(  # noqa: S603 -- linters, as locked
        [packages.node, str(packages.modules / script), *(str(one) for one in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
