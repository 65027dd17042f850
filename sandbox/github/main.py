"""Starting the stand-in: `pao github-sandbox` and `pao up` come here."""

import contextlib
import logging
from pathlib import Path

import uvicorn

from sandbox.github.app import build_app
from sandbox.github.settings import GitHubSandboxSettings
from sandbox.kit.serving import allowed_hosts, stand_in_server
from sandbox.kit.store import DocumentStore

_log = logging.getLogger(__name__)
_FILE = "github.sqlite"


def run(
    *, host: str, port: int, state_path: Path, settings: GitHubSandboxSettings | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C; the state is kept in the folder ``state_path``."""
    store = DocumentStore(state_path / _FILE)
    try:
        _log.info("GitHub stand-in on http://%s:%s", host, port)
        # uvicorn raises the signal once more when it has ended in order.
        with contextlib.suppress(KeyboardInterrupt):
            server(store, settings or GitHubSandboxSettings(), host=host, port=port).run()
    finally:
        store.close()


def server(
    store: DocumentStore, settings: GitHubSandboxSettings, *, host: str, port: int
) -> uvicorn.Server:
    """Return the server, not yet started, over an open store."""
    app = build_app(store, settings, allowed_hosts=allowed_hosts(host))
    return stand_in_server(app, host=host, port=port)
