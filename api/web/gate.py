"""The pages' side of the gate: session, own origin, rate, and the headers of every answer.

A page is read by whoever holds the session's cookie. What changes something must come from a page
of ours as well; browsers say so in `Sec-Fetch-Site`, old ones in `Origin`.
"""

import logging
from contextlib import suppress
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope

from api.auth.claims import ClaimedUser, ClaimsError
from api.auth.signature_errors import SignatureError
from api.auth.sources.identities import without_claims
from api.gate import ResponseSender
from api.ratelimit import RateLimiter, Replicas, address_caller
from api.request_body import BodyLimits, replay_body
from api.sessions import alb
from api.sessions.address import WebAddress
from api.sessions.service import BrowserSession, SessionService
from api.sessions.sign_in_methods import ALB
from api.web import error_pages
from api.web.kept_input import can_be_kept
from pao.core.errors import ErrorCode, PaoError

_log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
SIGN_IN, SIGN_IN_BY_ALB = "/signin", "/signin/alb"
# By a provider: each is a call to it, so they are limited as well.
PROVIDED = frozenset({"/signin/oidc", "/signin/oidc/callback", SIGN_IN_BY_ALB})
# Nobody needs a session for these.
STATIC = ("/static/", "/favicon.ico")
READS = frozenset({"GET", "HEAD"})
# Attempts to sign in, of one address: a code cannot be guessed, but asking costs a query.
SIGN_INS_PER_MINUTE = 30
# A whole office may come by one address at nine o'clock.
PROVIDED_PER_MINUTE = 300


class GatedPages:
    """Admits whoever is signed in, and anybody to the page where one signs in."""

    def __init__(  # noqa: PLR0913 -- its parts, each named
        self,
        app: ASGIApp,
        *,
        address: WebAddress,
        balancer: alb.AlbSignIn | None,
        bodies: BodyLimits,
        per_minute: int,
        replicas: Replicas,
        sessions: SessionService,
    ) -> None:
        self._app = app
        self._address = address
        self._balancer = balancer
        self._bodies = bodies
        self._limiter = RateLimiter(per_minute, replicas=replicas)
        self._sign_ins = RateLimiter(SIGN_INS_PER_MINUTE, replicas=replicas)
        self._provided = RateLimiter(PROVIDED_PER_MINUTE, replicas=replicas)
        self._sessions = sessions

    async def serve(self, scope: Scope, receive: Receive, send: ResponseSender) -> None:
        """Find the session, then call the application; without one, lead to the sign-in."""
        send.extra.update(HEADERS)
        vouched = _taken_out(scope)
        headers, path = Headers(scope=scope), scope["path"]
        if "\0" in path:
            raise PaoError(ErrorCode.NOT_FOUND, "")
        scope["query_string"] = _without_null(scope["query_string"])
        if path.startswith(STATIC):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in READS:
            self._require_own_origin(scope, headers)
        try:
            away = await self._admitted(scope, headers, vouched)
        except PaoError:
            scope["state"]["untouched"] = scope["method"] not in READS
            with suppress(PaoError):
                await self._keep(scope, headers, receive)
            raise
        if away is not None:
            await self._keep(scope, headers, receive)
            await _led(away, scope, headers)(scope, receive, send)
            return
        body = await self._read(scope, headers, receive)
        await self._app(scope, replay_body(body, receive), send)

    async def _admitted(self, scope: Scope, headers: Headers, vouched: str) -> str | None:
        """Find whose call it is, within limits; return where to sign in for nobody's."""
        path = scope["path"]
        address = address_caller((scope.get("client") or ("unknown",))[0])
        if path in PROVIDED:
            self._provided.check(address)
        session = await self._session(scope, headers, vouched)
        scope["state"]["session"] = session
        if path == SIGN_IN_BY_ALB:
            await self._hear(scope, vouched)
        elif session is not None:
            scope["state"]["principal"] = session.caller
            self._limiter.check(f"session:{session.id}")
        elif path != SIGN_IN and path not in PROVIDED:
            return SIGN_IN_BY_ALB if self._balancer and vouched else SIGN_IN
        elif scope["method"] not in READS:
            self._sign_ins.check(address)
        return None

    async def _read(self, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        self._bodies.refuse_by_headers(headers)
        body = await self._bodies.read(receive)
        if can_be_kept(scope):
            scope["state"]["posted"] = body
        return body

    async def _keep(self, scope: Scope, headers: Headers, receive: Receive) -> None:
        """Read what a person has sent, so that the page of an error can give it back."""
        if can_be_kept(scope):
            await self._read(scope, headers, receive)

    def refusal(self, scope: Scope, error: PaoError) -> Response:
        """Return a page that says why."""
        return error_pages.error_page(scope, error)

    def internal_error(self, scope: Scope, error: Exception) -> Response:
        """Return a page with the id to ask with."""
        return error_pages.internal_error_page(scope, error)

    async def _session(self, scope: Scope, headers: Headers, vouched: str) -> BrowserSession | None:
        token = cookie_parser(headers.get("cookie", "")).get(self._address.cookie(scope))
        session = await self._sessions.find(token) if token else None
        if session is None or session.caller.source != ALB:
            return session
        # Who the balancer does not name any more, or not again, is signed out there.
        known = await self._known(vouched)
        return session if known and known.user_id == session.caller.id else None

    async def _known(self, vouched: str) -> ClaimedUser | None:
        if self._balancer is None or not vouched:
            return None
        try:
            return await self._balancer.read(vouched)
        except (SignatureError, ClaimsError):
            return None

    async def _hear(self, scope: Scope, vouched: str) -> None:
        """Keep for the page what the load balancer says, or why that is not believed."""
        if self._balancer is None:
            raise PaoError(ErrorCode.NOT_FOUND, "")
        if not vouched:
            return
        try:
            scope["state"]["vouched"] = await self._balancer.read(vouched)
        except SignatureError as error:
            _log.warning("a load balancer was not believed: %s: %s", error.reason, error.message)
            scope["state"]["not_vouched"] = f"The load balancer is not believed: {error.message}."
        except ClaimsError as error:
            scope["state"]["not_vouched"] = str(error)

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


def _without_null(query: bytes) -> bytes:
    """Leave out what no key sends and no text in Postgres has; taking one out may make another."""
    while b"%00" in query:
        query = query.replace(b"%00", b"")
    return query


def _taken_out(scope: Scope) -> str:
    """Take whatever claims an identity out of a call; return what it says of the browser.

    What nobody has verified reaches no page.
    """
    said = [value for name, value in scope["headers"] if name == alb.HEADER.encode()]
    scope["headers"] = without_claims(scope["headers"])
    return said[0].decode("latin-1") if len(said) == 1 else ""


def _led(page: str, scope: Scope, headers: Headers) -> Response:
    """Lead to a page where one signs in; what was sent is given back instead."""
    if can_be_kept(scope):
        return error_pages.error_page(scope, PaoError(ErrorCode.UNAUTHORIZED, "", status=401))
    if scope["method"] not in READS or headers.get("hx-request-type") == "partial":
        return _signed_out()
    accepted = headers.get("accept", "*/*")
    if "text/html" not in accepted and "*/*" not in accepted:
        return _signed_out()
    query = scope["query_string"].decode("latin-1")
    here = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"{page}?to={quote(here)}" if here != "/" else page, 303)


def _signed_out() -> Response:
    return PlainTextResponse("Your session has expired: sign in again.", 401)
