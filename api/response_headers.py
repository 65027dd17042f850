"""The headers of answers, as the OpenAPI document describes them."""

from collections.abc import Iterable
from typing import Any

CORRELATION = "X-Correlation-ID"
RATE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
OF_SUBMISSIONS = ("Location", "Idempotency-Replayed", "Preference-Applied", "Deprecation", "Sunset")
OF_ERRORS = {401: ("WWW-Authenticate",), 429: ("Retry-After", *RATE), 503: ("Retry-After",)}

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
HEADERS: dict[str, dict[str, Any]] = {
    CORRELATION: {
        "description": "The caller's own id if it is a UUID, otherwise a new one",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "RateLimit-Limit": {"description": "Calls allowed per minute", "schema": _NUMBER},
    "RateLimit-Remaining": {"description": "Calls left in this minute", "schema": _NUMBER},
    "RateLimit-Reset": {"description": "Seconds until more are allowed", "schema": _NUMBER},
    "Retry-After": {
        "description": "Seconds to wait before the next try",
        "required": True,
        "schema": _NUMBER,
    },
    "WWW-Authenticate": {"description": "The scheme to sign with", "schema": _TEXT},
    "Location": {"description": "Path of the request", "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "`true` for the result of an earlier call with the same Idempotency-Key",
        "schema": _TEXT,
    },
    "Preference-Applied": {
        "description": "The wait from `Prefer` that was applied",
        "schema": _TEXT,
    },
    "Deprecation": {"description": "`true` when the item is deprecated", "schema": _TEXT},
    "Sunset": {"description": "When a deprecated item is withdrawn (RFC 8594)", "schema": _TEXT},
}


def references(names: Iterable[str]) -> dict[str, Any]:
    """Return the ``headers`` of an answer, by reference to the document's components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
