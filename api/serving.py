"""How the API process serves and ends: nothing here knows what it serves."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

POLL_SECONDS = 0.05
# What is left to uvicorn's own end when a call has used up the whole grace.
LAST_SECONDS = 1


class Server(uvicorn.Server):
    """Tells that it is ending as soon as it is asked to, and goes on listening meanwhile.

    uvicorn would close its sockets at once: a probe would be refused instead of answered 503, and
    so would calls from a balancer that has not heard of the end yet.
    """

    def __init__(
        self, config: uvicorn.Config, *, stopping: Callable[[], None], grace: float
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._grace = grace

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave alone what was loaded."""
        await super().startup(sockets=sockets)
        # What was loaded stays for as long as the process runs. Left to the collector, it is
        # walked through again and again, and every walk keeps callers waiting for 0.2 s.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Take the request to end; a second Ctrl-C does not wait for what is in hand.

        uvicorn would raise the signal again at its end, and the exit code would tell of a failure.
        """
        self._stopping()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def main_loop(self) -> None:
        """Serve until told to end, and until what is in hand then is done, within the grace."""
        await super().main_loop()
        ends = time.monotonic() + self._grace
        in_hand = set(self.server_state.tasks)
        while in_hand and not self.force_exit and time.monotonic() < ends:
            _, in_hand = await asyncio.wait(in_hand, timeout=POLL_SECONDS)
        left = max(int(ends - time.monotonic()), LAST_SECONDS)
        self.config.timeout_graceful_shutdown = left
