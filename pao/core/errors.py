"""Errors with a stable code: what a caller can branch on. Transport shapes do not belong here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """The codes of the error envelope; they are part of the API's contract."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    CATALOG_ITEM_NOT_FOUND = "CATALOG_ITEM_NOT_FOUND"
    REQUEST_NOT_FOUND = "REQUEST_NOT_FOUND"
    AMBIGUOUS_REFERENCE = "AMBIGUOUS_REFERENCE"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    INVALID_STATE_TRANSITION = "INVALID_STATE_TRANSITION"
    FIELDS_ALREADY_USED = "FIELDS_ALREADY_USED"
    EXISTS_WITH_FORMER_VALUES = "EXISTS_WITH_FORMER_VALUES"
    WOULD_LEAVE_BEHIND = "WOULD_LEAVE_BEHIND"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    ACTION_FAILED = "ACTION_FAILED"
    EXTERNAL_SERVICE_ERROR = "EXTERNAL_SERVICE_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


HTTP_STATUS: dict[ErrorCode, int] = {
    ErrorCode.VALIDATION_ERROR: 422,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.CATALOG_ITEM_NOT_FOUND: 404,
    ErrorCode.REQUEST_NOT_FOUND: 404,
    ErrorCode.AMBIGUOUS_REFERENCE: 400,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.INVALID_STATE_TRANSITION: 409,
    ErrorCode.FIELDS_ALREADY_USED: 409,
    ErrorCode.EXISTS_WITH_FORMER_VALUES: 409,
    ErrorCode.WOULD_LEAVE_BEHIND: 409,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.RATE_LIMIT_EXCEEDED: 429,
    ErrorCode.ACTION_FAILED: 502,
    ErrorCode.EXTERNAL_SERVICE_ERROR: 502,
    ErrorCode.SERVICE_UNAVAILABLE: 503,
    ErrorCode.INTERNAL_ERROR: 500,
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is wrong: where, which constraint, and what was expected instead."""

    field: str
    constraint: str
    message: str
    received: Any = None
    expected: Any = None


class PaoError(Exception):
    """An error reported to the caller: a code, a sentence that says what to do, details.

    ``status`` overrides the HTTP status of the code where one code has two (a body that cannot be
    read is a 400 ``VALIDATION_ERROR``); ``headers`` go out with the answer (``Retry-After``).
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        details: tuple[Detail, ...] = (),
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.status = status or HTTP_STATUS[code]
        self.headers = headers or {}
