"""How calls to GitLab fail, as an exception whose message says what to do next."""

from typing import Protocol

from pao.clients.retry_after import retry_after_seconds
from pao.core.answers import message_text, shorten
from pao.core.failure_classes import (
    HIDDEN,
    REDIRECT,
    UNREADABLE,
    Cause,
    FailureClass,
    classify_answer,
)

_NOT_FOUND = 404


class GitLabAnswer(Protocol):
    """An answer: header names in lower case, the body as far as it was read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> dict[str, str]:
        """The headers."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...

    @property
    def truncated(self) -> bool:
        """Whether the body is longer than what was read of it."""
        ...


class GitLabError(Exception):
    """GitLab refused, or its answer is unreadable; ``wait`` is how long it asks to wait."""

    def __init__(
        self,
        message: str,
        *,
        judged: FailureClass,
        status: int,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.judged = judged
        self.status = status
        self.wait = wait


def refusal(doing: str, answer: GitLabAnswer) -> GitLabError:
    """Return the error for an unsuccessful status."""
    text = shorten(answer.body.decode(errors="replace"), 10_000)
    judged = classify_answer(answer.status, answer.headers, text)
    if answer.status == _NOT_FOUND and "Project Not Found" in text:
        judged = HIDDEN
    reason = message_text(text)
    message = f"GitLab could not {doing} (HTTP {answer.status}){f': {reason}' if reason else ''}."
    return GitLabError(
        f"{message} {_advice(judged)}",
        judged=judged,
        status=answer.status,
        wait=retry_after_seconds(answer.headers),
    )


def unreadable_answer(doing: str, answer: GitLabAnswer) -> GitLabError:
    """Return the error for a successful status with an unreadable answer."""
    return GitLabError(
        f"GitLab was asked to {doing}, and the answer is not one of its API; check GITLAB_URL.",
        judged=UNREADABLE,
        status=answer.status,
    )


def _advice(judged: FailureClass) -> str:
    if judged is HIDDEN:
        return "The project does not exist, or the token may not see it."
    if judged is REDIRECT:
        return "The project was renamed or moved; correct CATALOG_REPOSITORY."
    if judged.cause is Cause.ACCESS:
        return "The operator must replace GITLAB_TOKEN, or give it the right."
    return "Retry later." if judged.retryable else "Check the settings of the catalog."
