"""The HTTP server of a stand-in."""

import uvicorn
from starlette.types import ASGIApp

from sandbox.kit.connection import CuttableProtocol

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def allowed_hosts(host: str) -> tuple[str, ...]:
    """Return the Host headers to accept: on loopback its names only, so no web page can call."""
    return _LOOPBACK if host in _LOOPBACK else ("*",)


def stand_in_server(app: ASGIApp, *, host: str, port: int) -> uvicorn.Server:
    """Return a server, not yet started, whose connections can be cut."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # Longer than clients keep idle connections, so that the server never closes one first.
            timeout_keep_alive=75,
            # A call that a fault slows down must not delay the end of the process.
            timeout_graceful_shutdown=1,
        )
    )
