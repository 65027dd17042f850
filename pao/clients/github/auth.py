"""Authentication to GitHub: a token, or the short-lived tokens of an App."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import jwt
from pydantic import SecretStr

from pao.clients.github.github_errors import GitHubRefusedError
from pao.clients.github.wire import GitHubCall
from pao.clients.oauth import AccessToken, TokenBusyError, TokenCache, is_sendable
from pao.core.failure_classes import HIDDEN, NOT_READY, NOT_SET, UNREADABLE

# GitHub refuses a JWT that lives longer than ten minutes, or begins in its future.
_JWT_SECONDS, _CLOCK_SKEW = 540, 60
# A token that expires during an execution would be refused in the middle of it.
_RENEW_BEFORE = 300.0
_NOT_FOUND = 404

AsApp = Callable[[GitHubCall, str], Awaitable[Any]]
"""Makes a call with the given JWT."""

Remaining = Callable[[], float]
"""Returns how many seconds the caller has left."""


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """A personal access token, or any other that does not expire."""

    token: SecretStr


@dataclass(frozen=True, slots=True)
class AppAuth:
    """A GitHub App; without an installation id it is looked up for each repository."""

    app_id: str
    private_key: SecretStr
    installation_id: int | None = None


GitHubAuth = TokenAuth | AppAuth


class RepositoryTokens:
    """Provides the token for a repository; an App's tokens are cached until they expire.

    Each of them is for one repository only. Safe to share between tasks.
    """

    def __init__(self, auth: GitHubAuth) -> None:
        self._auth = auth
        self._cache = TokenCache()
        self._installations: dict[str, int] = {}

    @property
    def renewable(self) -> bool:
        """Whether a refused token can be replaced by a new one."""
        return isinstance(self._auth, AppAuth)

    async def token(
        self, repository: str, as_app: AsApp, remaining: Remaining | None = None
    ) -> str:
        """Return a token for ``owner/name``; one that expires soon is replaced.

        Raises GitHubRefusedError if another task is still fetching it when no time remains.
        """
        if isinstance(self._auth, TokenAuth):
            return self._auth.token.get_secret_value()
        try:
            return await self._cache.token(
                repository.lower(),
                partial(self._fetch, self._auth, repository, as_app),
                seconds=remaining() if remaining else None,
            )
        except TokenBusyError:
            raise GitHubRefusedError(
                f"GitHub gave no token for {repository} in time: another call is still waiting for "
                "it. Nothing was sent; retry later.",
                judged=NOT_READY,
            ) from None

    def forget(self, repository: str, token: str) -> None:
        """Drop a token that was refused, unless another one has taken its place."""
        self._cache.forget(repository.lower(), token)

    async def _fetch(self, auth: AppAuth, repository: str, as_app: AsApp) -> AccessToken:
        signed = _sign_jwt(auth)
        try:
            return await self._request_token(auth, repository, as_app, signed)
        except GitHubRefusedError as error:
            # An App that was removed and installed again has a new installation id.
            if error.status != _NOT_FOUND or not self._installations.pop(repository.lower(), None):
                raise
        return await self._request_token(auth, repository, as_app, signed)

    async def _request_token(
        self, auth: AppAuth, repository: str, as_app: AsApp, signed: str
    ) -> AccessToken:
        installation = auth.installation_id or await self._installation(repository, as_app, signed)
        path = f"/app/installations/{installation}/access_tokens"
        call = GitHubCall(
            doing=f"give a token for {repository} at {path}",
            method="POST",
            path=path,
            body={"repositories": [repository.partition("/")[2]]},
            expected=frozenset({201}),
        )
        given = await as_app(call, signed)
        try:
            return _read_token(given)
        except (KeyError, TypeError, ValueError) as error:
            raise GitHubRefusedError(
                f"GitHub gave no token for {repository}; check GITHUB_API_URL.",
                judged=UNREADABLE,
            ) from error

    async def _installation(self, repository: str, as_app: AsApp, signed: str) -> int:
        known = self._installations.get(repository.lower())
        if known is not None:
            return known
        call = GitHubCall(
            doing=f"find the App's installation for {repository}",
            method="GET",
            path=f"/repos/{repository}/installation",
        )
        try:
            found = await as_app(call, signed)
        except GitHubRefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            raise GitHubRefusedError(
                f"The App is not installed for {repository}, or there is no such repository; "
                "install the App there.",
                judged=HIDDEN,
            ) from error
        number = found.get("id") if isinstance(found, dict) else None
        if not isinstance(number, int):
            raise GitHubRefusedError(
                f"GitHub names no installation of the App for {repository}.", judged=UNREADABLE
            )
        self._installations[repository.lower()] = number
        return number


def _read_token(given: Any) -> AccessToken:
    """Return the token in an answer; raises KeyError, TypeError or ValueError without one."""
    token, ends = given["token"], datetime.fromisoformat(given["expires_at"])
    if not is_sendable(token) or ends.tzinfo is None:
        raise ValueError("no token, or no expiry")
    return AccessToken(token, time.monotonic() + ends.timestamp() - _now() - _RENEW_BEFORE)


def _sign_jwt(auth: AppAuth) -> str:
    now = int(_now())
    claims = {"iat": now - _CLOCK_SKEW, "exp": now + _JWT_SECONDS, "iss": auth.app_id}
    try:
        return jwt.encode(claims, _unescape_line_ends(auth.private_key), algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        # The library's text may repeat the key.
        raise GitHubRefusedError(
            "GITHUB_APP_PRIVATE_KEY is not an RSA key in PEM format; the operator must fix it.",
            judged=NOT_SET,
        ) from None


def _unescape_line_ends(key: SecretStr) -> str:
    """Return the key with real line ends, which environment variables may escape."""
    return key.get_secret_value().replace("\\n", "\n")


def _now() -> float:
    return datetime.now(UTC).timestamp()
