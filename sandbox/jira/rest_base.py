"""What every REST call of the stand-in goes through: version, credentials, body, error shape."""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.jira.oauth import TokenIssuer
from sandbox.jira.settings import ApiVersion, JiraSandboxSettings
from sandbox.jira.shapes import View
from sandbox.jira.store import TicketStore

BODY_LIMIT = 1024 * 1024
Handler = Callable[[Request, View], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class JiraResponseError(Exception):
    """An error answer in JIRA's shape."""

    def __init__(
        self, status: int, *messages: str, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.response = JSONResponse(
            {"errorMessages": list(messages), "errors": dict(errors or {})}, status
        )


class JiraApi:
    """Makes the endpoints of one API version: checks credentials and shapes errors."""

    def __init__(
        self,
        store: TicketStore,
        settings: JiraSandboxSettings,
        version: ApiVersion,
        issuer: TokenIssuer,
    ) -> None:
        self._issuer = issuer
        self.root = f"/rest/api/{version}"
        self._store = store
        self._settings = settings
        self._version = version

    def endpoint(self, handler: Handler) -> Endpoint:
        """Return the endpoint of a handler that requires credentials."""

        async def serve(request: Request) -> Response:
            error = self._authentication_error(request)
            if error is not None:
                return error
            return await _respond(handler, request, self._view(request))

        return serve

    def public(self, handler: Handler) -> Endpoint:
        """Return the endpoint of a handler that anybody may call."""

        async def serve(request: Request) -> Response:
            return await _respond(handler, request, self._view(request))

        return serve

    def _view(self, request: Request) -> View:
        base_url = f"{request.url.scheme}://{request.url.netloc}"
        return View(self._version, base_url, self._settings, self._store)

    def _authentication_error(self, request: Request) -> Response | None:
        given = request.headers.get("Authorization")
        if given is None:
            text = "You are not authenticated. Authentication required to perform this operation."
            return JiraResponseError(401, text).response
        if self._accepts(given):
            return None
        if self._version is ApiVersion.V3:
            text = "Client must be authenticated to access this resource."
            return JiraResponseError(401, text).response
        # Data Center answers wrong credentials with a page.
        return HTMLResponse(
            "<html><body><h1>Unauthorized (401)</h1><p>Basic Authentication Failure - Reason : "
            "AUTHENTICATED_FAILED</p></body></html>",
            401,
            headers={"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"},
        )

    def _accepts(self, given: str) -> bool:
        scheme, _, rest = given.partition(" ")
        settings = self._settings
        if scheme.lower() == "bearer":
            token = rest.strip()
            return _equals(token, settings.token) or self._issuer.accepts(token)
        if scheme.lower() != "basic":
            return False
        try:
            decoded = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return _equals(decoded, f"{settings.username}:{settings.token}")


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object that a call carries."""
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise JiraResponseError(415, "Unsupported Media Type")
    body = await request.body()
    if len(body) > BODY_LIMIT:
        raise JiraResponseError(413, "The request is too large.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        text = "There was an error parsing JSON. Check that your request body is valid."
        raise JiraResponseError(400, text)
    return document


async def _respond(handler: Handler, request: Request, view: View) -> Response:
    try:
        return await handler(request, view)
    except JiraResponseError as answer:
        return answer.response


def _equals(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
