"""Sees every byte that the service answers: whether a secret is among them."""

import zlib
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
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    # Before the browser has it, so that a test that has an answer knows of it.
                    judge()
                await send(message)

            def judge() -> None:
                # gzip, which a left stream may have cut
                whole = zlib.decompressobj(wbits=31).decompress(body) if packed else bytes(body)
                body.clear()
                if self.secret in whole:
                    self.found.append(scope["path"])

            try:
                await app(scope, receive, see)
            finally:
                if body:  # a stream that its reader left
                    judge()

        return watched
