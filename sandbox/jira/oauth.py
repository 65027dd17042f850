"""OAuth 2 client credentials: the token endpoint of the stand-in, and the valid tokens."""

import base64
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.jira.settings import JiraSandboxSettings


class TokenIssuer:
    """Issues access tokens, kept in memory only, until they expire or are revoked all at once."""

    def __init__(self, settings: JiraSandboxSettings) -> None:
        self._settings = settings
        self._expiry: dict[str, float] = {}
        self._issued = 0

    def routes(self) -> list[Route]:
        """Return the token endpoint, and what no JIRA has: counting and revoking."""
        return [
            Route("/oauth/token", self._issue, methods=["POST"]),
            Route("/sandbox/tokens", self._count, methods=["GET"]),
            Route("/sandbox/tokens", self._revoke, methods=["DELETE"]),
        ]

    def accepts(self, token: str) -> bool:
        """Return whether the token was issued here and is still valid."""
        return time.monotonic() < self._expiry.get(token, 0.0)

    async def _issue(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if given.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        wanted = (self._settings.client_id, self._settings.client_secret)
        if wanted not in self._client_credentials(request, given):
            return JSONResponse({"error": "invalid_client"}, 401)
        token, lifetime = secrets.token_urlsafe(24), self._settings.access_token_seconds
        self._expiry[token] = time.monotonic() + lifetime
        self._issued += 1
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})

    def _client_credentials(
        self, request: Request, given: Mapping[str, str]
    ) -> list[tuple[str | None, str | None]]:
        """Return the client's credentials in the accepted forms (RFC 6749, section 2.3.1)."""
        form = (given.get("client_id"), given.get("client_secret"))
        found = [form] if self._settings.token_auth in {"any", "post"} else []
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic" and self._settings.token_auth in {"any", "basic"}:
            try:
                pair = base64.b64decode(encoded, validate=True).decode()
            except ValueError:
                return found
            name, _, secret = pair.partition(":")
            found.append((unquote_plus(name), unquote_plus(secret)))
        return found

    async def _count(self, _: Request) -> Response:
        return JSONResponse({"issued": self._issued})

    async def _revoke(self, _: Request) -> Response:
        self._expiry.clear()
        return Response(status_code=204)
