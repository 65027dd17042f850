"""How calls to GitHub fail, as exception types whose messages say what to do next."""

from datetime import UTC, datetime
from math import ceil

from pao.clients.github.wire import GitHubResponse
from pao.clients.retry_after import retry_after_seconds
from pao.core.answers import message_text, safe_url, whole_number
from pao.core.failure_classes import (
    FORBIDDEN,
    PROTECTED,
    REDIRECT,
    UNREADABLE,
    Cause,
    FailureClass,
    classify_repository_answer,
)

_UNAUTHORIZED, _NOT_FOUND = 401, 404
# GitHub's statuses for a repository that was renamed or transferred.
_MOVED = frozenset({301, 307, 308})
# https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
SECONDARY_WAIT = 60.0

_ADVICE = {
    _UNAUTHORIZED: "It rejected our credentials; the operator must replace them.",
    _NOT_FOUND: "It does not exist, or our token or App may not see it.",
}


class GitHubError(Exception):
    """Base of all: ``message`` is for people and says what to do next.

    ``judged`` is the row of the table in pao/core/failure_classes.py that says what GitHub's answer
    means. ``wait`` is how many seconds GitHub asks to wait, if it does.
    """

    def __init__(
        self,
        message: str,
        *,
        judged: FailureClass,
        status: int | None = None,
        body: str | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.judged = judged
        self.status = status
        self.body = body
        self.wait = wait

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.judged.retryable


class GitHubRefusedError(GitHubError):
    """GitHub refused, or a read could not be parsed: nothing was changed."""


class GitHubOutcomeUnknownError(GitHubError):
    """A change was sent, and no response proves that it was not made."""


def refusal(server: str, doing: str, answer: GitHubResponse, *, effect: bool) -> GitHubError:
    """Return the error for an unsuccessful status."""
    text = _text(answer)
    judged = classify_repository_answer(answer.status, answer.headers, text)
    unknown = effect and judged.doubtful
    kind: type[GitHubError] = GitHubOutcomeUnknownError if unknown else GitHubRefusedError
    reason = message_text(text)
    message = f"{server} could not {doing} (HTTP {answer.status})"
    after = "It may have done it: a retry looks first." if unknown else ""
    parts = [f"{message}: {reason}." if reason else f"{message}.", _advice(answer, judged), after]
    return kind(
        " ".join(filter(None, parts)),
        judged=judged,
        status=answer.status,
        body=text or None,
        wait=_wait(answer) if judged.cause is Cause.QUOTA else None,
    )


def unreadable_answer(
    server: str, doing: str, answer: GitHubResponse, *, effect: bool
) -> GitHubError:
    """Return the error for a successful status with an unreadable answer."""
    what = "too long to read" if answer.truncated else "not a response of GitHub's API"
    kind: type[GitHubError] = GitHubOutcomeUnknownError if effect else GitHubRefusedError
    after = (
        "It may have done it: look there, or retry: a retry looks first and adopts what it finds."
        if effect
        else "Nothing was changed; check GITHUB_API_URL, and retry."
    )
    return kind(
        f"{server} was asked to {doing} and answered HTTP {answer.status}, but the "
        f"answer is {what}. {after}",
        status=answer.status,
        body=_text(answer) or None,
        judged=UNREADABLE,
    )


def _wait(answer: GitHubResponse) -> float:
    after = retry_after_seconds(answer.headers)
    if after is not None:
        return after
    reset = whole_number(answer.headers.get("x-ratelimit-reset", ""))
    # A secondary limit has calls remaining, and no time when it ends.
    if reset is None or answer.headers.get("x-ratelimit-remaining") != "0":
        return SECONDARY_WAIT
    return max(0.0, reset - datetime.now(UTC).timestamp())


def _advice(answer: GitHubResponse, judged: FailureClass) -> str:
    if judged.cause is Cause.QUOTA:
        return f"Its rate limit is exhausted; retry in {max(ceil(_wait(answer)), 1)} s."
    if judged is PROTECTED:
        return (
            "The branch is protected: let the action open a pull request, or have the operator "
            "let our token or App push to it."
        )
    if judged is FORBIDDEN:
        wanted = answer.headers.get("x-accepted-github-permissions")
        needs = f" It wants: {wanted}." if wanted else ""
        return f"Our token or App has no right to do that; the operator must grant it.{needs}"
    if judged is REDIRECT:
        return _redirect(answer)
    if judged.counts:
        return "Retry later."
    return _ADVICE.get(answer.status, "Fix what it names, then retry.")


def _redirect(answer: GitHubResponse) -> str:
    location = answer.headers.get("location")
    to = f" to {safe_url(location)}" if location else ""
    if answer.status in _MOVED:
        return f"The repository was renamed or moved{to}; use its new name."
    return f"It redirects{to}, which is not followed; check GITHUB_API_URL."


def _text(answer: GitHubResponse) -> str:
    text = answer.body.decode(errors="replace")
    return f"{text}\N{HORIZONTAL ELLIPSIS}" if answer.truncated else text
