"""What every HTTP request passes before any route: correlation, size, identity, rate.

A plain ASGI middleware: it must see the very bytes that were signed, and it must hold for paths
that no route knows as well.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.principal import Principal
from api.auth.raw import RawRequest, raw_request_from_scope
from api.error_responses import answer, broken
from api.ratelimit import RateLimiter, address_caller
from api.refusals import head_too_large
from pao.core.errors import ErrorCode, PaoError
from pao.runtime import tracing
from pao.runtime.logging import log_fields

_access_log = logging.getLogger("pao.access")

BASE = "/api/v1"
OPEN_PATHS = frozenset(
    f"{BASE}{path}"
    for path in ("/health", "/health/ready", "/version", "/metrics", "/openapi.json")
)
PROBED = frozenset(f"{BASE}{path}" for path in ("/health", "/health/ready", "/metrics"))
"""What machines ask for all day; health itself logs when what it answers changes."""
DOCS = f"{BASE}/docs"
_OF_REQUEST = re.compile(
    rf"{BASE}/requests/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})(?:/|$)", re.IGNORECASE
)
# Of a body that is too large, this many times the limit is read and thrown away.
DISCARDED = 8
# Of a path, which anybody may make as long as a head can be, so much is logged.
LOGGED_PATH = 500


class Identity(Protocol):
    """Identifies who signed a request, or raises ``PaoError`` with the reason class."""

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Refuse what can be refused before the body is read; the request has none yet."""
        ...

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return the caller."""
        ...

    async def is_still_good(self, caller: Principal, now: datetime) -> bool:
        """Return whether the caller is still valid, for answers that last long."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Bounds of the gate: the largest head and body in bytes, the time that a body may take."""

    max_body: int
    body_seconds: float
    max_head: int = 32 * 1024
    max_headers: int = 100
    correlation_header: str = "X-Correlation-ID"


Observer = Callable[[Scope, int, float], None]


class Gate:
    """Admits requests that are small enough, signed by a known caller, and not too many."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        identity: Identity,
        limiter: RateLimiter,
        settings: GateSettings,
        observe: Observer,
    ) -> None:
        self._app = app
        self._identity = identity
        self._limiter = limiter
        self._settings = settings
        self._observe = observe
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation = self._correlation(scope)
        scope.setdefault("state", {})["correlation_id"] = correlation
        extra = {self._settings.correlation_header: correlation}
        if self.stopping:
            # The next call of this client finds another process.
            extra["Connection"] = "close"
        outgoing = _Outgoing(send, extra)
        started = time.perf_counter()
        method = scope["method"]
        with (
            log_fields(correlationId=correlation, **_request_in(scope["path"])),
            tracing.serving(method, Headers(scope=scope), correlation_id=correlation) as span,
        ):
            try:
                await self._answer(scope, receive, outgoing)
            finally:
                seconds = time.perf_counter() - started
                tracing.answered(span, method=method, route=route_of(scope), status=outgoing.status)
                self._observe(scope, outgoing.status, seconds)
                _log_access(scope, outgoing.status, seconds)

    async def _answer(self, scope: Scope, receive: Receive, send: "_Outgoing") -> None:
        correlation = scope["state"]["correlation_id"]
        try:
            await self._serve(scope, receive, send)
        except PaoError as error:
            await answer(error, correlation)(scope, receive, send)
        except Exception as error:
            # The last resort: an unexpected error is logged in full and answered in the envelope.
            if send.complete:
                return
            if send.started:
                raise
            await broken(error, correlation)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: "_Outgoing") -> None:
        self._require_modest_head(scope)
        if _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        body, caller = await self._identify(scope, receive)
        scope["state"]["principal"] = caller
        scope["state"]["raw_body"] = body
        send.extra.update(self._limiter.check(caller.id).headers())
        await self._app(scope, _replayed(body, receive), send)

    def _require_modest_head(self, scope: Scope) -> None:
        """Refuse a head that is complete but too large."""
        headers, target = scope["headers"], len(scope["raw_path"]) + len(scope["query_string"])
        size = target + sum(len(name) + len(value) for name, value in headers)
        if size > self._settings.max_head:
            raise head_too_large(self._settings.max_head)
        if len(headers) > self._settings.max_headers:
            raise PaoError(
                ErrorCode.PAYLOAD_TOO_LARGE,
                f"The request has more than {self._settings.max_headers} headers; send fewer.",
                status=431,
                headers={"Connection": "close"},
            )

    async def _identify(self, scope: Scope, receive: Receive) -> tuple[bytes, Principal]:
        """Return the body and who signed it; a body whose head is refused is not read."""
        if _is_hopeless(Headers(scope=scope), self._settings.max_body):
            raise _too_large(self._settings.max_body)
        try:
            head = raw_request_from_scope(scope, b"")
            self._identity.check_head(head, datetime.now(UTC))
            body = await self._read(receive)
            whole = replace(head, body=body)
            return body, await self._identity.authenticate(whole, datetime.now(UTC))
        except PaoError as error:
            if error.code == ErrorCode.UNAUTHORIZED:
                client = scope.get("client") or ("unknown", 0)
                self._limiter.check(address_caller(client[0]))
            raise

    async def _read(self, receive: Receive) -> bytes:
        limit = self._settings.max_body
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                return await _collect(receive, limit)
        except TimeoutError as error:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The body did not arrive in time; send it again.",
                status=408,
                headers={"Connection": "close"},
            ) from error

    def _correlation(self, scope: Scope) -> str:
        given = Headers(scope=scope).get(self._settings.correlation_header, "")
        try:
            return str(UUID(given))
        except ValueError:
            return str(uuid4())


class _Outgoing:
    """Sends what the application answers, with the headers that every answer carries."""

    def __init__(self, send: Send, extra: dict[str, str]) -> None:
        self._send = send
        self.extra = extra
        self.started = False
        self.complete = False
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self.extra.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete = True


def route_of(scope: Scope) -> str:
    """Return the template of the route that took a call, or ``none``: callers cannot choose it."""
    return getattr(scope.get("route"), "path", "none")


def _request_in(path: str) -> dict[str, str]:
    """Return the id of the request that a path is about, as it stands on log lines."""
    found = _OF_REQUEST.match(path)
    return {"requestId": found[1].lower()} if found else {}


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path == DOCS or path.startswith(f"{DOCS}/")


def _is_hopeless(headers: Headers, limit: int) -> bool:
    """Return whether a body is refused before it is read."""
    declared = headers.get("content-length", "0")
    size = int(declared) if declared.isdecimal() else 0
    return size > limit * DISCARDED or (size > limit and "expect" in headers)


async def _collect(receive: Receive, limit: int) -> bytes:
    """Read a body; one that is too large is read further than it is kept.

    A connection that is closed over unread data is reset, and the client never sees the answer.
    """
    parts: list[bytes] = []
    size = 0
    async for part in _pieces(receive):
        size += len(part)
        if size > limit * DISCARDED:
            break
        if size <= limit:
            parts.append(part)
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise PaoError(
                ErrorCode.VALIDATION_ERROR, "The client closed the connection.", status=400
            )
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _too_large(limit: int) -> PaoError:
    return PaoError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        f"The body is larger than {limit} bytes; send less.",
        headers={"Connection": "close"},
    )


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a ``receive`` that replays the body, then continues with the server's own."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    caller: Principal | None = scope["state"].get("principal")
    path = scope["path"][:LOGGED_PATH]
    _access_log.log(
        logging.DEBUG if scope["path"] in PROBED else logging.INFO,
        "%s %s %s",
        scope["method"],
        path,
        status,
        extra={
            "method": scope["method"],
            "path": path,
            "status": status,
            "durationMs": round(seconds * 1000, 1),
            "userId": caller.id if caller else None,
        },
    )
