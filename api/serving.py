"""How the API process serves and shuts down, whatever it serves."""

import asyncio
import gc
import resource
import signal
import socket
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.auth.raw import PEER
from pao.runtime.networks import Networks

POLL_SECONDS = 0.05
# What is left to uvicorn's own end when a call has used up the whole grace.
LAST_SECONDS = 1
# Connections that the system keeps until the process takes them; uvicorn's own number.
BACKLOG = 2048
ENOUGH_FILES = 65_536


def config(
    app: ASGIApp,
    protocol: type[asyncio.Protocol],
    *,
    proxies: Sequence[str] = (),
    **more: Any,
) -> uvicorn.Config:
    """Return how any API process serves; ``protocol`` bounds its connections.

    X-Forwarded-For is believed from these ``proxies`` only, addresses or networks; uvicorn by
    itself believes every process of this machine, and what FORWARDED_ALLOW_IPS says.
    """
    return uvicorn.Config(
        _with_peer(app, proxies),
        http=protocol,
        # Nothing here speaks it, and a connection that changes to it would leave its bounds.
        ws="none",
        backlog=BACKLOG,
        proxy_headers=False,
        server_header=False,
        # Our own lines carry the correlation id; uvicorn's would repeat them without it.
        access_log=False,
        log_config=None,
        **more,
    )


def _with_peer(app: ASGIApp, proxies: Sequence[str]) -> ASGIApp:
    """Return the application; each call has the address of its connection's peer in its scope."""
    # The middleware compares these as text with what the socket and other proxies give.
    trusted = Networks(proxies).spellings()
    inner = ProxyHeadersMiddleware(app, trusted) if trusted else app  # type: ignore[arg-type]

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        scope[PEER] = client[0] if client else None
        await inner(scope, receive, send)  # type: ignore[arg-type]

    return serve


def open_files() -> int:
    """Return how many files the process may have open, raised as far as it may raise it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft


class DrainingServer(uvicorn.Server):
    """Announces its shutdown as soon as it is requested, and keeps serving meanwhile.

    uvicorn would close its sockets at once: a probe would be refused instead of answered 503, and
    so would calls from a balancer that has not heard of the end yet. For the drain time after
    SIGTERM everything is answered as before; ``on_drain`` is called at its beginning, ``on_end``
    at its end, when long-running answers must end.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_drain: Callable[[], None],
        on_end: Callable[[], None],
        grace: float,
        drain: float = 0.0,
    ) -> None:
        super().__init__(config)
        self._on_drain = on_drain
        self._on_end = on_end
        self._grace = grace
        self._drain = drain
        self._drained_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave alone what was loaded."""
        await super().startup(sockets=sockets)
        # What is loaded now stays until the end. If the collector walked through it again and
        # again, callers would wait for 0.2 s each time.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Handle a signal: SIGTERM begins the drain time, a second signal ends it at once.

        Ctrl-C drains nothing, and a second one does not wait for running calls. uvicorn would raise
        the signal again at its end, and the exit code would report a failure.
        """
        self._on_drain()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        if self._drain and self._drained_at is None and sig == signal.SIGTERM:
            self._drained_at = time.monotonic() + self._drain
            return
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Continue until the drain time is over."""
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def main_loop(self) -> None:
        """Serve until asked to end, then finish the running calls within the grace period."""
        await super().main_loop()
        self._on_end()
        ends = time.monotonic() + self._grace
        in_hand = set(self.server_state.tasks)
        while in_hand and not self.force_exit and time.monotonic() < ends:
            _, in_hand = await asyncio.wait(in_hand, timeout=POLL_SECONDS)
        left = max(int(ends - time.monotonic()), LAST_SECONDS)
        self.config.timeout_graceful_shutdown = left
