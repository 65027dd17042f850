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
    """Return the names of all modules that a fresh interpreter has after importing this one."""
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
    assert not {name.partition(".")[0] for name in names} & FORBIDDEN
    foreign = {name.partition(".")[0] for name in names - ours} - set(sys.stdlib_module_names)
    assert foreign <= {"temporalio", "google", "nexusrpc"}, foreign


def test_the_registry_of_actions_loads_no_client_library() -> None:
    names = {name.partition(".")[0] for name in loaded("activities.registry")}
    assert not names & {"atlassian", "boto3", "botocore", "httpx", "requests", "temporalio"}
