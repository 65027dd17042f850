"""A round-robin load balancer of connections, to servers that listen and are not taken out."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence

LOOPBACK = "127.0.0.1"
_CHUNK = 65_536


class Balancer:
    """Hands each connection to the next server, like a network load balancer, without reading HTTP.

    A server that is taken out gets no new connection and keeps those that it has. One that does
    not listen is passed over.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._out: set[int] = set()
        self.taken: Counter[int] = Counter()
        """How many connections each server has taken."""
        self.open: Counter[int] = Counter()
        """How many each has now."""
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen; returns the address."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        return f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Take no more connections, and close those that are open."""
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def take_out(self, port: int) -> None:
        """Give a server no new connections."""
        self._out.add(port)

    def put_in(self, port: int) -> None:
        """Give a server connections again."""
        self._out.discard(port)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that goes away, or a server that does, ends both halves.
        async with _closed(writer):
            for _ in range(len(self._ports)):
                port = self._next()
                with contextlib.suppress(OSError):
                    there = await asyncio.open_connection(LOOPBACK, port)
                    break
            else:
                return
            self.taken[port] += 1
            self.open[port] += 1
            try:
                async with _closed(there[1]):
                    await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
            finally:
                self.open[port] -= 1

    def _next(self) -> int:
        """Return whose turn it is; of servers that are all taken out, the first."""
        port = self._ports[0]
        for _ in range(len(self._ports)):
            port = self._ports.pop(0)
            self._ports.append(port)
            if port not in self._out:
                break
        return port


@contextlib.asynccontextmanager
async def _closed(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection at the end of the block; returns when it is closed."""
    try:
        with contextlib.suppress(OSError):
            yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        to.write(chunk)
        await to.drain()
    with contextlib.suppress(OSError):
        to.write_eof()
