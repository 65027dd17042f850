"""Starting the stand-in: `pao jira-sandbox` and `pao up` come here."""

import contextlib
import logging
import socket
from pathlib import Path

import uvicorn

from sandbox.jira.app import build_app
from sandbox.jira.store import Store
from sandbox.jira.world import Settings
from sandbox.kit.connection import CuttableProtocol

_log = logging.getLogger(__name__)
_FILE = "jira.sqlite"
_SUFFIXES = {".sqlite", ".sqlite3", ".db"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def run(*, host: str, port: int, state_path: Path | str, settings: Settings | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; tickets and faults are kept in ``state_path``.

    That is a folder, or a file that ends in .sqlite. A port in use is logged by uvicorn and ends
    the process with exit code 3.
    """
    store = Store(database_file(state_path))
    try:
        _log.info("JIRA stand-in on http://%s:%s", host, port)
        # uvicorn raises the signal once more when it has ended in order.
        with contextlib.suppress(KeyboardInterrupt):
            server(store, settings or Settings(), host=host, port=port).run()
    finally:
        store.close()


def server(store: Store, settings: Settings, *, host: str, port: int) -> uvicorn.Server:
    """Return the server, not yet started, over an open store."""
    names = _LOOPBACK if host in _LOOPBACK else ("*",)
    return uvicorn.Server(
        uvicorn.Config(
            build_app(store, settings, allowed_hosts=names),
            host=host,
            port=port,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # Longer than clients keep idle connections, so that it is never us who cuts one.
            timeout_keep_alive=75,
            # A call that is being slow on demand must not hold up the end of the process.
            timeout_graceful_shutdown=1,
        )
    )


def database_file(state_path: Path | str) -> Path:
    """Return the file in which the state is kept."""
    path = Path(state_path)
    return path if path.suffix in _SUFFIXES else path / _FILE


def listen(host: str, *, port: int = 0) -> socket.socket:
    """Return a listening socket; port 0 takes any that is free."""
    return socket.create_server((host, port))
