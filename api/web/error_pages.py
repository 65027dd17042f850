"""Errors in plain words: what happened, what it means, what to do."""

import logging
import re

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.web.kept_input import KeptInput, kept_input
from api.web.rendering import render_page
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.crypto import SecretUnreadableError

_log = logging.getLogger(__name__)

NOT_THERE, SIGNED_OUT, TOO_MANY, OURS = 404, 401, 429, 500
# Not found, not allowed and not readable look alike: guessing addresses reveals nothing.
_ABSENT = frozenset({400, 404, 405, 422})
_NOTHING = {
    "/requests/": _("There is no such request, or you do not have access to it."),
    "/catalog/": _("There is no such service, or you do not have access to it."),
    "/drafts/": _("There is no such form, or you do not have access to it."),
}
_NO_PAGE = _("There is no such page, or you do not have access to it.")
_AGAIN = re.compile(r"[.;,]? ?[Tt]ry again( in (a moment|[0-9]+ s))?\.?$")


def error_page(scope: Scope, error: PaoError) -> Response:
    """Return the page of an expected error."""
    status = NOT_THERE if error.status in {404, 405} else error.status
    title, advice = _words(error, status, scope)
    headers = dict(error.headers or {})
    headers.pop("WWW-Authenticate", None)
    return render_page(
        scope,
        "layout/error.html",
        status=status,
        headers=headers,
        title=title,
        message=_without_advice(error.message, advice) if status != NOT_THERE else "",
        advice=advice,
        details=[detail.message for detail in error.details],
        quote=status >= OURS,
        untouched=scope.get("state", {}).get("untouched", False),
        signed_out=status == SIGNED_OUT,
        kept=_kept_input(scope, status),
    )


def internal_error_page(scope: Scope, error: BaseException) -> Response:
    """Return the page of an unexpected error, and log it in full."""
    _log.error("an unexpected error", exc_info=error)
    return error_page(scope, PaoError(ErrorCode.INTERNAL_ERROR, ""))


def install(app: FastAPI) -> None:
    """Answer every error of the pages with a page."""

    @app.exception_handler(PaoError)
    async def show_pao_error(request: Request, error: PaoError) -> Response:
        return error_page(request.scope, error)

    @app.exception_handler(SecretUnreadableError)
    async def show_unreadable_secret(request: Request, error: SecretUnreadableError) -> Response:
        _log.error("a stored secret cannot be decrypted: %s", error)
        unavailable = PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            _("A password that was entered before can no longer be decrypted."),
        )
        return error_page(request.scope, unavailable)

    @app.exception_handler(RequestValidationError)
    async def show_invalid_request(request: Request, _error: RequestValidationError) -> Response:
        return error_page(request.scope, PaoError(ErrorCode.NOT_FOUND, ""))

    @app.exception_handler(HTTPException)
    async def show_http_error(request: Request, error: HTTPException) -> Response:
        status = NOT_THERE if error.status_code in _ABSENT else error.status_code
        return error_page(request.scope, PaoError(ErrorCode.NOT_FOUND, "", status=status))

    @app.exception_handler(Exception)
    async def show_unexpected_error(request: Request, error: Exception) -> Response:
        return internal_error_page(request.scope, error)


def _kept_input(scope: Scope, status: int) -> KeptInput | None:
    """Return the posted form where it could not be processed although it may be valid."""
    body: bytes | None = scope.get("state", {}).get("posted")
    if body is None or not (status in {SIGNED_OUT, TOO_MANY} or status >= OURS):
        return None
    return kept_input(scope, body)


def _without_advice(message: str, advice: str) -> str:
    """Return a message without its advice to try again, which the page gives more precisely."""
    shortened = _AGAIN.sub("", message)
    return f"{shortened}." if advice and shortened != message else message


def _words(error: PaoError, status: int, scope: Scope) -> tuple[str, str]:
    """Return the title of an error's page, and what to do."""
    wait = (error.headers or {}).get("Retry-After")
    again = _("Try again in %(seconds)s s.") % {"seconds": wait} if wait else _("Try again.")
    if status == NOT_THERE:
        texts = (text for start, text in _NOTHING.items() if scope["path"].startswith(start))
        return _("Not found"), next(texts, _NO_PAGE)
    if status == SIGNED_OUT:
        return _("Your session has expired"), _("Sign in; then send this again.")
    if error.code == ErrorCode.INTERNAL_ERROR:
        is_read = scope["method"] in {"GET", "HEAD"}
        check_first = _("It may or may not have been carried out: check first.")
        return _("Something went wrong on our side"), again if is_read else check_first
    # Without a time to wait, trying again does not help.
    unavailable = (
        (_("PAO is temporarily unavailable"), again) if wait else (_("Not possible now"), "")
    )
    by_code = {
        ErrorCode.RATE_LIMIT_EXCEEDED: (_("Too many requests"), again),
        ErrorCode.SERVICE_UNAVAILABLE: unavailable,
        ErrorCode.FORBIDDEN: (_("This is not allowed"), ""),
    }
    return by_code.get(error.code, (_("This did not work"), ""))
