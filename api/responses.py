"""What the OpenAPI document says about answers: examples, and the envelope of every error."""

from typing import Any

from pao.core.errors import ErrorCode

ERRORS: dict[int, tuple[str, ErrorCode, str]] = {
    400: ("The request cannot be read", ErrorCode.VALIDATION_ERROR, "The request cannot be read."),
    401: ("Not authenticated", ErrorCode.UNAUTHORIZED, "The signature does not match."),
    403: ("Not allowed", ErrorCode.FORBIDDEN, "This item may be requested by: team-data."),
    404: ("Not there, or not yours", ErrorCode.REQUEST_NOT_FOUND, "There is no such request."),
    408: ("The body came too slowly", ErrorCode.VALIDATION_ERROR, "The body did not arrive."),
    409: (
        "Not possible now",
        ErrorCode.INVALID_STATE_TRANSITION,
        "The request is completed: retry is not possible.",
    ),
    413: ("Too large", ErrorCode.PAYLOAD_TOO_LARGE, "The body is larger than 1048576 bytes."),
    422: ("Values are not right", ErrorCode.VALIDATION_ERROR, "1 field is not right."),
    429: ("Too many calls", ErrorCode.RATE_LIMIT_EXCEEDED, "60 calls a minute are allowed."),
    500: ("Our fault", ErrorCode.INTERNAL_ERROR, "Something broke on our side."),
    502: (
        "An outside system failed",
        ErrorCode.EXTERNAL_SERVICE_ERROR,
        "The escalation ticket could not be created.",
    ),
    503: ("A part is away", ErrorCode.SERVICE_UNAVAILABLE, "The database does not answer."),
}

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "correlationId", "timestamp"],
            "properties": {
                "code": {"type": "string", "enum": [str(code) for code in ErrorCode]},
                "message": {"type": "string"},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "constraint", "message"],
                        "properties": {
                            "field": {"type": "string"},
                            "constraint": {"type": "string"},
                            "message": {"type": "string"},
                            "received": {},
                            "expected": {},
                        },
                    },
                },
                "correlationId": {"type": "string", "format": "uuid"},
                "timestamp": {"type": "string", "format": "date-time"},
            },
        }
    },
}


def documented(
    good: dict[int, Any],
    *errors: int,
    media: str = "application/json",
    named: dict[int, dict[str, Any]] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """Give the ``responses`` of a route: an example per good status, the envelope per error.

    What is ``named`` gives a status several, each by a name, in place of its one.
    """
    answers: dict[int | str, dict[str, Any]] = {
        status: {
            "description": "Done",
            "content": {media: {"example": example}},
        }
        for status, example in good.items()
    }
    for status, several in (named or {}).items():
        shown = {name: {"value": value} for name, value in several.items()}
        answers[status]["content"] = {media: {"examples": shown}}
    for status in (*errors, 500):
        answers[status] = _error(status)
    return answers


def _error(status: int) -> dict[str, Any]:
    description, code, message = ERRORS[status]
    example = {
        "error": {
            "code": code,
            "message": message,
            "details": [],
            "correlationId": "3f6c1a52-8f0e-4a43-9b58-0b8f0b6c2d11",
            "timestamp": "2026-03-05T14:07:09.123Z",
        }
    }
    return {
        "description": description,
        "content": {"application/json": {"schema": ENVELOPE, "example": example}},
    }
