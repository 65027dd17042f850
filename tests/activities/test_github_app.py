"""The GitHub client as an App, and what it never tells."""

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from activities.action_errors import ActionFailedError
from activities.github.access import as_action_errors, open_repository
from activities.options import ActionOptions
from pao.clients.github import AppAuth, GitHubClient
from pao.clients.github.auth import RepositoryTokens
from pao.clients.github.github_errors import GitHubRefusedError
from pao.core.failure_classes import NOT_READY
from tests.support.github import GitHubSandbox
from tests.support.github_actions import action_context, github_sandbox
from tests.support.github_keys import PRIVATE, PUBLIC, key_pair
from tests.support.worker import eventually

TENANTS, PROVISIONING = "platform/tenants", "platform/provisioning"


@pytest.fixture(scope="module")
def github_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path_factory.mktemp("app"), app_key=PUBLIC) as sandbox:
        yield sandbox


def app(**changes: Any) -> AppAuth:
    return dataclasses.replace(AppAuth("4711", SecretStr(PRIVATE)), **changes)


def client(github: GitHubSandbox, auth: AppAuth) -> GitHubClient:
    return open_repository(action_context(github.options(auth)), TENANTS, None).client


def tokens_fetched(github: GitHubSandbox) -> int:
    return sum(call["path"].endswith("/access_tokens") for call in github.calls())


async def test_an_apps_token_is_fetched_once_for_its_repository_and_used_again(
    github: GitHubSandbox,
) -> None:
    speaking = client(github, app())
    found = await asyncio.gather(*(speaking.default_branch() for _ in range(3)))
    assert found == ["main"] * 3
    [fetched] = [call for call in github.calls() if call["path"].endswith("/access_tokens")]
    assert fetched["body"] == {"repositories": ["tenants"]}
    assert sum(call["path"].endswith("/installation") for call in github.calls()) == 1


async def test_a_known_installation_is_not_looked_up(github: GitHubSandbox) -> None:
    number = github.settings.installation_id
    assert await client(github, app(installation_id=number)).default_branch() == "main"
    assert not [call for call in github.calls() if call["path"].endswith("/installation")]


async def test_an_app_that_was_installed_anew_is_found_and_one_that_is_not_is_told(
    github: GitHubSandbox,
) -> None:
    speaking = client(github, app())
    await speaking.default_branch()
    github.tell("tokens/expire")
    # What was installed before is no more.
    github.fault("status", status=404, path="/access_tokens$", message="Not Found")
    assert await speaking.default_branch() == "main"
    assert sum(call["path"].endswith("/installation") for call in github.calls()) == 2
    github.fault("status", status=404, path="/installation$", message="Not Found", times=None)
    with pytest.raises(ActionFailedError, match="App is not installed for"), as_action_errors():
        await client(github, app()).default_branch()


async def test_a_refused_token_is_renewed_once_and_the_call_made_again(
    github: GitHubSandbox,
) -> None:
    speaking = client(github, app())
    await speaking.default_branch()
    github.tell("tokens/expire")
    assert await speaking.default_branch() == "main"
    assert tokens_fetched(github) == 2
    github.fault("status", status=401, path=f"/repos/{TENANTS}$", times=None)
    with pytest.raises(ActionFailedError, match="credentials"), as_action_errors():
        await speaking.default_branch()
    assert tokens_fetched(github) == 3


async def test_a_token_that_ends_soon_is_replaced_before_it_is_used(tmp_path: Any) -> None:
    with github_sandbox(tmp_path, app_key=PUBLIC, token_seconds=200) as short:
        speaking = client(short, app())
        await speaking.default_branch()
        await speaking.default_branch()
        assert tokens_fetched(short) == 2


async def hanging_for_tenants(github: GitHubSandbox, options: ActionOptions) -> "asyncio.Task[str]":
    """Return a call that waits for its token, which GitHub does not give."""
    github.fault("slow", path="/access_tokens$", seconds=3600)
    tenants = open_repository(action_context(options, seconds=60), TENANTS, None).client
    waiting = asyncio.create_task(tenants.default_branch())
    await eventually(lambda: waiting.done() or tokens_fetched(github))
    assert not waiting.done(), waiting
    return waiting


async def test_a_token_that_does_not_come_holds_up_no_other_repository(
    github: GitHubSandbox,
) -> None:
    options = github.options(app())
    waiting = await hanging_for_tenants(github, options)
    provisioning = open_repository(action_context(options), PROVISIONING, None).client
    assert await provisioning.default_branch() == "main"
    waiting.cancel()


async def test_who_waits_for_anothers_token_fails_at_its_own_deadline(
    github: GitHubSandbox,
) -> None:
    options = github.options(app())
    waiting = await hanging_for_tenants(github, options)
    short = open_repository(action_context(options, seconds=1), TENANTS, None).client
    told = "no token for platform/tenants in time.*Nothing was sent"
    with pytest.raises(ActionFailedError, match=told) as caught, as_action_errors():
        await short.default_branch()
    assert caught.value.judged is NOT_READY
    assert tokens_fetched(github) == 1
    waiting.cancel()


async def test_an_answer_without_a_usable_token_is_refused() -> None:
    given: dict[str, Any] = {"token": "ghs_1", "expires_at": "2999-01-01T00:00:00Z"}

    async def answer(*_: Any) -> Any:
        return given

    tokens = RepositoryTokens(app(installation_id=7))
    odd: tuple[dict[str, Any], ...] = (
        *({"token": token} for token in (None, True, 7, "", "ghs\n1")),
        *({"expires_at": end} for end in (None, True, "soon", "2999-01-01T00:00:00")),
    )
    for change in odd:
        given = {"token": "ghs_1", "expires_at": "2999-01-01T00:00:00Z"} | change
        with pytest.raises(GitHubRefusedError, match="gave no token"):
            await tokens.token(TENANTS, answer)
    given["expires_at"] = "2999-01-01T00:00:00+02:00"
    assert await tokens.token(TENANTS, answer) == "ghs_1"


async def test_a_wrong_key_is_told_without_the_key(github: GitHubSandbox) -> None:
    other, _ = key_pair()
    for key, text in ((other, "HTTP 401"), ("nonsense", "not an RSA key")):
        wrong = app(private_key=SecretStr(key))
        with pytest.raises(ActionFailedError, match=text) as caught, as_action_errors():
            await client(github, wrong).default_branch()
        assert key not in f"{caught.value} {caught.value.__dict__} {caught.value.__cause__}"


async def test_a_key_from_one_line_is_taken(github: GitHubSandbox) -> None:
    one_line = app(private_key=SecretStr(PRIVATE.replace("\n", "\\n")))
    assert await client(github, one_line).default_branch() == "main"


async def test_every_token_is_told_to_who_masks(github: GitHubSandbox) -> None:
    context = action_context(github.options(app()))
    await open_repository(context, TENANTS, None).client.default_branch()
    met = list(context.secrets)
    assert any(secret.startswith("ghs_") for secret in met)
    assert any(secret.startswith("eyJ") for secret in met)
    assert PRIVATE not in repr(context.options)
