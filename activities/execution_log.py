"""Stores the log lines of actions in batches, so that no action waits for the database."""

import asyncio
import contextlib
import logging
from collections import deque

from activities.log import LogLine, LogSink
from db.repositories.events import EventsRepository, NewLine
from db.session import Database
from pao.core.errors import PaoError
from pao.core.payloads.actions import ActionInput, FollowInput
from pao.core.timestamps import timestamp

# How long lines of one action are collected for one write.
GATHER_SECONDS = 0.2
FLUSH_SECONDS = 3.0
RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class ExecutionLogs:
    """Opens the execution log of one execution, in Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, action_input: ActionInput) -> LogSink:
        """Return where the lines of this execution go."""
        return StoredLog(self._database, action_input)


class StoredLog:
    """Writes lines in the background; those that cannot be stored are dropped, with a warning."""

    def __init__(self, database: Database, action_input: ActionInput) -> None:
        self._database = database
        self._request = action_input.context.request_id
        self._about = {"actionId": action_input.action.id, "attempt": action_input.attempt}
        # Entries of the workflow's ledger have only the run here.
        self._writer = f"{action_input.run_id or 'look'} {action_input.action.id}"
        phase = "follow" if isinstance(action_input, FollowInput) else "execute"
        self._prefix = f"{action_input.attempt}.{phase}"
        self._queue: deque[LogLine] = deque()
        self._writer_task: asyncio.Task[None] | None = None

    async def write(self, line: LogLine) -> None:
        """Queue a line; it is stored shortly after."""
        self._queue.append(line)
        if self._writer_task is None or self._writer_task.done():
            self._writer_task = asyncio.create_task(self._write_after_pause())

    async def flush(self) -> None:
        """Store queued lines, for a few seconds at most."""
        if self._writer_task is not None:
            self._writer_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer_task
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._write_all()
        if self._queue:
            _log.warning(
                "the database is unavailable; %d lines of an action's log are lost",
                len(self._queue),
            )

    async def _write_after_pause(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        await self._write_all()

    async def _write_all(self) -> None:
        while self._queue:
            batch = list(self._queue)
            try:
                await self._store(batch)
            except PaoError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for _ in batch:
                self._queue.popleft()

    async def _store(self, batch: list[LogLine]) -> None:
        lines = [self._to_new_line(position, line) for position, line in enumerate(batch)]
        async with self._database.unit_of_work() as session:
            await EventsRepository(session).append_lines(self._request, self._writer, lines)

    def _to_new_line(self, position: int, line: LogLine) -> NewLine:
        data = {"level": line.level, **self._about, "message": line.message, "data": line.data}
        return NewLine(position, f"{self._prefix}.{line.key}", timestamp(line.at), data)
