"""Calls to one repository with a token, and the parsing of their responses."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

from pao.clients.github.answers import UnreadableAnswerError
from pao.clients.github.auth import Remaining
from pao.clients.github.github_errors import GitHubError, refusal, unreadable_answer
from pao.clients.github.instances import GitHubInstance
from pao.clients.github.wire import GitHubCall, GitHubRequest, GitHubResponse, Send
from pao.core.answers import parse_answer

T = TypeVar("T")


class AuthorizedCalls:
    """Sends calls by ``send``; ``learn`` gets every token that is used, to mask it.

    ``remaining`` limits the wait for a token that another task is fetching.
    """

    def __init__(
        self,
        instance: GitHubInstance,
        repository: str,
        *,
        send: Send,
        learn: Callable[[str], None],
        remaining: Remaining | None = None,
    ) -> None:
        self._instance = instance
        self._repository = repository
        self._send = send
        self._learn = learn
        self._remaining = remaining

    async def ask(self, call: GitHubCall, read: Callable[[Any], T]) -> T:
        """Make a call and return its parsed answer; a refused token is renewed once."""
        return self._read(call, await self._call_with_renewal(call), read)

    async def answer(self, call: GitHubCall) -> GitHubResponse:
        """Make a call in the same way, and return its raw answer if the status is expected."""
        answer = await self._call_with_renewal(call)
        if answer.status not in call.expected:
            raise self._status_error(call, answer)
        return answer

    async def _call_with_renewal(self, call: GitHubCall) -> GitHubResponse:
        token = await self._token()
        answer = await self._exchange(call, token)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._instance.tokens.renewable:
            self._instance.tokens.forget(self._repository, token)
            answer = await self._exchange(call, await self._token())
        return answer

    async def _token(self) -> str:
        token = await self._instance.tokens.token(self._repository, self._as_app, self._remaining)
        self._learn(token)
        return token

    async def _as_app(self, call: GitHubCall, signed: str) -> Any:
        self._learn(signed)
        return self._read(call, await self._exchange(call, signed), lambda found: found)

    async def _exchange(self, call: GitHubCall, token: str) -> GitHubResponse:
        query = f"?{urlencode(call.query)}" if call.query else ""
        headers = {
            "Accept": call.accept,
            "Authorization": f"Bearer {token}",
            "User-Agent": "pao",
            "X-GitHub-Api-Version": self._instance.api_version,
        }
        if call.known is not None:
            headers["If-None-Match"] = call.known
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body).encode()
        return await self._send(
            GitHubRequest(
                doing=call.doing,
                method=call.method,
                url=f"{self._instance.api_url}{call.path}{query}",
                headers=headers,
                content=content,
                effect=call.effect,
                max_body=call.max_body,
                redirects=call.redirects,
            )
        )

    def _read(self, call: GitHubCall, answer: GitHubResponse, read: Callable[[Any], T]) -> T:
        if answer.status not in call.expected:
            raise self._status_error(call, answer)
        try:
            return read(_parse_body(answer))
        except (ValueError, UnreadableAnswerError):
            raise unreadable_answer(
                self._instance.title, call.doing, answer, effect=call.effect
            ) from None

    def _status_error(self, call: GitHubCall, answer: GitHubResponse) -> GitHubError:
        """Return the error for an unexpected status; a 2xx is unreadable, not refused."""
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return unreadable_answer(self._instance.title, call.doing, answer, effect=call.effect)
        return refusal(self._instance.title, call.doing, answer, effect=call.effect)


def _parse_body(answer: GitHubResponse) -> Any:
    if answer.truncated:
        raise UnreadableAnswerError
    return None if answer.status == HTTPStatus.NO_CONTENT else parse_answer(answer.body)
