"""Access tokens of OAuth 2 client credentials: fetched when needed, kept until they expire.

The token endpoint is asked within the call that needs the token, by the same rules of time, size
and redirects; failing there changes nothing in JIRA.
"""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import requests

from pao.clients.jira.auth import OAuth2Auth, without
from pao.clients.jira.transport import BoundedSession, CallEndedError, HeaderAuth, JiraCall
from pao.clients.oauth import AccessToken, read_token
from pao.core.answers import place, read_json
from pao.core.judgement import UNREADABLE, Judgement, judge

# The names of RFC 6749, section 5.2, and nothing that could carry an answer's text into a message.
_ERROR_NAME = re.compile(r"[a-z_]{1,40}")

Sessions = Callable[[JiraCall, str], BoundedSession]


class NoTokenError(Exception):
    """The token endpoint gave no token; the text says why, without anything secret."""

    def __init__(
        self, reason: str, *, status: int | None = None, judged: Judgement = UNREADABLE
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.judged = judged


class Tokens:
    """The tokens of one instance; safe to share between threads, one of which fetches."""

    def __init__(self, auth: OAuth2Auth, sessions: Sessions) -> None:
        self._auth = auth
        self._sessions = sessions
        self._lock = threading.Lock()
        self._current: AccessToken | None = None
        self._seen: tuple[str, ...] = ()

    def bearer(self, call: JiraCall, *, instead_of: str | None = None) -> str:
        """Return a token that counts; ``instead_of`` is one that was not accepted.

        Raises NoTokenError, or CallEndedError when there is no time left to wait for it.
        """
        with call.aside(self._auth.token_url), self._turn(call):
            known = self._current
            if known is None or not known.fresh or known.value == instead_of:
                known = self._current = self._fetch(call)
                self._seen = (known.value, *self._seen[:1])
            return known.value

    def mask(self, text: str) -> str:
        """Return the text without the tokens of late."""
        for token in self._seen:
            text = without(text, token)
        return text

    @contextlib.contextmanager
    def _turn(self, call: JiraCall) -> Iterator[None]:
        if not self._lock.acquire(timeout=call.deadline.remaining()):
            raise CallEndedError
        try:
            yield
        finally:
            self._lock.release()

    def _fetch(self, call: JiraCall) -> AccessToken:
        form = {"grant_type": "client_credentials"}
        accept = {"Accept": "application/json"}
        if not self._auth.in_header:
            form["client_id"] = self._auth.client_id
            form["client_secret"] = self._auth.client_secret.get_secret_value()
        if self._auth.scope:
            form["scope"] = self._auth.scope
        url = self._auth.token_url
        header = HeaderAuth(self._auth.basic() if self._auth.in_header else None)
        session = self._sessions(call, url)
        answer = session.request("POST", url, data=form, headers=accept, auth=header)
        cut, call.truncated = call.truncated, False
        if cut:
            raise NoTokenError(f"{_named(url)} answered with more than 4 MB: check tokenUrl")
        return _read(answer, url)


def _read(answer: requests.Response, url: str) -> AccessToken:
    document = _object(answer)
    if answer.status_code != HTTPStatus.OK:
        judged = judge(
            answer.status_code,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.content.decode(errors="replace"),
        )
        raise NoTokenError(
            _refusal(answer, document, url), status=answer.status_code, judged=judged
        )
    try:
        return read_token(document)
    except ValueError as error:
        raise NoTokenError(
            f"{_named(url)} gave no token: {error}; check tokenUrl", status=answer.status_code
        ) from None


def _refusal(answer: requests.Response, document: Mapping[str, Any], url: str) -> str:
    status, name = answer.status_code, str(document.get("error", ""))
    said = f"HTTP {status} {name}" if _ERROR_NAME.fullmatch(name) else f"HTTP {status}"
    location = answer.headers.get("Location")
    where = f", redirecting to {place(location)}" if location else ""
    return (
        f"{_named(url)} gave no token ({said}{where}): check tokenUrl, clientId and "
        "clientSecret of this instance"
    )


def _named(url: str) -> str:
    return f"the OAuth2 token endpoint {place(url)}"


def _object(answer: requests.Response) -> Mapping[str, Any]:
    try:
        document = read_json(answer.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
