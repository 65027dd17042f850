"""Sees every byte that the service answers: whether a secret is among them."""

import gzip
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Leaks:
    """Every path whose answer held the secret."""

    secret: bytes
    found: list[str] = field(default_factory=list)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application, with all of its answers seen."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            body, packed = bytearray(), False

            async def see(message: Message) -> None:
                nonlocal packed
                if message["type"] == "http.response.start":
                    packed = "content-encoding" in Headers(raw=message["headers"])
                body.extend(message.get("body", b""))
                await send(message)

            await app(scope, receive, see)
            if scope["type"] == "http":
                whole = gzip.decompress(body) if packed and body else bytes(body)
                if self.secret in whole:
                    self.found.append(scope["path"])

        return watched
