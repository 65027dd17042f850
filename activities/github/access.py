"""GitHub calls of actions: made through the action's context, with errors as action errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from activities.action_errors import ActionError, ActionFailedError, OutcomeUnknownError
from activities.base import ActionContext
from catalog.templating import has_dot_segments
from pao.clients.github import (
    GitHubClient,
    GitHubError,
    GitHubInstance,
    GitHubOutcomeUnknownError,
    GitHubRequest,
    GitHubResponse,
)
from pao.core.failure_classes import NOT_SET
from pao.core.payloads.failures import PartialResource

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,98}/[A-Za-z0-9._-]{1,100}")
# The forbidden parts of git-check-ref-format, and what would leave the path of an address.
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-/.]|[/.]$|^@$")
_REF_LENGTH = 240
# Clocks differ; nothing that is older than the request has its mark anyway.
_SKEW = timedelta(minutes=10)


def _check_repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text) or text.endswith(("/.", "/..")):
        raise ValueError("write owner/name, such as platform/tenants")
    return text


def _check_ref(text: str) -> str:
    name = text.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if not name or len(name) > _REF_LENGTH or _BAD_REF.search(name) or has_dot_segments(f"/{name}"):
        raise ValueError("this is not a valid name of a branch or tag")
    return name


Repository = Annotated[
    str,
    AfterValidator(_check_repository),
    Field(description="Repository as owner/name", examples=["platform/tenants"]),
]
RefName = Annotated[str, AfterValidator(_check_ref)]


@dataclass(frozen=True, slots=True)
class GitHubAccess:
    """The server of an action's repository, and the client for it."""

    instance: GitHubInstance
    client: GitHubClient


def open_repository(context: ActionContext, repository: str, instance: str | None) -> GitHubAccess:
    """Return access to a repository on the named server or the default one."""
    try:
        server = context.options.github.instances.instance(instance)
    except LookupError as error:
        raise ActionFailedError(
            f"This action cannot be carried out: {error}.", judged=NOT_SET
        ) from error

    async def send(out: GitHubRequest) -> GitHubResponse:
        return await _send(context, server, out)

    client = GitHubClient(
        server,
        repository,
        send=send,
        learn=context.secrets.add,
        remaining=context.deadline.remaining,
    )
    return GitHubAccess(server, client)


def request_start(context: ActionContext) -> str:
    """Return the earliest time at which this request can have created anything."""
    return with_clock_skew(datetime.fromisoformat(context.request.submitted_at))


def with_clock_skew(moment: datetime) -> str:
    """Return the earliest time that GitHub's clock may show at a moment of ours."""
    return (moment - _SKEW).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def as_action_errors(*, hint: str = "") -> Iterator[None]:
    """Turn GitHub's errors into those of an action; ``hint`` is added if GitHub refused."""
    try:
        yield
    except GitHubError as error:
        raise to_action_error(error, hint) from error


@contextmanager
def adding_partial(*partial: PartialResource) -> Iterator[None]:
    """Add existing resources to any error raised in the block."""
    try:
        yield
    except ActionError as error:
        error.partial = (*partial, *error.partial)
        raise


async def _send(
    context: ActionContext, server: GitHubInstance, out: GitHubRequest
) -> GitHubResponse:
    try:
        return await context.http.request(
            out.method,
            out.url,
            headers=out.headers,
            content=out.content,
            target=server.target,
            max_body=out.max_body,
        )
    except ActionError as error:
        raise _unanswered_error(error, server, out) from error


def _unanswered_error(
    error: ActionError, server: GitHubInstance, out: GitHubRequest
) -> ActionError:
    unknown = isinstance(error, OutcomeUnknownError) and out.effect
    kind = OutcomeUnknownError if unknown else ActionFailedError
    if unknown:
        after = (
            " It may or may not have done it. Look there, or retry: a retry looks first and adopts "
            "what it finds."
        )
    else:
        after = "" if error.silent else " Nothing was changed; retry later."
    return kind(
        f"{server.title} was asked to {out.doing}: {error.message}{after}",
        code=error.code,
        http_status=error.http_status,
        response_body=error.response_body,
        retryable=error.retryable,
        judged=error.judged,
    )


def to_action_error(error: GitHubError, hint: str = "") -> ActionError:
    """Return GitHub's error as that of an action; ``hint`` is added if GitHub refused."""
    unknown = isinstance(error, GitHubOutcomeUnknownError)
    kind = OutcomeUnknownError if unknown else ActionFailedError
    return kind(
        f"{error.message} {hint}".rstrip() if not unknown else error.message,
        http_status=error.status,
        response_body=error.body,
        judged=error.judged,
    )
