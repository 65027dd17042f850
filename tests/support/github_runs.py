"""Configurations of workflow runs for tests, and how they are followed."""

from typing import Any

from activities.actions.github_workflow import ACTION
from activities.base import ActionContext
from activities.github.workflow_config import GitHubWorkflowConfig
from pao.core.payloads.actions import ActionResult
from tests.support.github import GitHubSandbox

PROVISIONING = "platform/provisioning"
UNMARKED = """\
name: Plain
on: {workflow_dispatch: {inputs: {size: {type: string}}}}
jobs: {build: {steps: []}}
"""


def config(**values: Any) -> GitHubWorkflowConfig:
    usual: dict[str, Any] = {
        "repository": PROVISIONING,
        "workflowFile": "provision.yml",
        "ref": "main",
        "inputs": {"namespace": "shop"},
    }
    return GitHubWorkflowConfig(**(usual | values))


def plain(**values: Any) -> GitHubWorkflowConfig:
    return config(workflowFile="plain.yml", inputs={}, **values)


def add_plain(github: GitHubSandbox) -> None:
    files = {".github/workflows/plain.yml": UNMARKED}
    github.tell("pushes", repository=PROVISIONING, files=files)


async def follow(
    given: GitHubWorkflowConfig, context: ActionContext, result: ActionResult
) -> ActionResult:
    assert result.pending is not None
    return await ACTION.follow(given, context, result.pending)
