"""What workflow code imports: the standard library, Temporal and the kernel."""

import json
import subprocess
import sys

import pytest

SHOW = "import json, sys; import {module}; print(json.dumps(sorted(sys.modules)))"
FORBIDDEN = {
    "activities",
    "api",
    "asyncpg",
    "catalog",
    "db",
    "fastapi",
    "httpx",
    "pydantic",
    "pydantic_settings",
    "requests",
    "sqlalchemy",
    "sqlmodel",
    "yaml",
}


def loaded(module: str) -> set[str]:
    """Return all modules that a fresh interpreter has after importing this one.

    A package stands among them itself: a name below one that does not is no import of it.
    """
    done = subprocess.run(  # noqa: S603 -- this interpreter, with a module's name
        [sys.executable, "-c", SHOW.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", ["workflows.request", "workflows.look", "workflows.sweep"])
def test_a_workflow_loads_the_standard_library_temporal_and_the_kernel_only(module: str) -> None:
    names = loaded(module) - loaded("temporalio.worker, temporalio.client")
    ours = {name for name in names if name.partition(".")[0] in {"pao", "workflows"}}
    assert {name for name in ours if name.startswith("pao.")} <= {
        "pao.core",
        *(name for name in ours if name.startswith("pao.core.")),
    }
    assert not names & FORBIDDEN
    foreign = {name for name in names - ours if "." not in name} - set(sys.stdlib_module_names)
    assert foreign <= {"temporalio", "google", "nexusrpc"}, foreign


def test_the_registry_of_actions_loads_no_client_library() -> None:
    libraries = {"atlassian", "boto3", "botocore", "httpx", "requests", "temporalio"}
    assert not loaded("activities.registry") & libraries
