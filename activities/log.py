"""The execution log of an action: masked, bounded lines."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pao.runtime.masking import SecretMasks

LINES = 500
MESSAGE_CHARACTERS = 2_000
DATA_BYTES = 8 * 1024
LOG_FULL = "The action's log is full; further lines are dropped."

Level = Literal["info", "warning", "error"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line as it is stored; ``key`` is unique within its action's attempt.

    The same line from a repeated execution has the same key, so it is stored once.
    """

    key: str
    at: datetime
    level: Level
    message: str
    data: dict[str, Any] = field(default_factory=dict)


class LogSink(Protocol):
    """Where lines go."""

    async def write(self, line: LogLine) -> None:
        """Write a line; never raises, and never blocks for long."""
        ...

    async def flush(self) -> None:
        """Store pending lines, as far as possible within a few seconds."""
        ...


class LocalSink:
    """Writes to the process's own log, for actions without a request's log."""

    async def write(self, line: LogLine) -> None:
        """Log the line."""
        _log.info("an action says: %s", line.message)

    async def flush(self) -> None:
        """Do nothing: lines are logged at once."""


class ActionLog:
    """The log of one execution. Lines beyond its limit are dropped, which is logged once."""

    def __init__(self, sink: LogSink | None = None, secrets: SecretMasks | None = None) -> None:
        self._sink = sink or LocalSink()
        self._secrets = secrets or SecretMasks()
        self._counts: dict[str, int] = {}
        self._lines = 0

    async def info(self, message: str, data: Mapping[str, Any] | None = None) -> None:
        """Log progress."""
        await self._write("info", message, data or {})

    async def warning(self, message: str, data: Mapping[str, Any] | None = None) -> None:
        """Log what a person should know although the action continues."""
        await self._write("warning", message, data or {})

    async def flush(self) -> None:
        """Store pending lines."""
        await self._sink.flush()

    async def _write(self, level: Level, message: str, data: Mapping[str, Any]) -> None:
        self._lines += 1
        if self._lines > LINES:
            return
        if self._lines == LINES:
            level, message, data = "warning", LOG_FULL, {}
        shown = self._secrets.hide(message)[:MESSAGE_CHARACTERS]
        kept = _limit_data(self._secrets.hide_in(dict(data)))
        await self._sink.write(
            LogLine(
                key=self._key(level, shown, kept),
                at=datetime.now(UTC),
                level=level,
                message=shown,
                data=kept,
            )
        )

    def _key(self, level: Level, message: str, data: dict[str, Any]) -> str:
        content = json.dumps([level, message, data], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        self._counts[digest] = self._counts.get(digest, 0) + 1
        return f"{digest}.{self._counts[digest]}"


def _limit_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return JSON data, or a note if it is too large."""
    text = json.dumps(data, default=str)
    if len(text) > DATA_BYTES:
        return {"leftOut": f"{len(text)} characters of data"}
    read: dict[str, Any] = json.loads(text)
    return read
