"""Starting the stand-in: `pao jira-sandbox` and `pao up` come here."""

import contextlib
import logging
from pathlib import Path

import uvicorn

from sandbox.jira.app import build_app
from sandbox.jira.settings import JiraSandboxSettings
from sandbox.jira.store import TicketStore
from sandbox.kit.serving import allowed_hosts, stand_in_server

_log = logging.getLogger(__name__)
_FILE = "jira.sqlite"
_SUFFIXES = {".sqlite", ".sqlite3", ".db"}


def run(
    *, host: str, port: int, state_path: Path | str, settings: JiraSandboxSettings | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C; tickets and faults are kept in ``state_path``.

    That is a folder, or a file that ends in .sqlite. A port in use is logged by uvicorn and ends
    the process with exit code 3.
    """
    store = TicketStore(database_file(state_path))
    try:
        _log.info("JIRA stand-in on http://%s:%s", host, port)
        # uvicorn raises the signal once more when it has ended in order.
        with contextlib.suppress(KeyboardInterrupt):
            server(store, settings or JiraSandboxSettings(), host=host, port=port).run()
    finally:
        store.close()


def server(
    store: TicketStore, settings: JiraSandboxSettings, *, host: str, port: int
) -> uvicorn.Server:
    """Return the server, not yet started, over an open store."""
    app = build_app(store, settings, allowed_hosts=allowed_hosts(host))
    return stand_in_server(app, host=host, port=port)


def database_file(state_path: Path | str) -> Path:
    """Return the file in which the state is kept."""
    path = Path(state_path)
    return path if path.suffix in _SUFFIXES else path / _FILE
