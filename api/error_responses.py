"""The error envelope: built here and nowhere else, for our own errors and the framework's."""

import logging
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import Scope

from api.request_errors import from_validation
from api.schemas import Error, ErrorBody, ErrorDetail
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.timestamps import timestamp
from pao.runtime.crypto import SecretUnreadableError

_log = logging.getLogger(__name__)

UNAVAILABLE = 503
RETRY_AFTER_SECONDS = "5"
NO_CORRELATION = "00000000-0000-0000-0000-000000000000"
MAX_DETAILS = 200
MAX_FIELD = 200
MAX_MESSAGE = 2_000
BROKEN = (
    "An internal error occurred. The request may or may not have been accepted; "
    "quote the correlation id when you report it."
)
FRAMEWORK_CODES = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
}


def correlation_of(scope: Scope) -> str:
    """Return the correlation id that the gate assigned to this request."""
    return str(scope.get("state", {}).get("correlation_id", NO_CORRELATION))


def envelope(error: PaoError, correlation_id: str) -> Error:
    """Return the one document in which every error is answered."""
    return Error(
        error=ErrorBody(
            code=error.code,
            message=_shorten(error.message + _omitted_details(error), MAX_MESSAGE),
            details=[_detail(detail) for detail in error.details[:MAX_DETAILS]],
            correlation_id=correlation_id,
            timestamp=timestamp(datetime.now(UTC)),
        )
    )


def error_response(error: PaoError, correlation_id: str) -> JSONResponse:
    """Return the response for an error."""
    document = envelope(error, correlation_id).model_dump(mode="json")
    headers = dict(error.headers or {})
    if error.status == UNAVAILABLE:
        headers.setdefault("Retry-After", RETRY_AFTER_SECONDS)
    return JSONResponse(document, status_code=error.status, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error of the application in the envelope."""

    @app.exception_handler(PaoError)
    async def answer_pao_error(request: Request, error: PaoError) -> JSONResponse:
        return error_response(error, correlation_of(request.scope))

    @app.exception_handler(SecretUnreadableError)
    async def answer_unreadable_secret(
        request: Request, error: SecretUnreadableError
    ) -> JSONResponse:
        _log.error("a stored secret cannot be decrypted: %s", error)
        return error_response(_from_lost_key(error), correlation_of(request.scope))

    @app.exception_handler(RequestValidationError)
    async def answer_invalid_request(
        request: Request, error: RequestValidationError
    ) -> JSONResponse:
        return error_response(
            from_validation(error, request.scope.get("route")), correlation_of(request.scope)
        )

    @app.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = FRAMEWORK_CODES.get(error.status_code, ErrorCode.VALIDATION_ERROR)
        text = _framework_text(error, request)
        headers = dict(error.headers or {})
        if error.status_code == FRAMEWORK_NOT_ALLOWED:
            headers["Allow"] = _allowed_methods(request) or headers.get("Allow", "")
        answer = PaoError(code, text, status=error.status_code, headers=headers)
        return error_response(answer, correlation_of(request.scope))

    @app.exception_handler(Exception)
    async def answer_unexpected_error(request: Request, error: Exception) -> JSONResponse:
        return internal_error(error, correlation_of(request.scope))


def internal_error(error: BaseException, correlation_id: str) -> JSONResponse:
    """Return the answer to an unexpected error: logged in full, explained in one sentence."""
    _log.error("an unexpected error", exc_info=error)
    return error_response(PaoError(ErrorCode.INTERNAL_ERROR, BROKEN), correlation_id)


def _detail(detail: Detail) -> ErrorDetail:
    return ErrorDetail(
        field=_shorten(detail.field, MAX_FIELD),
        constraint=detail.constraint,
        message=_shorten(detail.message, MAX_MESSAGE),
        received=detail.received,
        expected=detail.expected,
    )


def _from_lost_key(error: SecretUnreadableError) -> PaoError:
    return PaoError(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"A password of this request cannot be decrypted, so nothing was done: {error}.",
        headers={"Retry-After": "60"},
    )


def _omitted_details(error: PaoError) -> str:
    """Return how many details are omitted, which keeps answers small."""
    more = len(error.details) - MAX_DETAILS
    return f" {more:,} more {'detail is' if more == 1 else 'details are'} left out." * (more > 0)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _framework_text(error: HTTPException, request: Request) -> str:
    if error.status_code == FRAMEWORK_NOT_FOUND:
        return f"Nothing exists at {request.url.path[:200]}; see /api/v1/docs."
    if error.status_code == FRAMEWORK_NOT_ALLOWED:
        return f"{request.method} is not allowed here; see /api/v1/docs."
    return str(error.detail)


def _allowed_methods(request: Request) -> str:
    """Return all methods of a path: the framework knows those of one route only."""
    described: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    methods = {
        method.upper()
        for path, operations in described.items()
        if compile_path(path)[0].fullmatch(request.scope["path"])
        for method in operations
    }
    return ", ".join(sorted(methods))


FRAMEWORK_NOT_FOUND = 404
FRAMEWORK_NOT_ALLOWED = 405
