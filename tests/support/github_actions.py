"""Shared helpers for tests of the actions for GitHub."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from activities.base import ActionContext
from activities.options import ActionOptions
from activities.outgoing import ActionHttpClient, NetworkAccess
from pao.clients.jira import Deadline
from pao.clients.jira.instances import JiraInstances
from pao.clients.outgoing import ConnectionOptions, EgressRules, HttpClient
from pao.core.names import mark
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.core.timestamps import timestamp
from pao.runtime.masking import SecretMasks
from sandbox.github.rest_contents import CODELOAD
from sandbox.github.settings import Flavour, GitHubSandboxSettings
from tests.support.github import GitHubSandbox
from tests.support.github_openapi import problems


def action_context(
    options: ActionOptions, *, request_id: str = "", seconds: float = 8.0, **more: Any
) -> ActionContext:
    """Return the context of an execution on behalf of a new request."""
    named = request_id or str(uuid4())
    deadline = Deadline.after(seconds)
    values: dict[str, Any] = {
        "request": RequestContext(
            request_id=named,
            correlation_id=str(uuid4()),
            submitted_at=timestamp(datetime.now(UTC)),
            item=ItemSnapshot(id="tenant", version="1.0.0", name="Tenant"),
            requester=Requester(id="dana"),
        ),
        "attempt": 1,
        "mark": mark(named, "act"),
        "jira": JiraInstances([]),
        "deadline": deadline,
        "http": outgoing(deadline),
        "secrets": SecretMasks(),
        "options": options,
    }
    return ActionContext(**(values | more))


_NETWORKS: list[NetworkAccess] = []


def outgoing(deadline: Deadline) -> ActionHttpClient:
    """Return an egress to loopback only; all of a test share their connections."""
    if not _NETWORKS:
        rules = EgressRules.parse(["127.0.0.1"])
        _NETWORKS.append(NetworkAccess(client=HttpClient(ConnectionOptions(rules=rules))))
    return ActionHttpClient(_NETWORKS[0], deadline)


async def close_network() -> None:
    """Close what the test has opened, in the event loop that it was opened in."""
    while _NETWORKS:
        await _NETWORKS.pop().client.close()


def next_attempt(context: ActionContext, *, seconds: float = 8.0) -> ActionContext:
    """Return the context of the next attempt of the same action."""
    deadline = Deadline.after(seconds)
    return dataclasses.replace(
        context,
        attempt=context.attempt + 1,
        deadline=deadline,
        http=outgoing(deadline),
    )


def assert_fits_published_api(github: GitHubSandbox) -> None:
    """Check every call and its answer against GitHub's published API."""
    flavour = github.settings.flavour
    found = [
        problem
        for call in github.calls()
        if not call["path"].startswith(CODELOAD)
        for problem in problems(call, flavour.value, flavour.prefix)
    ]
    assert not found, found


@contextmanager
def clean_github(github: GitHubSandbox) -> Iterator[None]:
    """Reset a shared stand-in; the calls of this test must fit GitHub's API."""
    github.reset()
    yield
    assert_fits_published_api(github)


@contextmanager
def github_sandbox(folder: Path, **settings: Any) -> Iterator[GitHubSandbox]:
    """Run a stand-in for as long as the block runs."""
    with GitHubSandbox(folder, settings=GitHubSandboxSettings(**settings)) as sandbox:
        yield sandbox


SERVER = Flavour.SERVER
