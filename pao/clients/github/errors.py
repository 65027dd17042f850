"""How a call to GitHub can end badly, as types, and the sentence that says what to do next."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pao.clients.github.wire import Answered

# More than is stored: whoever stores it masks it first and cuts it then.
_KEPT = 68 * 1024
_TOLD = 2000
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 401, 403, 404, 429, 500
# A gateway that gave up says nothing about what stands behind it.
_GATEWAY_GAVE_UP = frozenset({502, 504})

_ADVICE = {
    _UNAUTHORIZED: "It does not accept our credentials; the operator gives new ones.",
    _NOT_FOUND: "It does not exist, or our token or App may not see it.",
}


class GitHubError(Exception):
    """Base of all: ``message`` is for people and says what to do next.

    ``wait`` is after how many seconds GitHub wants to be asked again, where it said so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        body: str | None = None,
        retryable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.body = body
        self.retryable = retryable
        self.wait = wait


class GitHubRefused(GitHubError):  # noqa: N818 -- it names what happened
    """GitHub said no, or nothing that can be read to a question: nothing was changed."""


class GitHubOutcomeUnknown(GitHubError):  # noqa: N818 -- it names what happened
    """The call left and no readable answer came: the effect may exist."""


def refusal(instance: str, doing: str, answer: Answered, *, effect: bool) -> GitHubError:
    """Give the error for an answer whose status is no success."""
    limited = is_limited(answer)
    unknown = effect and answer.status in _GATEWAY_GAVE_UP
    kind: type[GitHubError] = GitHubOutcomeUnknown if unknown else GitHubRefused
    said = _said(answer)
    text = f'GitHub "{instance}" could not {doing} (HTTP {answer.status})'
    return kind(
        " ".join([f"{text}: {said}." if said else f"{text}.", _advice(answer, limited=limited)]),
        status=answer.status,
        body=_text(answer),
        retryable=limited or answer.status >= _SERVER,
        wait=_wait(answer) if limited else None,
    )


def unreadable(instance: str, doing: str, answer: Answered, *, effect: bool) -> GitHubError:
    """Give the error for a success that cannot be read."""
    what = "longer than what is read of it" if answer.truncated else "not what GitHub answers"
    kind: type[GitHubError] = GitHubOutcomeUnknown if effect else GitHubRefused
    after = (
        "It may have done it: look there, or retry: a retry looks first and adopts what it finds."
        if effect
        else "Nothing was changed; check GITHUB_API_URL, and retry."
    )
    return kind(
        f'GitHub "{instance}" was asked to {doing} and answered HTTP {answer.status}, but the '
        f"answer is {what}. {after}",
        status=answer.status,
        body=_text(answer),
        retryable=True,
    )


def is_limited(answer: Answered) -> bool:
    """Tell whether a rate limit, the primary or a secondary one, speaks from this answer.

    Both come as 403 or 429; a 403 for lack of rights has neither header.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if answer.status == _TOO_MANY:
        return True
    used_up = answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status == _FORBIDDEN and (used_up or "retry-after" in answer.headers)


def _wait(answer: Answered) -> float | None:
    after = answer.headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if not reset.isdecimal():
        return None
    return max(0.0, float(reset) - datetime.now(UTC).timestamp())


def _advice(answer: Answered, *, limited: bool) -> str:
    if limited:
        wait = _wait(answer)
        when = "later" if wait is None else f"in {wait:.0f} s"
        return f"Its rate limit is used up; retry {when}."
    if answer.status == _FORBIDDEN:
        wanted = answer.headers.get("x-accepted-github-permissions")
        needs = f" It wants: {wanted}." if wanted else ""
        return f"Our token or App has no right to do that; the operator extends its rights.{needs}"
    if answer.status in range(300, 400):
        return "The repository has another name now; correct it in the catalog item."
    if answer.status >= _SERVER:
        return "Retry when it is well again."
    return _ADVICE.get(answer.status, "Correct what it names, and retry.")


def _said(answer: Answered) -> str:
    """Give what GitHub says, its errors field by field."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, Mapping):
        return ""
    errors = document.get("errors")
    parts = [_error(error) for error in errors] if isinstance(errors, list) else []
    message = " ".join(str(document.get("message") or "").split()).rstrip(".")
    told = "; ".join(part for part in (message, *parts) if part)
    # The ellipsis says where it was cut: a secret may have been cut there as well.
    return told if len(told) <= _TOLD else f"{told[:_TOLD]}\N{HORIZONTAL ELLIPSIS}"


def _error(error: Any) -> str:
    if not isinstance(error, Mapping):
        return str(error)
    text = error.get("message") or error.get("code") or ""
    return f"{error['field']}: {text}" if error.get("field") else str(text)


def _text(answer: Answered) -> str | None:
    text = answer.body[:_KEPT].decode(errors="replace")
    # Whoever shows it masks it first; a secret may have been cut where the ellipsis stands.
    return f"{text}\N{HORIZONTAL ELLIPSIS}" if len(answer.body) > _KEPT else text or None
