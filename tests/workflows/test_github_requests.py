"""Requests that GitHub fulfils: workers come and go, answers get lost, people lose patience."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pao.core.states import Decision
from tests.support.github import GitHubSandbox
from tests.support.github_actions import assert_fits_published_api, github_sandbox
from tests.support.postgres import Database
from tests.support.requests import Document, Request, new_request
from tests.support.worker import Workbench, eventually, workbench


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path, github: GitHubSandbox
) -> AsyncIterator[Workbench]:
    environ = {
        "GITHUB_API_URL": github.api_url,
        "GITHUB_FLAVOUR": "cloud",
        "GITHUB_TOKEN": github.settings.token,
        "PAO_EGRESS_ALLOW": "127.0.0.1",
    }
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


@pytest.fixture
def github(tmp_path: Path) -> Any:
    with github_sandbox(tmp_path / "github") as sandbox:
        yield sandbox
        assert_fits_published_api(sandbox)


def workflow_run() -> Document:
    config = {
        "repository": "platform/provisioning",
        "workflowFile": "provision.yml",
        "ref": "main",
        "inputs": {"namespace": "{{fields.title}}"},
    }
    return {"id": "run", "type": "github-workflow", "name": "The run", "config": config}


def commit() -> Document:
    config = {
        "repository": "platform/tenants",
        "branch": "main",
        "files": [{"path": "new.yaml", "contentTemplate": "name: {{json(fields.title)}}\n"}],
        "commitMessage": "Add {{fields.title}}",
        "createPullRequest": True,
    }
    return {"id": "commit", "type": "git-commit", "name": "The commit", "config": config}


async def waiting(bench: Workbench, request: Request) -> None:
    async def there() -> bool:
        return [row["status"] for row in await bench.actions(request)] == ["waiting"]

    await eventually(there)


async def test_a_run_is_waited_for_by_the_next_worker_and_started_once(
    bench: Workbench, github: GitHubSandbox
) -> None:
    request = await bench.submit(new_request(workflow_run()))
    await waiting(bench, request)
    await bench.stop_worker()
    [run] = github.runs()
    github.end(run["id"])
    await bench.start_worker()
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert action["outputs"]["conclusion"] == "success"
    assert len(github.runs()) == 1


async def test_a_cancelled_request_cancels_its_run(bench: Workbench, github: GitHubSandbox) -> None:
    request = await bench.submit(new_request(workflow_run()))
    await waiting(bench, request)
    await bench.handle(request).cancel()
    await bench.reached(request, "failed")
    assert [run["conclusion"] for run in github.runs()] == ["cancelled"]


async def test_a_worker_that_ends_in_the_middle_of_a_dispatch_leaves_a_run_to_adopt(
    bench: Workbench, github: GitHubSandbox
) -> None:
    github.fault("slow", path="dispatches", seconds=60)
    request = await bench.submit(new_request(workflow_run()))
    await eventually(github.runs)
    await bench.stop_worker()
    await bench.start_worker()
    row = await bench.reached(request, "failed")
    assert row["error_context"]["error"]["outcomeUnknown"]
    github.end(github.runs()[0]["id"])
    await bench.decide(request, Decision.RETRY)
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert action["adopted"]
    assert len(github.runs()) == 1


async def test_a_lost_pull_request_is_adopted_and_the_token_is_nowhere(
    bench: Workbench, github: GitHubSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    github.fault("cut-after", method="POST", path="/pulls$")
    request = await bench.submit(new_request(commit()))
    row = await bench.reached(request, "failed")
    left = row["error_context"]["partialResources"]
    assert [resource["type"] for resource in left] == ["git-commit"]
    await bench.decide(request, Decision.RETRY)
    await bench.reached(request, "completed")
    assert [pull["number"] for pull in github.pulls()] == [1]
    history = await bench.handle(request).fetch_history()
    told = f"{history.events} {await bench.row(request)} {caplog.text}"
    assert request.context.correlation_id in told
    assert github.settings.token not in told


async def test_every_failed_run_stays_listed_whatever_becomes_of_the_retries(
    bench: Workbench, github: GitHubSandbox
) -> None:
    request = await bench.submit(new_request(workflow_run()))
    started: list[str] = []
    for attempt in (1, 2):
        await waiting(bench, request)
        started.append(str(github.runs()[-1]["id"]))
        github.end(int(started[-1]), "failure")
        row = await bench.reached(request, "failed", attempt=attempt)
        assert named(row) == started
        if attempt == 1:
            await bench.decide(request, Decision.RETRY)
    github.fault("status", status=422, path="dispatches")
    await bench.decide(request, Decision.RETRY)
    row = await bench.reached(request, "failed", attempt=3)
    assert sorted(named(row)) == started
    assert all(one in str(row["error_context"]["cleanup"]) for one in started)
    github.clear_faults()
    await bench.decide(request, Decision.RETRY)
    await waiting(bench, request)
    github.end(int(github.runs()[-1]["id"]), "success")
    await bench.reached(request, "completed")
    [done] = await bench.actions(request)
    assert sorted(one["id"] for one in done["partial"]) == started


def named(row: Any) -> list[str]:
    """Return the ids of the partial resources of a request."""
    return [one["id"] for one in row["error_context"]["partialResources"]]
