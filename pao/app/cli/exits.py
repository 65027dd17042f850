"""Errors that end a command: an exit code, a sentence, and what to do about it."""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """The exit codes of `pao`; scripts branch on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    NOT_FOUND = 4
    UNAVAILABLE = 5
    NOT_CLEANED = 6
    INTERRUPTED = 130


class CliError(Exception):
    """A command cannot continue.

    ``details`` are further lines (one per field); ``hint`` says what to do next. ``code`` is the
    service's own, ``retry_after`` the seconds after which to repeat the call. ``refused`` says what
    the service does not accept, by the ids of a form's fields.
    """

    code: str | None = None
    retry_after: float | None = None

    def __init__(
        self,
        message: str,
        *,
        exit_code: ExitCode,
        details: tuple[str, ...] = (),
        hint: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.details = details
        self.hint = hint
        self.correlation_id = correlation_id
        self.refused: Mapping[str, Sequence[str]] = {}


class LostAnswerError(CliError):
    """The call was sent and no response came: whether it took effect is unknown."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(
            f"The answer of {endpoint} was lost ({reason}); the call may have taken effect",
            exit_code=ExitCode.UNAVAILABLE,
        )


_EXIT_CODES = {
    400: ExitCode.USAGE,
    401: ExitCode.DENIED,
    403: ExitCode.DENIED,
    404: ExitCode.NOT_FOUND,
    405: ExitCode.USAGE,
    413: ExitCode.USAGE,
    429: ExitCode.UNAVAILABLE,
}

_HINTS = {
    "UNAUTHORIZED": "Check PAO_ACCESS_KEY_ID, PAO_SECRET_ACCESS_KEY, the region and this clock.",
    "CATALOG_ITEM_NOT_FOUND": "`pao catalog list` shows the items that you may request.",
    "REQUEST_NOT_FOUND": "`pao request list` shows the requests that you may see.",
    "INVALID_STATE_TRANSITION": "`pao request get` shows the current state and what it allows.",
    "IDEMPOTENCY_CONFLICT": "Use a new --idempotency-key for a request that differs.",
    "SERVICE_UNAVAILABLE": "`pao health` shows which part is unavailable.",
    "INTERNAL_ERROR": "Send the correlation id to the operators of the service.",
}

_SERVER_ERROR = 500


def from_envelope(
    status: int, error: dict[str, Any], *, retry_after: str | None = None
) -> CliError:
    """Return the API's error envelope as a ``CliError`` with the exit code of its status."""
    code = str(error.get("code", "unknown error"))
    raw_details = error.get("details")
    message = str(error.get("message") or "no reason was given")
    details = tuple(
        _detail(entry)
        for entry in raw_details or ()
        # A reason that the message already gives is not repeated.
        if isinstance(entry, dict) and str(entry.get("message") or "\0") not in message
    )
    hint = f"Try again in {retry_after} s." if retry_after else _HINTS.get(code)
    if code == "SERVICE_UNAVAILABLE" and retry_after:
        hint = f"{_HINTS[code]} Try again in {retry_after} s."
    cli_error = CliError(
        f"{message} ({code})",
        exit_code=exit_code_of(status),
        details=details,
        hint=hint,
        correlation_id=str(error["correlationId"]) if error.get("correlationId") else None,
    )
    cli_error.code = code
    cli_error.retry_after = float(retry_after) if retry_after and retry_after.isdecimal() else None
    cli_error.refused = _refused_fields(raw_details or ())
    return cli_error


def _refused_fields(details: Sequence[Any]) -> dict[str, list[str]]:
    """Return the messages about each field of a form: ``fields.name``, ``fields.rows[0].name``."""
    refused: dict[str, list[str]] = {}
    for entry in details:
        place = str(entry.get("field") or "") if isinstance(entry, dict) else ""
        raw_details = re.match(r"fields\.([^.\[]+)", place)
        if raw_details:
            refused.setdefault(raw_details[1], []).append(
                str(entry.get("message") or "is not accepted")
            )
    return refused


def exit_code_of(status: int) -> ExitCode:
    """Return the exit code of a refused call's HTTP status; 1 if input or state forbids it."""
    if status >= _SERVER_ERROR:
        return ExitCode.UNAVAILABLE
    return _EXIT_CODES.get(status, ExitCode.FAILED)


def _detail(entry: dict[str, Any]) -> str:
    field = entry.get("field") or "request"
    text = f"{field}: {entry.get('message') or entry.get('constraint') or 'not accepted'}"
    expected = entry.get("expected")
    return f"{text} (expected: {expected})" if expected not in (None, "", [], {}) else text
