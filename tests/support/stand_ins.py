"""A stand-in's server in a thread of this process, on a loopback port."""

import socket
import threading
from collections.abc import Callable

import httpx
import uvicorn

_START_LIMIT = 10.0


class ServerThread:
    """Serves as soon as it is made; ``make`` returns the server for a port, 0 takes a free one."""

    def __init__(self, make: Callable[[int], uvicorn.Server], *, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._server = make(self.port)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        # The socket listens already, so the call waits in its queue until the server takes it.
        health = f"http://127.0.0.1:{self.port}/sandbox/health"
        httpx.get(health, timeout=_START_LIMIT, trust_env=False).raise_for_status()

    def stop(self) -> None:
        """Stop serving, and return when it has ended."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
