"""Minimal servers over real sockets that misbehave as a test requires."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Behave = Callable[[socket.socket, bytes], None]


class RawServer:
    """Accepts connections and hands each, with the request that it has read, to a function."""

    def __init__(
        self, behave: Behave, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self._behave = behave
        self._tls = tls
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port = int(self._listener.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{shown}:{self.port}"
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def count(self) -> int:
        """How many requests have arrived."""
        return len(self.requests)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(self._with_tls(connection)) as secured,
        ):
            self._open.add(secured)
            while request := _read_request(secured):
                self.requests.append(request)
                self._behave(secured, request)

    def _with_tls(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_side=True)

    def close(self) -> None:
        """Stop accepting, and let what waits for ``over`` go on."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def _read_request(connection: socket.socket) -> bytes:
    """Read one request with its body; empty where the other side has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    size = next((int(one.split(b":")[1]) for one in lines if one.startswith(b"content-length")), 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def raw_server(
    behave: Behave, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    """Run such a server for as long as the block runs."""
    server = RawServer(behave, host=host, tls=tls)
    try:
        yield server
    finally:
        server.close()


def answering(
    body: bytes = b"{}", *, status: str = "200 OK", headers: dict[str, str] | None = None
) -> Behave:
    """Answer every request with the same."""
    lines = {"Content-Type": "application/json", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    answer = f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def behave(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(answer)

    return behave


def cutting(connection: socket.socket, _request: bytes) -> None:
    """Take the request and close the line."""
    connection.shutdown(socket.SHUT_RDWR)


def echoing(connection: socket.socket, request: bytes) -> None:
    """Answer with what was sent, as JSON: line, headers and body, as targets under test do."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode("latin-1").split("\r\n")
    said = {"line": line, "headers": headers, "echo": body.decode("utf-8", "replace")}
    answer = json.dumps(said).encode()
    status = b"500 Broken" if "/broken" in line else b"200 OK"
    lines = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
    connection.sendall(b"HTTP/1.1 %s\r\n%s%s" % (status, lines, answer))
