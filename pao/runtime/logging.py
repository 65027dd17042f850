"""Logging of every process: one handler, JSON or text, the request's ids on each line, no secrets.

Code logs through the standard library; this file only decides how a record is written.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from opentelemetry import trace

from pao.core.names import MASK

_fields: ContextVar[dict[str, str] | None] = ContextVar("pao_log_fields", default=None)

# The standard attributes of a record; all others were given by `extra=`.
# `color_message` is uvicorn's: its message again, with terminal colors.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}

# Keys of a line that `extra=` must not replace.
_OWN = frozenset({"time", "level", "logger", "message"})

_SECRET_NAME = re.compile(
    r"(?:^|_|-)(?:password|passwd|secret|token|api_?key|authorization|signature|cookie"
    r"|encryption_?keys?)$",
    re.IGNORECASE,
)

# Where a camelCase name gets its underscore.
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# Shapes of credentials in running text; the named group is what stays readable.
_SECRET_SHAPES = (
    re.compile(r"(?P<keep>\bSignature=)[0-9a-fA-F]{16,}"),
    re.compile(r"(?P<keep>\bX-Amz-(?:Signature|Security-Token)=)[^&\s\"']+", re.IGNORECASE),
    re.compile(r"(?P<keep>\b(?:Bearer|Basic)\s+)[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE),
    # Bounded, because any caller can have a path of "a-a-a-..." logged.
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/@]++(?=@)", re.IGNORECASE),
    re.compile(
        r"(?P<keep>\b(?:\w+[_-])?(?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s\"',;&}]+",
        re.IGNORECASE,
    ),
)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# A shorter value may occur in the message by chance.
_SHORTEST_MENTION = 3
# A shorter secret would blank out ordinary words.
_SHORTEST_SECRET = 6


class Redactor:
    """Replaces known secret values, and what has the shape of a credential, by a mask."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def __repr__(self) -> str:
        return "Redactor(...)"

    def add(self, secrets: Iterable[str]) -> None:
        """Redact these as well from now on."""
        self._secrets |= {one for one in secrets if len(one) >= _SHORTEST_SECRET}
        by_length = sorted(self._secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, by_length))) if by_length else None

    def text(self, value: str) -> str:
        """Return the text without secrets."""
        if self._pattern is not None:
            value = self._pattern.sub(MASK, value)
        for shape in _SECRET_SHAPES:
            value = shape.sub(rf"\g<keep>{MASK}", value)
        return value

    def value(self, value: Any, name: str = "") -> Any:
        """Return a JSON-like value without secrets; what is not JSON becomes its text."""
        if _SECRET_NAME.search(_HUMP.sub("_", name)):
            return MASK
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                return {str(key): self.value(entry, str(key)) for key, entry in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(entry) for entry in value]
            case _:
                return self.text(str(value))


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time, level, logger, message, ids, extras, traceback."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a newline in the message stays inside its JSON text."""
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.redactor.text(record.getMessage()),
        }
        line |= _ids()
        line |= {name: self.redactor.value(value, name) for name, value in _extras(record)}
        if record.exc_info:
            line["exception"] = self.redactor.text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Writes a record for a person: time, level, logger, message, then ids and extras."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback under it where there is one."""
        message = self.redactor.text(record.getMessage())
        # What the message says need not be repeated; programs read the other format.
        extras = [(name, one) for name, one in _extras(record) if not _mentions(message, one)]
        pairs = _ids() | {name: self.redactor.value(value, name) for name, value in extras}
        fields = "".join(f" {name}={value}" for name, value in pairs.items() if value is not None)
        # A value from outside must not start a new line and pass for a record, nor control the
        # terminal.
        text = _visible(message) + _visible(fields)
        line = f"{_moment(record)} {record.levelname:<7} {record.name}: {text}"
        if record.exc_info:
            line += "\n" + self.redactor.text(self.formatException(record.exc_info))
        return line


def configure_logging(
    *,
    level: str,
    style: Literal["json", "text"],
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    filters: Iterable[logging.Filter] = (),
) -> None:
    """Send every record and warning of the process to one handler; earlier set-up is replaced.

    ``secrets`` are values that must never be written, whatever their place. ``stream`` is standard
    error unless given. ``filters`` see every record before it is written.
    """
    redactor = Redactor(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(redactor) if style == "json" else TextFormatter(redactor))
    for one in filters:
        handler.addFilter(one)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Python would write warnings as lines that are not JSON.
    logging.captureWarnings(capture=True)
    # Their INFO lines repeat each outside call; the calls are spans already.
    # watchfiles logs every look at a folder; the sync logs the result.
    for chatty in ("httpx", "httpcore", "botocore", "urllib3", "watchfiles"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def redact_in_logs(secrets: Iterable[str]) -> None:
    """Redact further secrets in all logs of this process, from now on."""
    values = list(secrets)
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter | TextFormatter):
            handler.formatter.redactor.add(values)


@contextmanager
def log_fields(**fields: str) -> Iterator[None]:
    """Put fields such as ``correlationId`` and ``requestId`` on every record of this context."""
    token = _fields.set({**(_fields.get() or {}), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def add_log_fields(**fields: str) -> None:
    """Put fields on the records of the innermost context, from now on and until its end.

    What becomes known only within a context, such as the id of a request that was just stored, is
    then on the lines that are written at its end as well. Outside any context it lasts as long as
    the task.
    """
    current = _fields.get()
    if current is None:
        _fields.set(fields)
    else:
        current.update(fields)


def set_task_log_fields(**fields: str) -> None:
    """Put fields on every further record of the current task; those around it keep theirs."""
    _fields.set({**(_fields.get() or {}), **fields})


def current_log_fields() -> dict[str, str]:
    """Return a copy of the fields that the present context puts on its records."""
    return dict(_fields.get() or {})


def trace_fields() -> dict[str, str]:
    """Return the ids of the current span as they stand on records; nothing outside of a trace."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return {}
    return {"traceId": f"{span.trace_id:032x}", "spanId": f"{span.span_id:016x}"}


def _ids() -> dict[str, str]:
    return current_log_fields() | trace_fields()


def _extras(record: logging.LogRecord) -> list[tuple[str, Any]]:
    return [
        (f"{name}_" if name in _OWN else name, value)
        for name, value in record.__dict__.items()
        if name not in _STANDARD
    ]


def _mentions(message: str, value: Any) -> bool:
    text = str(value)
    return len(text) >= _SHORTEST_MENTION and text in message


def _visible(text: str) -> str:
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
