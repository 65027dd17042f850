"""One server of this machine in the foreground, as a service of systemd."""

import os
import signal
import socket
from pathlib import Path
from typing import Protocol

from pao.app.local.home import Home
from pao.app.local.postgres import EmbeddedPostgres
from pao.app.local.progress import ProgressReporter
from pao.app.local.supervisor import ManagedProcess, StopRequestedError, Supervisor
from pao.app.local.temporal import TemporalDevServer
from pao.app.local.temporal_binary import find_or_build


class StartableServer(ManagedProcess, Protocol):
    """A process whose start returns when it works."""

    def start(self) -> object:
        """Start it."""


def serve_postgres(folder: Path, port: int) -> None:
    """Run the database until it is stopped, and lock the folder meanwhile."""
    home = Home(folder)
    with home.lock():
        _serve(EmbeddedPostgres(home.postgres, port=port, sink=_print_line))


def serve_temporal(folder: Path, *, port: int, ui_port: int) -> None:
    """Run Temporal until it is stopped; its program is found, or built once."""
    program = find_or_build(ProgressReporter())
    _serve(
        TemporalDevServer(
            program,
            port=port,
            ui_port=ui_port,
            database=Home(folder).temporal_database,
            sink=_print_line,
        )
    )


def _serve(server: StartableServer) -> None:
    try:
        with Supervisor() as supervisor:
            with supervisor.starting(server):
                server.start()
            _notify("READY=1")
            supervisor.watch()
    except StopRequestedError as requested:
        if requested.signal_number not in {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}:
            raise


def _print_line(_name: str, line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- the journal


def _notify(state: str) -> None:
    """Notify systemd, if it has started us (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.connect("\0" + address[1:] if address.startswith("@") else address)
        opened.send(state.encode())
