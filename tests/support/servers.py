"""One Postgres and one Temporal per test run, started when the first test needs them.

The process that started the run (with xdist: not a worker) owns the servers. Workers ask it for an
address over a socket, so both use the same servers and neither has to outlive the other.
"""

import secrets
import shutil
import tempfile
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from pao.app.local import temporal_binary, terraform_binary
from pao.app.local.ports import free_ports
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres, PostgresAddress
from pao.app.local.postgres_files import delete_files
from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.temporal import TemporalDevServer
from tests.support.browser import Browser, find_browser
from tests.support.postgres import migrate_template

END = "end"
SERVERS = "PAO_TEST_SERVERS"
"""The variable with the address and the key of servers that several runs share."""


class TestServers:
    """Starts each server once, when it is first asked for, and ends what it started."""

    __test__ = False

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pao-tests-"))
        self._postgres: EmbeddedPostgres | None = None
        self._postgres_address: PostgresAddress | None = None
        self._temporal: TemporalDevServer | None = None

    def postgres(self) -> PostgresAddress:
        """Return the address of the run's Postgres, whose database ``pao`` is migrated."""
        if self._postgres_address is None:
            [port] = free_ports(1)
            self._postgres = EmbeddedPostgres(
                self._folder / "postgres", port=port, settings=FOR_TESTS
            )
            self._postgres_address = self._postgres.start()
            migrate_template(self._postgres_address)
        return self._postgres_address

    def temporal_program(self) -> Path:
        """Return the Temporal program for tests that start servers of their own."""
        return temporal_binary.find_or_build(ProgressReporter())

    def terraform_program(self) -> Path:
        """Return terraform or tofu: of this machine, or built once."""
        return terraform_binary.find_or_build(ProgressReporter())

    def browser(self) -> Browser:
        """Return a browser: of this machine, or fetched once."""
        return find_browser()

    def temporal(self) -> str:
        """Return the address of the run's Temporal, which keeps its workflows in memory."""
        if self._temporal is None:
            [port] = free_ports(1)
            server = TemporalDevServer(self.temporal_program(), port=port, ui_port=None)
            server.start()
            # Only now: if it did not start, the next test that needs it tries again.
            self._temporal = server
        return self._temporal.address

    def stop(self) -> None:
        """End the servers and remove their data."""
        if self._temporal is not None:
            self._temporal.stop()
        if self._postgres is not None:
            self._postgres.stop()
            delete_files(self._folder / "postgres")
        shutil.rmtree(self._folder, ignore_errors=True)


class ServerOwner:
    """Owns the servers and answers the workers' requests for them, one by one, in a thread."""

    def __init__(self) -> None:
        self.key = secrets.token_hex(16)
        self._servers = TestServers()
        self._listener = Listener(family="AF_UNIX", authkey=self.key.encode())
        self._thread = threading.Thread(target=self._serve, name="test-servers", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The path of the socket."""
        return str(self._listener.address)

    def close(self) -> None:
        """End the thread and, from within it, the servers that it started."""
        ask(self.address, self.key, END)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        questions: dict[str, Callable[[], object]] = {
            "postgres": self._servers.postgres,
            "temporal": self._servers.temporal,
            "temporal_program": self._servers.temporal_program,
            "terraform_program": self._servers.terraform_program,
            "browser": self._servers.browser,
            END: self._servers.stop,
        }
        question = None
        while question != END:
            with self._listener.accept() as connection:
                question = connection.recv()
                _answer(connection, questions[question])


def ask(address: str, key: str, question: str) -> object:
    """Ask the owner; raises LocalError with the reason if a server cannot be started."""
    with Client(address, authkey=key.encode()) as connection:
        connection.send(question)
        answer = connection.recv()
    if isinstance(answer, LocalError):
        raise answer
    return answer


def _answer(connection: "Connection[object, object]", act: Callable[[], object]) -> None:
    try:
        connection.send(act())
    except Exception:  # noqa: BLE001 -- the asker gets the error
        connection.send(LocalError(traceback.format_exc()))
