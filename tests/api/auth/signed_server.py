"""A real server that answers signed requests, for the world's client programs to talk to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from api.auth.keys import KeysIdentity
from api.auth.raw import raw_request_from_scope
from pao.core.errors import PaoError
from tests.api.auth.signing import Office, open_office


@dataclass(frozen=True)
class SignedServer:
    """Where the server listens, and the key that it accepts."""

    url: str
    office: Office


@contextmanager
def signed_server() -> Iterator[SignedServer]:
    """Serve on loopback until the block ends."""
    office = open_office()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(_app(office.identity), log_level="warning", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield SignedServer(f"http://127.0.0.1:{listener.getsockname()[1]}", office)
        finally:
            server.should_exit = True
            thread.join()


def _app(identity: KeysIdentity) -> Starlette:
    async def who(request: Request) -> JSONResponse:
        raw = raw_request_from_scope(request.scope, await request.body())
        try:
            principal = await identity.authenticate(raw, datetime.now(UTC))
        except PaoError as error:
            return JSONResponse({"error": error.message}, error.status, error.headers)
        return JSONResponse(
            {
                "id": principal.id,
                "path": request.url.path,
                "query": request.query_params.multi_items(),
                "body": raw.body.decode(),
            }
        )

    return Starlette(routes=[Route("/{path:path}", who, methods=["GET", "POST"])])
