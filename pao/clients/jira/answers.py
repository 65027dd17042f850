"""Reads JIRA's responses: what was created, or a refusal with the reason for each field.

Errors are read from the response itself; the library's exception drops the names of the fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests

from pao.clients.jira.jira_errors import JiraOutcomeUnknownError, JiraRefusedError
from pao.clients.jira.models import JiraInstance
from pao.core.answers import KEPT_CHARACTERS, message_text, parse_answer, safe_url
from pao.core.failure_classes import Cause, FailureClass, classify_answer

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LOGIN_REASON = "X-Seraph-LoginReason"


@dataclass(frozen=True, slots=True)
class JiraResponse:
    """One answer of one instance. ``doing`` completes "could not ..." in messages."""

    instance: JiraInstance
    doing: str
    response: requests.Response
    truncated: bool
    hide: Callable[[str], str]

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.response.status_code

    @property
    def succeeded(self) -> bool:
        """Return whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def redirects(self) -> bool:
        """Return whether it is a redirect; those are not followed."""
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST

    @property
    def is_html(self) -> bool:
        """Return whether this is a page for people: JIRA's REST answers never are."""
        return "html" in self.response.headers.get("Content-Type", "").lower()

    def json(self) -> Any:
        """Return the decoded body; None if it is not JSON or was truncated."""
        if self.truncated:
            return None
        try:
            return parse_answer(self.response.content)
        except ValueError:
            return None

    @property
    def judged(self) -> FailureClass:
        """The row of the table in pao/core/failure_classes.py that says what the answer means."""
        headers = {name.lower(): value for name, value in self.response.headers.items()}
        return classify_answer(self.status, headers, self.text())

    def text(self) -> str:
        """Return the body, truncated as it is stored, without credentials and NUL."""
        text = self.response.content.decode("utf-8", errors="replace")
        cut = self.truncated or len(text) > KEPT_CHARACTERS
        return self.mask(f"{text[:KEPT_CHARACTERS]}{ELLIPSIS if cut else ''}")

    def mask(self, text: str) -> str:
        """Return a text of the answer without credentials and NUL."""
        return self.hide(text).replace("\x00", "\N{REPLACEMENT CHARACTER}")


def read_object(answer: JiraResponse) -> Mapping[str, Any]:
    """Return the JSON object of an answer; raises JiraRefusedError otherwise."""
    if not answer.succeeded:
        raise refusal(answer)
    document = answer.json()
    if not isinstance(document, dict):
        raise _refused_error(answer, _unreadable_reason(answer))
    return document


def read_list(answer: JiraResponse) -> list[Any]:
    """Return the JSON list of an answer; raises JiraRefusedError otherwise."""
    if not answer.succeeded:
        raise refusal(answer)
    document = answer.json()
    if not isinstance(document, list):
        raise _refused_error(answer, _unreadable_reason(answer))
    return document


def read_change(answer: JiraResponse, *, expected: int) -> Any:
    """Return the JSON body of a change that was made; None without one.

    Raises JiraRefusedError if the change was certainly not made, JiraOutcomeUnknownError if the
    answer leaves that open.
    """
    if not answer.succeeded:
        if answer.judged.doubtful:
            raise outcome_unknown(
                answer,
                f"it answered HTTP {answer.status}: {_reason(answer, *_reported_errors(answer))}",
            )
        raise refusal(answer)
    if _is_login_page(answer, expected=expected):
        raise outcome_unknown(
            answer, "it answered with a login page: check the credentials and base URL"
        )
    if answer.status != expected:
        raise outcome_unknown(answer, f"it answered HTTP {answer.status} instead of {expected}")
    return answer.json()


def outcome_unknown(answer: JiraResponse, why: str) -> JiraOutcomeUnknownError:
    """Return the error for a change that may or may not have been made."""
    return JiraOutcomeUnknownError(
        f"{answer.instance.title} was asked to {answer.doing}, and {why.rstrip('.')}. "
        "It may or may not have done it. Look in JIRA, or retry: a retry looks first and adopts "
        "what it finds.",
        instance=answer.instance.name,
        status=answer.status,
        body=answer.text(),
        judged=answer.judged,
    )


def unreadable_change(answer: JiraResponse) -> JiraOutcomeUnknownError:
    """Return the error for a change with an unreadable answer."""
    return outcome_unknown(answer, _unreadable_reason(answer))


def refusal(answer: JiraResponse) -> JiraRefusedError:
    """Return the error for a refusal."""
    errors, messages = _reported_errors(answer)
    return _refused_error(
        answer, _reason(answer, errors, messages), errors=errors, messages=messages
    )


def _reported_errors(answer: JiraResponse) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return JIRA's error texts by field, and those without a field."""
    document = answer.json()
    errors, messages = _parse_errors(document if isinstance(document, dict) else {})
    if not errors and not messages and not answer.is_html:
        messages = tuple(filter(None, [message_text(answer.text())]))
    masked = {answer.mask(name): answer.mask(text) for name, text in errors.items()}
    return masked, tuple(answer.mask(text) for text in messages)


def _refused_error(
    answer: JiraResponse,
    why: str,
    *,
    errors: Mapping[str, str] | None = None,
    messages: tuple[str, ...] = (),
) -> JiraRefusedError:
    return JiraRefusedError(
        f"{answer.instance.title} could not {answer.doing} (HTTP {answer.status}): {why}",
        instance=answer.instance.name,
        status=answer.status,
        body=answer.text(),
        judged=answer.judged,
        retry_after=answer.response.headers.get("Retry-After"),
        errors=errors or {},
        error_messages=messages,
    )


def _parse_errors(document: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    by_field = document.get("errors")
    errors = by_field if isinstance(by_field, dict) else {}
    listed = document.get("errorMessages")
    messages = list(listed) if isinstance(listed, list) else []
    # Some answers of Cloud's gateway carry a single "message" instead of both.
    messages.extend(filter(None, [document.get("message")]))
    return {str(k): str(v) for k, v in errors.items()}, tuple(str(text) for text in messages)


def _reason(answer: JiraResponse, errors: Mapping[str, str], messages: tuple[str, ...]) -> str:
    reported = "; ".join((*messages, *(f"{field}: {text}" for field, text in errors.items())))
    advice = _advice(answer)
    if reported:
        text = f"{reported} ({advice})" if advice else reported
    elif advice:
        text = advice
    else:
        text = "it answered with an HTML page" if answer.is_html else "it gave no reason"
    return answer.mask(text)


def _advice(answer: JiraResponse) -> str:
    login_reason = answer.response.headers.get(_LOGIN_REASON, "")
    if "DENIED" in login_reason and answer.status in {401, 403}:
        return (
            "it wants a captcha solved after failed logins: sign in once in a browser with this "
            "instance's account, then retry"
        )
    if answer.redirects:
        location = answer.response.headers.get("Location", "")
        where = f" to {safe_url(location)}" if location else ""
        return f"it redirects{where}, as to a login page: check the credentials and the base URL"
    if answer.judged.cause is Cause.QUOTA:
        return _retry_after(answer)
    return _ADVICE.get(answer.status, _retry_after(answer))


def _retry_after(answer: JiraResponse) -> str:
    after = answer.response.headers.get("Retry-After")
    if answer.judged.cause is Cause.QUOTA:
        when = f"Retry-After: {after}" if after else "it does not say for how long"
        return f"it limits the rate of calls, {when}"
    return f"Retry-After: {after}" if after else ""


_ADVICE: dict[int, str] = {
    401: "the credentials of this instance are not accepted: check user and token",
    403: "the account of this instance may not do this: check its permissions in the project",
    410: "this part of its REST API no longer exists: check the flavour (cloud or datacenter)",
}


def _unreadable_reason(answer: JiraResponse) -> str:
    if answer.truncated:
        return f"its answer (HTTP {answer.status}) is larger than 4 MB"
    if answer.is_html:
        return f"it answered HTTP {answer.status} with an HTML page, as a login or a proxy does"
    return f"its answer (HTTP {answer.status}) is not the JSON that was expected"


def _is_login_page(answer: JiraResponse, *, expected: int) -> bool:
    """Return whether this is the login page of a proxy: then nothing reached JIRA."""
    if not answer.is_html or not answer.succeeded or answer.status == expected:
        return False
    start = answer.text().lower()
    return any(word in start for word in ("login", "log in", "sign in", "password"))
