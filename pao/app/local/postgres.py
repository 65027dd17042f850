"""The embedded Postgres: its cluster, its start and stop, its roles. Files are in postgres_files.

Only the programs of the wheel are used, not its wrapper: that one makes a system user, opens every
parent folder and trusts every connection.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pao.app.local.postgres_files import (
    PostgresFiles,
    installed_programs,
    prepare_files,
    private_folder,
)
from pao.app.local.postgres_orphans import STOP_SECONDS, end_orphan, is_ready, running_server
from pao.app.local.processes import (
    ChildProcess,
    LineSink,
    LocalError,
    Program,
    ignore_line,
    write_private,
)
from pao.app.local.start_timeout import STILL_SECONDS, StartTimeout, ignore_progress

SUPERUSER = "postgres"
OWNER = "pao_owner"
SERVICE = "pao_service"
DATABASE = "pao"
POLL_SECONDS = 0.05

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    # More than the pools of API and worker together; the rest is for people.
    "max_connections": "100",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""Settings of every server; given on its command line."""

FOR_TESTS: Mapping[str, str] = {
    # The data of a test run are deleted: nothing has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    # Every test opens its own connections; the cost of SCRAM's rounds adds up.
    "scram_iterations": "32",
    "max_connections": "400",
}
"""Settings that make a server faster and its data worthless after a crash."""

ROLES_SQL = """
-- A statement that fails is not to show a password in the log.
set log_min_error_statement = panic;
select format('create role %I', name) from (values ('pao_owner'), ('pao_service')) as wanted (name)
 where not exists (select from pg_roles where rolname = name) \\gexec
alter role pao_owner with login nosuperuser nocreatedb nocreaterole password :'owner_password';
alter role pao_service with login nosuperuser nocreatedb nocreaterole password :'service_password';
select 'create database pao owner pao_owner'
 where not exists (select from pg_database where datname = 'pao') \\gexec
revoke all on database pao from public;
grant connect on database pao to pao_service;
"""


@dataclass(frozen=True, slots=True)
class PostgresPasswords:
    """The generated passwords of the three roles."""

    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    service: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """The address and passwords of a running server, as URLs of its databases."""

    port: int
    passwords: PostgresPasswords

    @property
    def owner_url(self) -> str:
        """For migrations: the role that owns the tables of database ``pao``."""
        return self.url(OWNER, DATABASE)

    @property
    def service_url(self) -> str:
        """For the service: the role that may do only what migrations granted it."""
        return self.url(SERVICE, DATABASE)

    def url(self, role: str, database: str) -> str:
        """Return the URL by which ``role`` reaches ``database``; it contains the password."""
        password = {
            SUPERUSER: self.passwords.superuser,
            OWNER: self.passwords.owner,
            SERVICE: self.passwords.service,
        }[role]
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"


class EmbeddedPostgres:
    """Our own Postgres on loopback: SCRAM, generated passwords, data in ``state``."""

    def __init__(
        self,
        state: Path,
        *,
        port: int,
        settings: Mapping[str, str] | None = None,
        sink: LineSink = ignore_line,
        report: Callable[[str], None] = ignore_progress,
    ) -> None:
        self._state = state
        self._report = report
        self._port = port
        self._settings = {**SETTINGS, **(settings or {})}
        self._sink = sink
        self._socket_folder: Path | None = None
        self.process: ChildProcess | None = None

    def start(self) -> PostgresAddress:
        """Start the server, the first time on new data, and return when it accepts connections.

        Missing roles and database are created. Raises LocalError with the server's
        last lines when it does not start; nothing is left running then.
        """
        files = prepare_files(self._state)
        passwords = _passwords(self._state / "passwords.json", data=files.data)
        address = PostgresAddress(self._port, passwords)
        if not (files.data / "PG_VERSION").exists():
            _create_cluster(files, passwords.superuser)
        end_orphan(files.data)
        try:
            self._run(files)
            run_sql(
                address,
                ROLES_SQL,
                owner_password=passwords.owner,
                service_password=passwords.service,
            )
        except BaseException:
            self.stop()
            raise
        return address

    def stop(self) -> None:
        """Stop the server: sessions are closed, committed data is written."""
        if self.process is not None:
            self.process.stop(grace=STOP_SECONDS)
            self.process = None
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None

    def _run(self, files: PostgresFiles) -> None:
        self._socket_folder = private_folder(
            # A path of a socket is limited to 107 bytes, so it cannot be in the state folder.
            Path(tempfile.mkdtemp(prefix="pao-pg-", dir="/tmp")),
            files.account,
        )
        settings = {
            **self._settings,
            "port": str(self._port),
            "unix_socket_directories": str(self._socket_folder),
        }
        self.process = ChildProcess(
            Program(
                name="postgres",
                command=[
                    str(files.programs / "postgres"),
                    "-D",
                    str(files.data),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                # Fast shutdown. SIGTERM would wait until every client has left.
                stop_signal=signal.SIGINT,
                account=files.account,
                folder=Path("/"),
            ),
            self._sink,
        )
        self._wait_until_ready(self.process, files.data / "postmaster.pid")

    def _wait_until_ready(self, process: ChildProcess, pid_file: Path) -> None:
        timeout = StartTimeout([process], report=self._report)
        while not is_ready(pid_file):
            timeout.check(f"Postgres does not take connections on port {self._port} yet")
            time.sleep(POLL_SECONDS)


def stored_passwords(state: Path) -> PostgresPasswords:
    """Return the passwords of a state folder; generates them before its first start."""
    return _passwords(state / "passwords.json", data=state / "data")


def running_address(state: Path) -> PostgresAddress | None:
    """Return the address of a state folder's server; None if it does not run."""
    files = prepare_files(state)
    server = running_server(files.data)
    if server is None:
        return None
    return PostgresAddress(server.port, _passwords(state / "passwords.json", data=files.data))


def run_sql(address: PostgresAddress, sql: str, /, **variables: str) -> str:
    """Run ``sql`` as superuser in one psql session; ``variables`` are psql's. Returns its output.

    Raises LocalError with psql's message when a statement fails.
    """
    settings = "".join(f"\\set {name} '{value}'\n" for name, value in variables.items())
    done = subprocess.run(  # noqa: S603 -- a program of the wheel; the SQL goes to its input
        [installed_programs() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        env={
            **os.environ,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(address.port),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": address.passwords.superuser,
            "PGDATABASE": SUPERUSER,
            # A server that hangs is reported, not waited for.
            "PGCONNECT_TIMEOUT": f"{STILL_SECONDS:.0f}",
            "PGOPTIONS": f"-c statement_timeout={STILL_SECONDS:.0f}s",
        },
        input=settings + sql,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalError(f"Postgres refused a statement: {done.stderr.strip()}")
    return done.stdout


def _passwords(file: Path, *, data: Path) -> PostgresPasswords:
    if file.exists():
        return PostgresPasswords(**json.loads(file.read_text()))
    if (data / "PG_VERSION").exists():
        raise LocalError(
            f"The database in {data} is there but its passwords in {file} are not: "
            "restore that file, or start over with --fresh."
        )
    made = {name: secrets.token_urlsafe(24) for name in ("superuser", "owner", "service")}
    write_private(file, json.dumps(made))
    return PostgresPasswords(**made)


def _create_cluster(files: PostgresFiles, password: str) -> None:
    """Make a new cluster beside its final place and rename it: it is there whole or not at all."""
    unfinished = files.data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    private_folder(unfinished, files.account)
    with tempfile.NamedTemporaryFile("w", prefix="pao-pg-") as password_file:
        password_file.write(password)
        password_file.flush()
        if files.account is not None:
            os.chown(password_file.name, files.account.uid, files.account.gid)
        _initdb(files, unfinished, password_file.name)
    shutil.rmtree(files.data, ignore_errors=True)
    unfinished.rename(files.data)


def _initdb(files: PostgresFiles, folder: Path, password_file: str) -> None:
    account = files.account
    done = subprocess.run(  # noqa: S603 -- a program of the wheel
        [
            files.programs / "initdb",
            f"--pgdata={folder}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Postgres's own locale: the same order of rows on every machine.
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--lc-messages=C",
            # The server writes everything out before it first says that it is ready.
            "--no-sync",
        ],
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalError(f"Postgres could not create its data folder: {done.stderr.strip()}")
