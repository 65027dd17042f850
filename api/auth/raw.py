"""A request as its bytes came in, which is what a signature covers. No parsing of content here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PEER = "pao.peer"
"""Where an ASGI scope holds the address at the other end of its connection."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request before anything was decoded.

    ``raw_path`` and ``raw_query`` are the bytes of the request line, still percent-encoded, without
    the ``?``; ``headers`` keeps order and duplicates, with names in lower case; ``peer`` is the
    address at the other end of the connection, whatever a proxy says of the client.
    """

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    peer: str | None = None

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the header ``name`` (lower case) in the order they came."""
        return [value for key, value in self.headers if key == name]


def raw_request_from_scope(scope: Mapping[str, Any], body: bytes) -> RawRequest:
    """Return the request of an ASGI ``http`` scope, with the very bytes that routing is fed from.

    uvicorn derives ``path`` from ``raw_path`` by percent-decoding, so what is verified and what is
    routed agree as long as no middleware rewrites either. Raises ``TypeError`` for a server that
    does not hand over the raw path: guessing it back from ``path`` would verify other bytes.
    """
    raw_path = scope.get("raw_path")
    if not isinstance(raw_path, bytes):
        raise TypeError(
            "signatures need raw_path, which this ASGI server does not set; use uvicorn"
        )
    return RawRequest(
        method=scope["method"],
        raw_path=raw_path,
        raw_query=scope["query_string"],
        headers=tuple((name.lower(), value) for name, value in scope["headers"]),
        body=body,
        peer=scope.get(PEER),
    )
