"""The pages behind the gate: session, own origin, rate, and the headers of every answer.

Reading a page needs the session's cookie. A change must also come from one of our pages; browsers
say so in `Sec-Fetch-Site`, old ones in `Origin`.
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
# Each of these calls a provider, so they are limited as well.
PROVIDER_PATHS = frozenset({"/signin/oidc", "/signin/oidc/callback", SIGN_IN_BY_ALB})
# These need no session.
STATIC = ("/static/", "/favicon.ico")
READS = frozenset({"GET", "HEAD"})
# Attempts to sign in, of one address: a code cannot be guessed, but asking costs a query.
SIGN_INS_PER_MINUTE = 30
# A whole office may share one address.
PROVIDER_SIGN_INS_PER_MINUTE = 300


class GatedPages:
    """Admits signed-in browsers to all pages, others to the sign-in pages only."""

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
        self._sign_in_limiter = RateLimiter(SIGN_INS_PER_MINUTE, replicas=replicas)
        self._provider_limiter = RateLimiter(PROVIDER_SIGN_INS_PER_MINUTE, replicas=replicas)
        self._sessions = sessions

    async def serve(self, scope: Scope, receive: Receive, send: ResponseSender) -> None:
        """Find the session, then call the application; without one, redirect to the sign-in."""
        send.extra.update(HEADERS)
        balancer_token = _remove_claims(scope)
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
            sign_in_path = await self._admit(scope, headers, balancer_token)
        except PaoError:
            scope["state"]["untouched"] = scope["method"] not in READS
            with suppress(PaoError):
                await self._keep_input(scope, headers, receive)
            raise
        if sign_in_path is not None:
            await self._keep_input(scope, headers, receive)
            await _sign_in_redirect(sign_in_path, scope, headers)(scope, receive, send)
            return
        body = await self._read(scope, headers, receive)
        await self._app(scope, replay_body(body, receive), send)

    async def _admit(self, scope: Scope, headers: Headers, balancer_token: str) -> str | None:
        """Set the session of the call, within limits; return where to sign in if there is none."""
        path = scope["path"]
        address = address_caller((scope.get("client") or ("unknown",))[0])
        if path in PROVIDER_PATHS:
            self._provider_limiter.check(address)
        session = await self._session(scope, headers, balancer_token)
        scope["state"]["session"] = session
        if path == SIGN_IN_BY_ALB:
            await self._note_balancer_user(scope, balancer_token)
        elif session is not None:
            scope["state"]["principal"] = session.caller
            self._limiter.check(f"session:{session.id}")
        elif path != SIGN_IN and path not in PROVIDER_PATHS:
            return SIGN_IN_BY_ALB if self._balancer and balancer_token else SIGN_IN
        elif scope["method"] not in READS:
            self._sign_in_limiter.check(address)
        return None

    async def _read(self, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        self._bodies.refuse_by_headers(headers)
        body = await self._bodies.read(receive)
        if can_be_kept(scope):
            scope["state"]["posted"] = body
        return body

    async def _keep_input(self, scope: Scope, headers: Headers, receive: Receive) -> None:
        """Read the posted form, so that an error page can return it."""
        if can_be_kept(scope):
            await self._read(scope, headers, receive)

    def refusal(self, scope: Scope, error: PaoError) -> Response:
        """Return a page that says why."""
        return error_pages.error_page(scope, error)

    def internal_error(self, scope: Scope, error: Exception) -> Response:
        """Return a page with the id to ask with."""
        return error_pages.internal_error_page(scope, error)

    async def _session(
        self, scope: Scope, headers: Headers, balancer_token: str
    ) -> BrowserSession | None:
        token = cookie_parser(headers.get("cookie", "")).get(self._address.cookie(scope))
        session = await self._sessions.find(token) if token else None
        if session is None or session.caller.source != ALB:
            return session
        # A user that the balancer no longer names was signed out there.
        user = await self._balancer_user(balancer_token)
        return session if user and user.user_id == session.caller.id else None

    async def _balancer_user(self, balancer_token: str) -> ClaimedUser | None:
        if self._balancer is None or not balancer_token:
            return None
        try:
            return await self._balancer.read(balancer_token)
        except (SignatureError, ClaimsError):
            return None

    async def _note_balancer_user(self, scope: Scope, balancer_token: str) -> None:
        """Keep for the page the user that the load balancer names, or why its token is invalid."""
        if self._balancer is None:
            raise PaoError(ErrorCode.NOT_FOUND, "")
        if not balancer_token:
            return
        try:
            scope["state"]["balancer_user"] = await self._balancer.read(balancer_token)
        except SignatureError as error:
            _log.warning(
                "the token of a load balancer was rejected: %s: %s", error.reason, error.message
            )
            scope["state"]["balancer_problem"] = (
                f"The load balancer's token was rejected: {error.message}."
            )
        except ClaimsError as error:
            scope["state"]["balancer_problem"] = str(error)

    def _require_own_origin(self, scope: Scope, headers: Headers) -> None:
        fetch_site = headers.get("sec-fetch-site")
        if fetch_site is None:
            own_origin = self._address.of(scope)
            allowed = own_origin is not None and headers.get("origin") == own_origin
        else:
            allowed = fetch_site == "same-origin"
        if not allowed:
            raise PaoError(
                ErrorCode.FORBIDDEN,
                "This was not sent from a page of PAO, so nothing was done. Open the page here and "
                "send it again.",
            )


def _without_null(query: bytes) -> bytes:
    """Remove encoded nulls, which Postgres refuses; removing one may create another."""
    while b"%00" in query:
        query = query.replace(b"%00", b"")
    return query


def _remove_claims(scope: Scope) -> str:
    """Remove all identity claims from a call; return the token of the load balancer.

    Unverified claims reach no page.
    """
    tokens = [value for name, value in scope["headers"] if name == alb.HEADER.encode()]
    scope["headers"] = without_claims(scope["headers"])
    return tokens[0].decode("latin-1") if len(tokens) == 1 else ""


def _sign_in_redirect(page: str, scope: Scope, headers: Headers) -> Response:
    """Redirect to a sign-in page; a posted form is returned on an error page instead."""
    if can_be_kept(scope):
        return error_pages.error_page(scope, PaoError(ErrorCode.UNAUTHORIZED, "", status=401))
    if scope["method"] not in READS or headers.get("hx-request-type") == "partial":
        return _session_expired()
    accepted = headers.get("accept", "*/*")
    if "text/html" not in accepted and "*/*" not in accepted:
        return _session_expired()
    query = scope["query_string"].decode("latin-1")
    here = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"{page}?to={quote(here)}" if here != "/" else page, 303)


def _session_expired() -> Response:
    return PlainTextResponse("Your session has expired: sign in again.", 401)
