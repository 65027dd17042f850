"""A proxy between PAO and its Postgres: it ends TLS, or acts like a connection pooler."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.certificates import Certificates

SSL_REQUEST = 80877103
"""The code by which a client asks for TLS, in place of a version of the protocol."""


ENDS_STATEMENT = frozenset({b"Q", b"S"})
"""The messages after which a server carries out what it was sent: a simple query, a sync."""


POOLER_SETTINGS = frozenset(
    {"user", "database", "application_name", "client_encoding", "datestyle", "timezone"}
)
"""What PgBouncer accepts in a startup message."""


@dataclass(slots=True)
class LostAnswers:
    """Whose answers a proxy loses: it breaks the connection once the server has the statement.

    ``to`` is a part of the statement or its values, ``times`` how often that still happens. With
    ``commit`` it is the answer to the COMMIT of the statement's transaction.
    """

    to: bytes = b""
    times: int = 0
    commit: bool = False

    def lose(self, to: bytes, times: int = 1, *, commit: bool = False) -> None:
        """Lose the next answers to such a statement."""
        self.to, self.times, self.commit = to, times, commit


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """How a proxy treats its connections: with TLS only, dropping some messages, as PgBouncer.

    PgBouncer refuses settings in the startup message that it does not keep for each client.
    """

    tls: ssl.SSLContext | None = None
    swallows_listen: bool = False
    swallows_statements: bool = False
    refuses_settings: bool = False
    lost: LostAnswers = field(default_factory=LostAnswers)


def server_tls(certificates: Certificates) -> ssl.SSLContext:
    """Return a server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context


@asynccontextmanager
async def postgres_proxy(url: str, way: ProxyOptions) -> AsyncIterator[str]:
    """Run a proxy for the Postgres of a URL; yield the URL of the proxy."""
    parts = urlsplit(url)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        target = (str(parts.hostname), int(parts.port or 5432))
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await _serve(reader, writer, target, way)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield url.replace(f":{parts.port}/", f":{port}/")
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    target: tuple[str, int],
    way: ProxyOptions,
) -> None:
    first = await _packet(reader)
    if first[4:] == struct.pack("!I", SSL_REQUEST):
        writer.write(b"S" if way.tls else b"N")
        await writer.drain()
        if way.tls:
            await writer.start_tls(way.tls)
        first = await _packet(reader)
    elif way.tls:
        return
    if way.refuses_settings and (foreign := _settings(first) - POOLER_SETTINGS):
        message = f"unsupported startup parameter: {min(foreign)}"
        fields = f"SFATAL\0C08P01\0M{message}\0\0".encode()
        writer.write(b"E" + struct.pack("!I", len(fields) + 4) + fields)
        await writer.drain()
        return
    server_reader, server_writer = await asyncio.open_connection(*target)
    try:
        server_writer.write(first)
        lost = asyncio.Event()
        both = [
            asyncio.create_task(_relay_answers(server_reader, writer, lost)),
            asyncio.create_task(_relay_queries(reader, server_writer, way, lost)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
    finally:
        server_writer.close()


def _settings(startup: bytes) -> set[str]:
    """Return the names in a startup message: after length and version, pairs that end with 0."""
    return set(startup[8:].rstrip(b"\0").decode().split("\0")[::2])


async def _relay_answers(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
) -> None:
    while (data := await reader.read(65536)) and not lost.is_set():
        writer.write(data)
        await writer.drain()


async def _relay_queries(
    reader: asyncio.StreamReader,
    server: asyncio.StreamWriter,
    way: ProxyOptions,
    lost: asyncio.Event,
) -> None:
    is_meant = False
    while not lost.is_set():
        kind = await reader.readexactly(1)
        packet = await _packet(reader)
        if way.swallows_statements and kind == b"Q":
            continue
        if way.swallows_listen:
            # A comment of the same length: the statement is taken, and does nothing.
            packet = packet.replace(b"LISTEN ", b"--     ")
        if way.lost.times and way.lost.to in packet:
            way.lost.times -= 1
            is_meant = True
        if is_meant and kind in ENDS_STATEMENT and (not way.lost.commit or b"COMMIT" in packet):
            # Before the server has it: no answer may overtake this.
            lost.set()
        server.write(kind + packet)
        await server.drain()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(struct.unpack("!I", length)[0] - 4)
