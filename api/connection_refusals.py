"""Answers to connections that are refused before there is a request."""

from http import HTTPStatus
from uuid import uuid4

from api.error_responses import envelope
from pao.core.errors import ErrorCode, PaoError


def head_too_large(limit: int) -> PaoError:
    """Return the refusal of a head that is larger than ``limit`` bytes."""
    return PaoError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        f"The request line and headers are larger than {limit} bytes; send less.",
        status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        headers={"Connection": "close"},
    )


def response_bytes(error: PaoError) -> bytes:
    """Return an error as the bytes of a whole answer, for where there is no request yet."""
    body = envelope(error, str(uuid4())).model_dump_json().encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **(error.headers or {}),
        "Connection": "close",
    }
    status = HTTPStatus(error.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def not_http() -> PaoError:
    """Return the refusal of bytes that are no request."""
    return PaoError(
        ErrorCode.VALIDATION_ERROR,
        "This is not an HTTP/1.1 request; check the client.",
        status=HTTPStatus.BAD_REQUEST,
    )


def head_late() -> PaoError:
    """Return the refusal of a head that did not arrive in time."""
    return PaoError(
        ErrorCode.VALIDATION_ERROR,
        "The request line and headers did not arrive in time; send them without delay.",
        status=HTTPStatus.REQUEST_TIMEOUT,
    )


def too_many(of: str) -> PaoError:
    """Return the refusal of one connection more, of an address or of all."""
    headers = {"Retry-After": "1"}
    if of == "address":
        return PaoError(
            ErrorCode.RATE_LIMIT_EXCEEDED,
            "Too many connections from this address are busy; use fewer.",
            headers=headers,
        )
    return PaoError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "All connections of this process are busy; try again.",
        headers=headers,
    )
