"""Access tokens of OAuth 2 client credentials, fetched when needed.

The token endpoint is called within the call that needs the token, with the same limits of time,
size and redirects; a failure there changes nothing in JIRA.
"""

from collections.abc import Callable
from http import HTTPStatus

import requests

from pao.clients.jira.auth import OAuth2Auth
from pao.clients.jira.transport import BoundedSession, CallEndedError, HeaderAuth, JiraCall
from pao.clients.oauth import AccessToken, TokenBusyError, TokenCache, read_token
from pao.core.answers import KEPT_CHARACTERS, message_text, safe_url, shorten
from pao.core.failure_classes import UNREADABLE, FailureClass, classify_answer

Sessions = Callable[[JiraCall, str], BoundedSession]


class TokenEndpointError(Exception):
    """The token endpoint returned no token; the text says why and must be masked."""

    def __init__(
        self, reason: str, *, status: int | None = None, judged: FailureClass = UNREADABLE
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.judged = judged


class JiraTokens:
    """The tokens of one instance; safe to share between threads.

    ``latest`` are the tokens that an answer may repeat.
    """

    def __init__(self, auth: OAuth2Auth, sessions: Sessions) -> None:
        self._auth = auth
        self._sessions = sessions
        self._cache = TokenCache()
        self.latest: tuple[str, ...] = ()

    def bearer(self, call: JiraCall, *, instead_of: str | None = None) -> str:
        """Return a valid token; ``instead_of`` is one that was rejected.

        Raises TokenEndpointError, or CallEndedError when there is no time left to wait for it.
        """
        url = self._auth.token_url
        with call.requesting_token(url):
            try:
                return self._cache.token_in_thread(
                    url,
                    lambda: self._fetch(call),
                    seconds=call.deadline.remaining(),
                    instead_of=instead_of,
                )
            except TokenBusyError:
                raise CallEndedError from None

    def _fetch(self, call: JiraCall) -> AccessToken:
        token = self._request(call)
        self.latest = (token.value, *self.latest[:1])
        return token

    def _request(self, call: JiraCall) -> AccessToken:
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
            raise TokenEndpointError(
                f"{_endpoint_name(url)} answered with more than 4 MB: check tokenUrl"
            )
        return _read_answer(answer, url)


def _read_answer(answer: requests.Response, url: str) -> AccessToken:
    if answer.status_code != HTTPStatus.OK:
        text = shorten(answer.content.decode(errors="replace"), KEPT_CHARACTERS)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        judged = classify_answer(answer.status_code, headers, text)
        raise TokenEndpointError(
            _refusal_reason(answer, text, url), status=answer.status_code, judged=judged
        )
    try:
        return read_token(answer.content)
    except ValueError as error:
        raise TokenEndpointError(
            f"{_endpoint_name(url)} gave no token: {error}; check tokenUrl",
            status=answer.status_code,
        ) from None


def _refusal_reason(answer: requests.Response, text: str, url: str) -> str:
    reason = f"HTTP {answer.status_code} {message_text(text)}".rstrip()
    location = answer.headers.get("Location")
    where = f", redirecting to {safe_url(location)}" if location else ""
    return (
        f"{_endpoint_name(url)} gave no token ({reason}{where}): check tokenUrl, clientId and "
        "clientSecret of this instance"
    )


def _endpoint_name(url: str) -> str:
    return f"the OAuth2 token endpoint {safe_url(url)}"
