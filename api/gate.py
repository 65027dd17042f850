"""What every HTTP request passes before any route: correlation, size of its head, the access log.

A plain ASGI middleware: it must hold for paths that no route knows as well. Behind it are two
applications, the API (`/api/`) and the pages for people (everything else). Each
identifies its callers and answers errors in its own form: `signed_calls.py`, `web/gate.py`.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.auth.principal import Principal
from api.connection_refusals import head_too_large, not_http
from pao.core.errors import ErrorCode, PaoError
from pao.runtime import tracing
from pao.runtime.logging import log_fields
from pao.runtime.networks import read_address

_access_log = logging.getLogger("pao.access")

API = "/api/"
PROBED = frozenset(
    f"/api/v1{path}" for path in ("/health", "/health/live", "/health/ready", "/metrics")
)
"""Paths of probes, which are not logged; health logs when its answer changes."""
_OF_REQUEST = re.compile(
    r"(?:/api/v1)?/requests/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|$)", re.IGNORECASE
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# How much of a path is logged; anybody can make it as long as a head may be.
LOGGED_PATH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Bounds of the gate: the largest head in bytes, the most headers."""

    max_head: int = 32 * 1024
    max_headers: int = 100
    correlation_header: str = "X-Correlation-ID"


Observer = Callable[[Scope, int, float], None]


class ResponseSender:
    """Sends what the application answers, with the headers that every answer carries."""

    def __init__(self, send: Send, extra: dict[str, str]) -> None:
        self._send = send
        self.extra = extra
        self.started = False
        self.complete = False
        self.status = 500

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message."""
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


class GatedApp(Protocol):
    """One of the two applications behind the gate."""

    async def serve(self, scope: Scope, receive: Receive, send: ResponseSender) -> None:
        """Identify the caller and call the application; raise ``PaoError`` for a refusal."""
        ...

    def refusal(self, scope: Scope, error: PaoError) -> Response:
        """Return the answer to a refusal."""
        ...

    def internal_error(self, scope: Scope, error: Exception) -> Response:
        """Return the answer to an unexpected error, and log it."""
        ...


class Gate:
    """Admits requests with a modest head, and passes them to the application of their path."""

    def __init__(
        self, *, api: GatedApp, web: GatedApp | None, settings: GateSettings, observe: Observer
    ) -> None:
        self._api = api
        self._web = web
        self._settings = settings
        self._observe = observe
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        correlation = self._correlation(scope)
        scope.setdefault("state", {})["correlation_id"] = correlation
        extra = {self._settings.correlation_header: correlation}
        if self.stopping:
            # The next call of this client finds another process.
            extra["Connection"] = "close"
        outgoing = ResponseSender(send, extra)
        started = time.perf_counter()
        method, headers = method_of(scope), Headers(scope=scope)
        request_id = _request_id_in(scope["path"])
        request_fields = {"requestId": request_id} if request_id else {}
        with (
            log_fields(correlationId=correlation, **request_fields),
            tracing.server_span(
                method, headers, correlation_id=correlation, request_id=request_id
            ) as span,
        ):
            try:
                await self._answer(scope, receive, outgoing)
            finally:
                seconds = time.perf_counter() - started
                tracing.record_response(
                    span, method=method, route=route_of(scope), status=outgoing.status
                )
                self._observe(scope, outgoing.status, seconds)
                _log_access(scope, outgoing.status, seconds)

    async def _answer(self, scope: Scope, receive: Receive, send: ResponseSender) -> None:
        app = self._app_for(scope["path"])
        try:
            self._require_modest_head(scope)
            _require_one_host(scope)
            await app.serve(scope, receive, send)
        except PaoError as error:
            await app.refusal(scope, error)(scope, receive, send)
        except Exception as error:
            # The last resort: an unexpected error is logged in full, and answered.
            if send.complete:
                return
            if send.started:
                raise
            await app.internal_error(scope, error)(scope, receive, send)

    def _app_for(self, path: str) -> GatedApp:
        return self._api if self._web is None or path.startswith(API) else self._web

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

    def _correlation(self, scope: Scope) -> str:
        given = Headers(scope=scope).get(self._settings.correlation_header, "")
        try:
            return str(UUID(given))
        except ValueError:
            return str(uuid4())


def _require_one_host(scope: Scope) -> None:
    """Refuse a call with two Host headers: a proxy may have checked the other one."""
    if len(Headers(scope=scope).getlist("host")) > 1:
        raise not_http()


def method_of(scope: Scope) -> str:
    """Return a call's method, or ``other``: parsers know forty more, of which nothing is served."""
    method: str = scope["method"]
    return method if method in _METHODS else "other"


def route_of(scope: Scope) -> str:
    """Return the template of the route that took a call, or ``none``: callers cannot choose it."""
    return getattr(scope.get("route"), "path", "none")


def _request_id_in(path: str) -> str | None:
    """Return the id of the request that a path is about."""
    found = _OF_REQUEST.match(path)
    return found[1].lower() if found else None


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
            "client": _address_of(scope),
        },
    )


def _address_of(scope: Scope) -> str | None:
    """Return from where a call comes; None for what is no address, whatever a proxy says."""
    try:
        return str(read_address((scope.get("client") or ("",))[0]))
    except ValueError:
        return None
