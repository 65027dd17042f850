"""What the OpenAPI document says about answers: their models and examples, and the errors."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.response_headers import OF_ERRORS, references
from api.schemas import Error, ErrorBody, ResponseBody
from pao.core.errors import ErrorCode

ERRORS: dict[int, tuple[str, ErrorCode, str]] = {
    400: ("The request cannot be read", ErrorCode.VALIDATION_ERROR, "The request cannot be read."),
    401: ("Not authenticated", ErrorCode.UNAUTHORIZED, "The signature does not match."),
    403: ("Not allowed", ErrorCode.FORBIDDEN, "This item may be requested by: team-data."),
    404: (
        "Not found, or not visible to you",
        ErrorCode.REQUEST_NOT_FOUND,
        "There is no such request.",
    ),
    408: ("The body arrived too slowly", ErrorCode.VALIDATION_ERROR, "The body did not arrive."),
    409: (
        "Not possible in this state",
        ErrorCode.INVALID_STATE_TRANSITION,
        "The request is completed: retry is not possible.",
    ),
    431: (
        "Request line or headers too large",
        ErrorCode.PAYLOAD_TOO_LARGE,
        "The request has more than 100 headers; send fewer.",
    ),
    413: ("Too large", ErrorCode.PAYLOAD_TOO_LARGE, "The body is larger than 1048576 bytes."),
    422: (
        "Invalid values",
        ErrorCode.VALIDATION_ERROR,
        "1 field is invalid; correct it and submit again.",
    ),
    429: ("Too many requests", ErrorCode.RATE_LIMIT_EXCEEDED, "60 calls per minute are allowed."),
    500: ("Internal error", ErrorCode.INTERNAL_ERROR, "An internal error occurred."),
    502: (
        "An outside system failed",
        ErrorCode.EXTERNAL_SERVICE_ERROR,
        "The escalation ticket could not be created.",
    ),
    503: (
        "A dependency is unavailable",
        ErrorCode.SERVICE_UNAVAILABLE,
        "The database does not respond.",
    ),
}

ANY = (431, 500)
"""What every call may be answered."""

Example = ResponseBody | Mapping[str, ResponseBody]
"""The example of a status, or several by their names."""


def documented(
    good: Mapping[int, Example], *errors: int, headers: Iterable[str] = ()
) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route: examples, their models and ``headers``, and the errors.

    An example is built from its model, so it always fits its schema.
    """
    answers: dict[int | str, dict[str, Any]] = {
        status: _success(example) | {"headers": references(headers)}
        for status, example in good.items()
    }
    return answers | {status: _error(status) for status in (*errors, *ANY)}


def documented_text(media: str, example: str, *errors: int) -> dict[int | str, dict[str, Any]]:
    """Return the same for a route that answers with text."""
    content = {media: {"schema": {"type": "string"}, "example": example}}
    answers: dict[int | str, dict[str, Any]] = {200: {"description": "Done", "content": content}}
    return answers | {status: _error(status) for status in (*errors, *ANY)}


def _success(example: Example) -> dict[str, Any]:
    if isinstance(example, ResponseBody):
        return _describe("Done", type(example), {"example": example.model_dump(mode="json")})
    models = {type(one) for one in example.values()}
    examples = {name: {"value": one.model_dump(mode="json")} for name, one in example.items()}
    # Of several models the route's own return type is the union; FastAPI would list each twice.
    return _describe("Done", models.pop() if len(models) == 1 else None, {"examples": examples})


def _error(status: int) -> dict[str, Any]:
    description, code, message = ERRORS[status]
    example = Error(
        error=ErrorBody(
            code=code,
            message=message,
            details=[],
            correlation_id="3f6c1a52-8f0e-4a43-9b58-0b8f0b6c2d11",
            timestamp="2026-03-05T14:07:09.123Z",
        )
    )
    response = _describe(description, Error, {"example": example.model_dump(mode="json")})
    return response | {"headers": references(OF_ERRORS.get(status, ()))}


def _describe(
    description: str, model: type[ResponseBody] | None, example: dict[str, Any]
) -> dict[str, Any]:
    answer = {"description": description, "content": {"application/json": example}}
    return answer | ({"model": model} if model else {})
