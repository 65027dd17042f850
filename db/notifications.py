"""Waiting for changes of requests: one listening connection per process, shared by all waiters.

Subscriptions to other channels, such as the catalog's, use the same connection. Each new connection
is tested: behind a pooler in transaction mode, LISTEN is accepted and nothing is ever received.
"""

import asyncio
import contextlib
import logging
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self

import asyncpg

from db.availability import DatabaseUnavailableError, describe_error, translate_errors
from db.connections import PasswordSource, connect, connection
from db.repositories.connections import LISTENER
from db.repositories.mirror_sql import CHANNEL
from pao.runtime.background import BackgroundTask

ECHO = "pao_echo"
"""The channel on which a process notifies itself."""

ECHO_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 15.0
"""How often an idle connection is pinged; only that reveals a half-open one."""

NOT_RECEIVED_YET = "this process has not received its own notification yet"
NOT_RECEIVED = (
    "database notifications are not received: connect directly, or through a pooler in session"
    " mode (not transaction pooling, not RDS Proxy)"
)

_CONNECT_SECONDS = 5.0
_LOG = logging.getLogger(__name__)


class Watch:
    """Whether a waiter's request has changed since it last looked."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Record a change."""
        self._changed.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a change since the last answer; return whether there was one in time.

        ``True`` may come without a change (the connection was lost meanwhile): query the database.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class RequestNotifications:
    """Receives every committed change of a request, by any process.

    Use it as an async context manager. While the database is unavailable it keeps reconnecting;
    all waiters are woken when it has, because something may have been missed.
    """

    def __init__(
        self,
        url: str,
        *,
        password: PasswordSource | None = None,
        echo_seconds: float = ECHO_SECONDS,
    ) -> None:
        self._url = url
        self._password = password
        self._echo_seconds = echo_seconds
        self._echo = ""
        self._echoed = asyncio.Event()
        self._checked = asyncio.Event()
        self._interrupted: str | None = None
        self.problem: str | None = NOT_RECEIVED_YET
        """Why changes are not received; ``None`` once the newest connection has been checked."""
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._subscribers: dict[str, Callable[[], None]] = {}
        self._listening = asyncio.Event()
        self.task = BackgroundTask("request-notifications", self._keep_listening)

    async def __aenter__(self) -> Self:
        await self.task.__aenter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.task.__aexit__()

    def subscribe(self, channel: str, callback: Callable[[], None]) -> None:
        """Call ``callback`` at every notification of another channel, on the same connection.

        It is also called after each connection: something may have been missed. Subscribe before
        listening begins.
        """
        self._subscribers[channel] = callback

    @contextmanager
    def watch(self, *request_ids: str) -> Iterator[Watch]:
        """Watch requests. Watch first, then read, then wait, so that no change is missed."""
        watch = Watch()
        for request_id in request_ids:
            self._watches[request_id].add(watch)
        try:
            yield watch
        finally:
            for request_id in request_ids:
                self._watches[request_id].discard(watch)
                if not self._watches[request_id]:
                    del self._watches[request_id]

    async def wait(self, request_id: str, seconds: float) -> bool:
        """Wait for the next change of a request; return whether there was one in time."""
        with self.watch(request_id) as watch:
            return await watch.wait(seconds)

    async def wait_until_listening(self) -> None:
        """Return as soon as changes are received."""
        await self._listening.wait()

    async def wait_until_checked(self) -> None:
        """Return once a connection has been checked; ``problem`` has the result."""
        await self._checked.wait()

    async def _keep_listening(self) -> None:
        while True:
            try:
                with translate_errors():
                    async with self._connection() as connection:
                        await self._listen(connection)
            except DatabaseUnavailableError as error:
                self._log_interruption(describe_error(error.__cause__))
            except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._log_interruption(describe_error(error))
            self._listening.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _log_interruption(self, reason: str) -> None:
        """Log an interruption, once per reason."""
        if reason != self._interrupted:
            _LOG.warning("request notifications are interrupted: %s", reason)
        self._interrupted = reason

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        line = await connect(
            self._url,
            password=self._password,
            timeout=_CONNECT_SECONDS,
            command_timeout=_CONNECT_SECONDS,
            application_name=LISTENER,
        )
        try:
            yield line
        finally:
            line.terminate()

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Listen until the connection breaks; return at once if nothing is received on it."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener(CHANNEL, self._on_change)
        await connection.add_listener(ECHO, self._on_echo)
        for channel in self._subscribers:
            await connection.add_listener(channel, self._on_other)
        self.problem = None if await self._is_echo_received() else NOT_RECEIVED
        self._checked.set()
        if self.problem:
            _LOG.error(self.problem)
            return
        if self._interrupted is not None:
            _LOG.info("request notifications are received again")
            self._interrupted = None
        self._listening.set()
        self.task.mark_healthy()
        for callback in self._subscribers.values():
            callback()
        for request_id in list(self._watches):
            self._wake(request_id)
        while not lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await lost.wait()
            if not lost.is_set():
                await connection.execute("SELECT 1")

    async def _is_echo_received(self) -> bool:
        """Notify this process and return whether it was received.

        On another connection: a pooler may deliver a notification to the connection it came from.
        """
        self._echo, self._echoed = secrets.token_hex(8), asyncio.Event()
        async with connection(
            self._url, password=self._password, timeout=_CONNECT_SECONDS
        ) as other:
            await other.execute(f"NOTIFY {ECHO}, '{self._echo}'")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._echo_seconds):
                await self._echoed.wait()
        return self._echoed.is_set()

    def _on_echo(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        # Every process receives the echoes of all.
        if payload == self._echo:
            self._echoed.set()

    def _on_change(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._wake(str(payload))

    def _on_other(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        self._subscribers[channel]()

    def _wake(self, request_id: str) -> None:
        for watch in self._watches.get(request_id, ()):
            watch.wake()
