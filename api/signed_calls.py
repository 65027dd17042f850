"""The API behind the gate: who signed a call, and how many calls that caller may make."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope

from api.auth.principal import Principal
from api.auth.raw import RawRequest, raw_request_from_scope
from api.auth.sources.identities import source_of, without_claims
from api.error_responses import correlation_of, error_response, internal_error
from api.gate import ResponseSender
from api.ratelimit import RateLimiter, address_caller
from api.request_body import BodyLimits, replay_body
from pao.core.errors import ErrorCode, PaoError

BASE = "/api/v1"
OPEN_PATHS = frozenset(
    f"{BASE}{path}"
    for path in (
        *("/health", "/health/live", "/health/ready"),
        *("/version", "/metrics", "/openapi.json"),
        # Signed by the secret of the webhook, over a body that is read as it arrives.
        *("/webhooks/git", "/webhooks/github", "/webhooks/gitlab"),
    )
)
DOCS = f"{BASE}/docs"
INDEX_PATHS = frozenset({"/", BASE, f"{BASE}/"})
SCHEMAS = f"{BASE}/catalog/schemas"


class Identity(Protocol):
    """Identifies who signed a request, or raises ``PaoError`` with the reason class."""

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Refuse what can be refused before the body is read; the request has none yet."""
        ...

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return the caller."""
        ...

    async def is_still_valid(self, caller: Principal, now: datetime) -> bool:
        """Return whether the caller is still valid, for answers that last long."""
        ...


class SignedCalls:
    """Admits calls that are signed by a known caller, and not too many of them."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        identity: Identity,
        limiter: RateLimiter,
        bodies: BodyLimits,
        count: Callable[[str, str], None],
    ) -> None:
        self._app = app
        self._identity = identity
        self._limiter = limiter
        self._bodies = bodies
        self._count = count

    async def serve(self, scope: Scope, receive: Receive, send: ResponseSender) -> None:
        """Identify the caller, then call the application with the body that was signed."""
        if _is_open(scope["path"]):
            scope["headers"] = without_claims(scope["headers"])
            await self._app(scope, receive, send)
            return
        body, caller = await self._identify(scope, receive)
        scope["headers"] = without_claims(scope["headers"])
        scope["state"]["principal"] = caller
        scope["state"]["raw_body"] = body
        send.extra.update(self._limiter.check(caller.id).headers())
        await self._app(scope, replay_body(body, receive), send)

    def refusal(self, scope: Scope, error: PaoError) -> Response:
        """Return the error in the API's envelope."""
        return error_response(error, correlation_of(scope))

    def internal_error(self, scope: Scope, error: Exception) -> Response:
        """Return the envelope of an unexpected error."""
        return internal_error(error, correlation_of(scope))

    async def _identify(self, scope: Scope, receive: Receive) -> tuple[bytes, Principal]:
        """Return the body and who signed it; a body whose head is refused is not read."""
        self._bodies.refuse_by_headers(Headers(scope=scope))
        head = raw_request_from_scope(scope, b"")
        try:
            self._identity.check_head(head, datetime.now(UTC))
            body = await self._bodies.read(receive)
            whole = replace(head, body=body)
            caller = await self._identity.authenticate(whole, datetime.now(UTC))
        except PaoError as error:
            if (outcome := _outcome(error)) is not None:
                self._count(source_of(head), outcome)
            if error.code == ErrorCode.UNAUTHORIZED:
                client = scope.get("client") or ("unknown", 0)
                self._limiter.check(address_caller(client[0]))
            raise
        self._count(caller.source, "accepted")
        return body, caller


def _outcome(error: PaoError) -> str | None:
    """Return what became of an identification; None where it was not what failed."""
    if error.code == ErrorCode.UNAUTHORIZED:
        return next((detail.constraint for detail in error.details), "denied")
    return "unavailable" if error.code == ErrorCode.SERVICE_UNAVAILABLE else None


def _is_open(path: str) -> bool:
    return (
        path in OPEN_PATHS | INDEX_PATHS
        or path == DOCS
        or path.startswith((f"{DOCS}/", f"{SCHEMAS}/"))
    )
