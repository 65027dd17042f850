"""Starting the stand-in: `pao github-sandbox` and `pao up` come here."""

import contextlib
import logging
from pathlib import Path

import uvicorn

from sandbox.github.app import build_app
from sandbox.github.store import Store
from sandbox.github.world import Settings
from sandbox.kit.connection import CuttableProtocol

_log = logging.getLogger(__name__)
_FILE = "github.sqlite"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def run(*, host: str, port: int, state_path: Path, settings: Settings | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; the state is kept in the folder ``state_path``."""
    store = Store(state_path / _FILE)
    try:
        _log.info("GitHub stand-in on http://%s:%s", host, port)
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
