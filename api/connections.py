"""Limits on unauthenticated connections: size of the head, time, and number.

uvicorn bounds the size of an unfinished head with h11 only, and the wait for a first or next head,
for a client that does not read, and the number of connections not at all. So both of its protocols
are given the same bounds here.
"""

import asyncio
import logging
import socket
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from api.connection_refusals import head_late, head_too_large, not_http, response_bytes, too_many
from api.ratelimit import address_caller
from pao.core.errors import PaoError
from pao.runtime.networks import Networks

_log = logging.getLogger(__name__)

# Files that the process opens besides connections: database, Temporal, JIRA, logs.
FILES_KEPT_FREE = 200
FEWEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Bounds of one process; seconds and bytes.

    ``idle_seconds`` is longer than balancers keep their connections, so that they close first.
    ``proxies`` are networks whose connections are those of many clients: they have no share.
    """

    most: int = 1000
    most_per_address: int = 200
    head_bytes: int = 32 * 1024
    head_seconds: float = 10.0
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    proxies: tuple[str, ...] = ()

    def within(self, open_files: int) -> "ConnectionLimits":
        """Return the limits that the process's own limit of open files leaves room for."""
        most = max(min(self.most, open_files - FILES_KEPT_FREE), FEWEST)
        return replace(self, most=most)


OnRefusal = Callable[[str], None]
"""Called with the reason why a connection was refused or closed."""


class Closable(Protocol):
    """A connection that can be closed."""

    def evict(self) -> None:
        """Close an idle connection to make room for another."""
        ...


class Connections:
    """All connections of the process. Those that wait for a request make room for new ones.

    So any number of idle connections cannot block new ones.
    """

    def __init__(self, limits: ConnectionLimits, on_refusal: OnRefusal) -> None:
        self._limits = limits
        self._proxies = Networks(limits.proxies)
        self.on_refusal = on_refusal
        self._addresses: dict[Closable, str] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        # In order of age; the values are nothing.
        self._idle: dict[Closable, None] = {}
        self._idle_by_address: defaultdict[str, dict[Closable, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._addresses)

    def admit(self, connection: Closable, host: str) -> str | None:
        """Accept a connection from ``host``; returns why it is refused, or None."""
        address = address_caller(host)
        has_share = self._counts[address] >= self._limits.most_per_address
        if (
            has_share
            and not self._proxies.contain(host)
            and not self._make_room(self._idle_by_address[address])
        ):
            return "address"
        if len(self._addresses) >= self._limits.most and not self._make_room(self._idle):
            return "all"
        self._addresses[connection] = address
        self._counts[address] += 1
        self.mark_idle(connection)
        return None

    def mark_idle(self, connection: Closable) -> None:
        """Note that a connection is idle."""
        if connection not in self._addresses or connection in self._idle:
            return
        self._idle[connection] = None
        self._idle_by_address[self._addresses[connection]][connection] = None

    def mark_busy(self, connection: Closable) -> None:
        """Note that a connection has a running request."""
        if connection in self._idle:
            del self._idle[connection]
            del self._idle_by_address[self._addresses[connection]][connection]

    def remove(self, connection: Closable) -> None:
        """Forget a connection that is closed."""
        self.mark_busy(connection)
        address = self._addresses.pop(connection, None)
        if address is None:
            return
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]
            self._idle_by_address.pop(address, None)

    def _make_room(self, waiting: dict[Closable, None]) -> bool:
        oldest = next(iter(waiting), None)
        if oldest is None:
            return False
        self.remove(oldest)
        oldest.evict()
        return True


if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
else:
    Base = object


class _Bounded(Base):
    """Limits what a connection of one of uvicorn's protocols may cost."""

    limits: ClassVar[ConnectionLimits]
    register: ClassVar[Connections]

    def connection_made(self, transport: Any) -> None:
        """Accept the connection, or refuse it with the reason."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.limits.idle_seconds  # type: ignore[assignment] # a float does as well
        self._head_bytes = self._reading = 0
        self._is_head = True
        self._without_body = True
        # h11 bounds what follows a body itself.
        self._keeps_trailers = hasattr(self, "parser")
        self._unfinished: list[Any] = []
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        _end_with_peer(transport, self.limits.write_seconds)
        reason = self.register.admit(self, self.client[0] if self.client else "")
        if reason is not None:
            self._refuse(f"too many of {reason}", too_many(reason))
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Handle received bytes, unless the head is too large."""
        if self.transport.is_closing():
            return
        before, in_body = self.cycle, self.cycle is not None and self.cycle.more_body
        self._without_body = True
        self._reading = len(data)
        super().data_received(data)
        if self.cycle is not before:
            self._head_bytes = 0
            self._stop("_head_timer")
            self.register.mark_busy(self)
            return
        if not in_body or (self._keeps_trailers and self._without_body):
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.head_bytes:
            self._refuse("head too large", head_too_large(self.limits.head_bytes))
        elif not self._is_working():
            self._await_head()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 -- uvicorn's own words
        """Refuse what is no HTTP request: a parser gives up on a request line that is too long."""
        if self._head_bytes + self._reading > self.limits.head_bytes:
            self._refuse("head too large", head_too_large(self.limits.head_bytes))
        else:
            self._refuse("no HTTP", not_http())

    def on_message_begin(self) -> None:
        """Begin a head (httptools)."""
        self._is_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after the head is a trailer, and never becomes one."""
        if self._is_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head (httptools)."""
        self._is_head = False
        super().on_headers_complete()
        self._unfinished = [one for one in self._unfinished if not one.response_complete]
        self._unfinished.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (httptools)."""
        self._without_body, self._head_bytes = False, 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request, for a limited time."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._end_soon()
        elif not self._is_working():
            self.register.mark_idle(self)
            if self._head_bytes:
                self._await_head()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection."""
        self._close("idle")

    def pause_writing(self) -> None:
        """Limit the time of a client that does not read."""
        super().pause_writing()
        self._end_soon()

    def resume_writing(self) -> None:
        """Continue: the client reads again."""
        super().resume_writing()
        self._stop("_write_timer")

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection, and tell running requests that their client is gone."""
        self._stop("_head_timer")
        self._stop("_write_timer")
        self.register.remove(self)
        # uvicorn notifies only the newest request, which is not the running one where a client has
        # sent several at once: that one would continue, and fail at its next write.
        for cycle in self._unfinished:
            cycle.disconnected = True
            cycle.message_event.set()
        if self._is_working():
            _log.debug("a client disconnected before its response was complete")
        super().connection_lost(exc)

    def evict(self) -> None:
        """Close the connection to make room for a new one."""
        self._close("evicted")

    def _is_working(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.limits.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_working():
            self._await_head()
        elif self._head_bytes:
            self._refuse("head late", head_late())
        else:
            self._close("head late")

    def _refuse(self, why: str, error: PaoError) -> None:
        self.register.on_refusal(why)
        self.transport.write(response_bytes(error))
        self.transport.close()
        self._end_soon()

    def _close(self, why: str) -> None:
        if self.transport.is_closing():
            return
        self.register.on_refusal(why)
        self.transport.close()
        self._end_soon()

    def _end_soon(self) -> None:
        """Abort the connection if written data is not read in time."""
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(
                self.limits.write_seconds, self.transport.abort
            )

    def _stop(self, name: str) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)


def bounded_protocol(
    limits: ConnectionLimits, on_refusal: OnRefusal, base: type[Any] = AutoHTTPProtocol
) -> type[Any]:
    """Return the protocol that uvicorn is given; all its connections share one register."""
    members = {"limits": limits, "register": Connections(limits, on_refusal)}
    return type("BoundedProtocol", (_Bounded, base), members)


def _end_with_peer(transport: Any, seconds: float) -> None:
    """Make the system close the connection when the peer vanishes."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
