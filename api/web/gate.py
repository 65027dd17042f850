"""The pages' side of the gate: session, own origin, rate, and the headers of every answer.

A page is read by whoever holds the session's cookie. What changes something must come from a page
of ours as well; browsers say so in `Sec-Fetch-Site`, old ones in `Origin`.
"""

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope

from api.gate import Outgoing
from api.incoming import BodyLimits, replayed
from api.ratelimit import RateLimiter, Replicas, address_caller
from api.sessions.address import WebAddress
from api.sessions.service import Session, SessionService
from api.web import error_pages
from pao.core.errors import ErrorCode, PaoError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
SIGN_IN = "/signin"
# Nobody needs a session for these.
STATIC = ("/static/", "/favicon.ico")
READS = frozenset({"GET", "HEAD"})
# Attempts to sign in, of one address: a code cannot be guessed, but asking costs a query.
SIGN_INS_PER_MINUTE = 30


class Pages:
    """Admits whoever is signed in, and anybody to the page where one signs in."""

    def __init__(  # noqa: PLR0913 -- its parts, each named
        self,
        app: ASGIApp,
        *,
        address: WebAddress,
        bodies: BodyLimits,
        per_minute: int,
        replicas: Replicas,
        sessions: SessionService,
    ) -> None:
        self._app = app
        self._address = address
        self._bodies = bodies
        self._limiter = RateLimiter(per_minute, replicas=replicas)
        self._sign_ins = RateLimiter(SIGN_INS_PER_MINUTE, replicas=replicas)
        self._sessions = sessions

    async def serve(self, scope: Scope, receive: Receive, send: Outgoing) -> None:
        """Find the session, then call the application; without one, lead to the sign-in."""
        send.extra.update(HEADERS)
        headers, path = Headers(scope=scope), scope["path"]
        if path.startswith(STATIC):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in READS:
            self._require_own_origin(scope, headers)
        session = await self._session(scope, headers)
        scope["state"]["session"] = session
        if session is not None:
            scope["state"]["principal"] = session.caller
            self._limiter.check(f"session:{session.id}")
        elif path != SIGN_IN:
            await _to_sign_in(scope, headers)(scope, receive, send)
            return
        elif scope["method"] not in READS:
            self._sign_ins.check(address_caller((scope.get("client") or ("unknown",))[0]))
        self._bodies.refuse_hopeless(headers)
        body = await self._bodies.read(receive)
        await self._app(scope, replayed(body, receive), send)

    def refused(self, scope: Scope, error: PaoError) -> Response:
        """Return a page that says why."""
        return error_pages.of_error(scope, error)

    def broken(self, scope: Scope, error: Exception) -> Response:
        """Return a page with the id to ask with."""
        return error_pages.of_defect(scope, error)

    async def _session(self, scope: Scope, headers: Headers) -> Session | None:
        token = cookie_parser(headers.get("cookie", "")).get(self._address.cookie(scope))
        return await self._sessions.find(token) if token else None

    def _require_own_origin(self, scope: Scope, headers: Headers) -> None:
        site = headers.get("sec-fetch-site")
        if site is None:
            ours = self._address.of(scope)
            allowed = ours is not None and headers.get("origin") == ours
        else:
            allowed = site == "same-origin"
        if not allowed:
            raise PaoError(
                ErrorCode.FORBIDDEN,
                "This was not sent from a page of PAO, so nothing was done. Open the page here and "
                "send it again.",
            )


def _to_sign_in(scope: Scope, headers: Headers) -> Response:
    if scope["method"] not in READS or headers.get("hx-request-type") == "partial":
        return _signed_out()
    accepted = headers.get("accept", "*/*")
    if "text/html" not in accepted and "*/*" not in accepted:
        return _signed_out()
    query = scope["query_string"].decode("latin-1")
    here = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"{SIGN_IN}?to={quote(here)}" if here != "/" else SIGN_IN, 303)


def _signed_out() -> Response:
    return PlainTextResponse("Your session is over: sign in again.", 401)
