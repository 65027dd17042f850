"""What a long-running process does without: nine tenths of its memory is what it imports."""

import json
import subprocess
import sys

import pytest

# Read by nothing of PAO, and 5 to 10 MB of a process each.
UNUSED = {"atlassian.confluence", "bs4", "pygments", "opentelemetry.exporter"}


def loaded(program: str) -> set[str]:
    """Return the modules of a process that has executed the program."""
    ends = "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program + ends], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("process", ["api.app", "pao.app.worker.process"])
def test_a_process_imports_nothing_large_that_it_does_not_use(process: str) -> None:
    assert not loaded(f"import {process}") & UNUSED


def test_a_process_that_keeps_spans_can_send_them() -> None:
    install = "install(endpoint='http://127.0.0.1:1', sample_rate=1.0, service='x')"
    assert "opentelemetry.exporter" in loaded(f"from pao.runtime.tracing import *; {install}")


def test_an_extension_can_import_all_of_atlassians_clients() -> None:
    modules = loaded(
        "from pao.clients.jira import library\n"
        "import atlassian.errors\n"
        "assert atlassian.errors.ApiError and atlassian.jira.Jira\n"
        "from atlassian import Confluence, Jira\n"
        "assert Jira is atlassian.jira.Jira and library.Jira('http://127.0.0.1:1')"
    )
    assert "atlassian.confluence" in modules


def test_what_has_imported_atlassian_before_is_used() -> None:
    modules = loaded(
        "import sys, atlassian\n"
        "from pao.clients.jira import library\n"
        "assert library.Jira is atlassian.Jira and sys.modules['atlassian'] is atlassian"
    )
    assert "atlassian" in modules
