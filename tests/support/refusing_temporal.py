"""A Temporal server that answers every call with one status of gRPC, over a socket of its own."""

import contextlib
import socket
import struct
import threading
from typing import Self

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING = 0, 1, 4, 6
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_STATUS_200 = b"\x88"


class RefusingTemporal:
    """Refuses everything with ``status`` but what clients ask first: whether it is there."""

    def __init__(self, status: int) -> None:
        self._status = status
        self.refused = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread in accept() is not woken by close() alone.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), connection:
            _exactly(connection, len(_PREFACE))
            connection.sendall(_frame(_SETTINGS))
            asked = 0
            while True:
                length, kind, flags, stream = _head(connection)
                payload = _exactly(connection, length)
                if kind == _SETTINGS and not flags & _ACK:
                    connection.sendall(_frame(_SETTINGS, flags=_ACK))
                elif kind == _PING and not flags & _ACK:
                    connection.sendall(_frame(_PING, payload, flags=_ACK))
                elif kind in {_DATA, _HEADERS} and flags & _END_STREAM:
                    # The first call of a client asks what the server can do.
                    answer = _refusal(self._status, stream) if asked else _nothing(stream)
                    self.refused += asked
                    connection.sendall(answer)
                    asked = 1


def _refusal(status: int, stream: int) -> bytes:
    """Return headers that end a call with a status of gRPC."""
    block = _STATUS_200 + _header("content-type", "application/grpc") + _ends(status)
    return _frame(_HEADERS, block, flags=_END_HEADERS | _END_STREAM, stream=stream)


def _nothing(stream: int) -> bytes:
    """Return an answer that is an empty message."""
    block = _STATUS_200 + _header("content-type", "application/grpc")
    return (
        _frame(_HEADERS, block, flags=_END_HEADERS, stream=stream)
        + _frame(_DATA, bytes(5), stream=stream)
        + _frame(_HEADERS, _ends(0), flags=_END_HEADERS | _END_STREAM, stream=stream)
    )


def _ends(status: int) -> bytes:
    return _header("grpc-status", str(status))


def _header(name: str, value: str) -> bytes:
    """Return a header as HPACK has it, neither indexed nor compressed."""
    return b"\0" + _text(name) + _text(value)


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def _head(connection: socket.socket) -> tuple[int, int, int, int]:
    head = _exactly(connection, 9)
    return int.from_bytes(head[:3]), head[3], head[4], int.from_bytes(head[5:]) & 0x7FFFFFFF


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found
