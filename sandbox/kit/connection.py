"""A uvicorn protocol whose application can cut its TCP connection, as networks do."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

CUT_EXTENSION = "sandbox.cut"


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose scope carries, as an extension, a function that aborts the transport."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: ASGIApp = self.app

        async def with_cut(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), CUT_EXTENSION: self.transport.abort}
            await inner({**scope, "extensions": extensions}, receive, send)

        self.app = with_cut
