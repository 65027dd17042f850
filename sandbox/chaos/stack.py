"""The full PAO stack, in processes that can be killed, stopped and restarted one by one.

One thread must start all parts: the kernel ends them when that thread ends.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import httpx

from db.migrations.runner import migrate
from pao.app.cli.http import BASE_PATH, RequestSigner
from pao.app.cli.profiles import ApiTarget
from pao.app.local.home import Home
from pao.app.local.ports import LOOPBACK, Ports, free_ports, with_free_ports
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres
from pao.app.local.postgres_files import delete_files
from pao.app.local.processes import ChildProcess, LineSink, LocalError, ignore_line
from pao.app.local.services import REGION, Service, service_environment
from pao.app.local.stack import sample_catalog
from pao.app.local.temporal import NAMESPACE, TemporalDevServer
from pao.app.local.users import issue_keys
from pao.clients.temporal_connection import TemporalTarget, connect

POSTGRES, TEMPORAL, JIRA, WORKER, API = "postgres", "temporal", "jira", "worker", "api"
PARTS = (POSTGRES, TEMPORAL, JIRA, WORKER, API)
ANY_FREE = Ports(api=0, temporal=0, temporal_ui=0, jira=0, github=0, postgres=0)
SERVICE = "execute-api"
QUEUE = "pao"
KILL_SECONDS = 20.0
WAIT_SECONDS = 240.0


class StackPart(Protocol):
    """A part that is started and stopped; ``process`` is None while it does not run."""

    process: ChildProcess | None

    def start(self) -> object:
        """Start it."""

    def stop(self) -> None:
        """Stop it."""


class ChaosStack:
    """Postgres, Temporal, the JIRA stand-in, a worker and the API, each under a name of PARTS."""

    def __init__(
        self,
        folder: Path,
        temporal_program: Path,
        *,
        environ: Mapping[str, str] | None = None,
        search_lag: float = 0.0,
        sink: LineSink = ignore_line,
    ) -> None:
        self._search_lag = search_lag
        self.home = Home(folder)
        self.ports = with_free_ports(ANY_FREE)
        self._program = temporal_program
        self._environ = dict(environ or {})
        self._sink = sink
        self._paused: set[str] = set()
        self.parts: dict[str, StackPart] = {}

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(PARTS):
            if name in self.parts:
                self.resume(name)
                self.parts[name].stop()
        delete_files(self.home.postgres)

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://{LOOPBACK}:{self.ports.api}"

    @property
    def jira_url(self) -> str:
        """The address of the JIRA stand-in."""
        return f"http://{LOOPBACK}:{self.ports.jira}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command that is configured as the worker is."""
        return {**os.environ, **self._configuration}

    def client(
        self, user: str = "ada", *, timeout: float = 30.0, url: str | None = None
    ) -> httpx.Client:
        """Return a client of the API, or of another one at ``url``, whose calls a user signs."""
        key, url = self._keys[user], url or self.url
        target = ApiTarget(url, REGION, SERVICE, key.access_key_id, key.secret)
        return httpx.Client(
            base_url=f"{url}{BASE_PATH}",
            auth=RequestSigner(target),
            timeout=timeout,
            trust_env=False,
        )

    def is_running(self, name: str) -> bool:
        """Return whether a part's process lives, paused or not."""
        process = self.parts[name].process
        return process is not None and process.exit_code() is None

    def kill(self, name: str) -> None:
        """Kill a part."""
        self._signal(name, signal.SIGKILL)
        process = self.parts[name].process
        if process is not None and not process.wait(KILL_SECONDS):
            raise LocalError(f"{name} did not end when it was killed")
        self._paused.discard(name)

    def end(self, name: str) -> None:
        """Stop a part; it may finish its work in progress."""
        self.resume(name)
        self.parts[name].stop()

    def pause(self, name: str) -> None:
        """Pause a part with its connections open."""
        self._paused.add(name)
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Resume a paused part."""
        if name in self._paused:
            self._paused.discard(name)
            self._signal(name, signal.SIGCONT)

    def bring_up(self, name: str) -> None:
        """Start or resume a part; the parts that it needs must be running."""
        self.resume(name)
        if not self.is_running(name):
            self.parts[name].stop()
            self.parts[name].start()

    def bring_all_up(self) -> None:
        """Start or resume every part, and wait until requests are accepted."""
        limit = time.monotonic() + WAIT_SECONDS
        for name in PARTS:
            self.bring_up(name)
        while not (self.is_ready() and self._jira_answers()):
            # A worker that was started while Temporal was down has ended, as intended.
            for name in PARTS:
                self.bring_up(name)
            if time.monotonic() > limit:
                raise LocalError("PAO does not become ready again")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Return whether the API reports that it accepts requests."""
        try:
            answer = httpx.get(f"{self.url}{BASE_PATH}/health/ready", timeout=10, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.is_success

    def _jira_answers(self) -> bool:
        """Return whether the stand-in answers: readiness does not depend on it."""
        try:
            return httpx.get(f"{self.jira_url}/sandbox/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def add_worker(self, name: str, **environ: str) -> None:
        """Start one more worker under a new name; it stops with the stack or before."""
        configuration = {**self._configuration, **environ}
        self.parts[name] = Service(name, ["worker"], configuration, sink=self._sink)
        self.parts[name].start()

    def add_api(self, name: str, **environ: str) -> str:
        """Start one more API under a new name; returns its address once it is ready."""
        [port] = free_ports(1)
        configuration = {**self._configuration, "PAO_PORT": str(port), **environ}
        made = Service(name, ["api"], configuration, sink=self._sink)
        self.parts[name] = made
        made.start()
        url = f"http://{LOOPBACK}:{port}"
        made.wait_until_answers(f"{url}{BASE_PATH}/health/ready")
        return url

    def lose_history(self) -> None:
        """Delete the data of a stopped Temporal, which then starts empty."""
        where = self.home.temporal_database
        for file in where.parent.glob(f"{where.name}*"):
            file.unlink()

    def trigger(self, *schedules: str) -> None:
        """Trigger schedules now."""
        asyncio.run(self._trigger(schedules))

    async def _trigger(self, schedules: Sequence[str]) -> None:
        client = await connect(TemporalTarget(address=self.temporal_address))
        for name in schedules:
            await client.get_schedule_handle(f"{QUEUE}-{name}").trigger()

    def remove(self, name: str) -> None:
        """Stop and remove an added part."""
        self.end(name)
        del self.parts[name]

    def add_creation_fault(self, text: str, *, kind: str, **settings: object) -> None:
        """Add a fault for creations of tickets whose summary contains ``text``."""
        match = {"method": "POST", "path": "/issue$", "summaryContains": text}
        self._add_fault({"kind": kind, "match": match, **settings})

    def add_search_fault(self, *, kind: str, **settings: object) -> None:
        """Add a fault for searches."""
        self._add_fault({"kind": kind, "match": {"path": "/search"}, **settings})

    def _add_fault(self, body: Mapping[str, object]) -> None:
        answer = httpx.post(f"{self.jira_url}/sandbox/faults", json=body, trust_env=False)
        answer.raise_for_status()

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are still active."""
        answer = httpx.get(f"{self.jira_url}/sandbox/faults", trust_env=False)
        return list(answer.json()["faults"])

    def tickets(self, text: str) -> list[dict[str, Any]]:
        """Return the tickets whose summary contains ``text``."""
        answer = httpx.get(f"{self.jira_url}/sandbox/tickets", trust_env=False)
        return [one for one in answer.json()["tickets"] if text in one["summary"]]

    def clear_faults(self) -> None:
        """Remove the stand-in's faults."""
        httpx.delete(f"{self.jira_url}/sandbox/faults", trust_env=False).raise_for_status()

    def _begin(self) -> None:
        self.home.folder.mkdir(parents=True, exist_ok=True)
        secrets = self.home.read_secrets()
        postgres = EmbeddedPostgres(
            self.home.postgres,
            port=self.ports.postgres,
            # With these settings, commits survive a kill, but not a power cut.
            settings={**FOR_TESTS, "synchronous_commit": "on"},
            sink=self._sink,
        )
        temporal = TemporalDevServer(
            self._program,
            port=self.ports.temporal,
            ui_port=None,
            database=self.home.temporal_database,
            sink=self._sink,
        )
        self.parts = {POSTGRES: postgres, TEMPORAL: temporal}
        self.postgres = postgres.start()
        self.temporal_address = temporal.start()
        asyncio.run(migrate(self.postgres.owner_url))
        self._keys = asyncio.run(issue_keys(self.postgres.service_url, self.home, secrets))
        self._configuration = self._services(secrets.encryption_keys)
        self.home.jira.mkdir(mode=0o700, exist_ok=True)
        jira = ["jira-sandbox", "--port", str(self.ports.jira), "--state", str(self.home.jira)]
        jira += ["--search-lag", str(self._search_lag)]
        self.parts[JIRA] = Service(JIRA, jira, {}, sink=self._sink)
        self.parts[WORKER] = Service(WORKER, ["worker"], self._configuration, sink=self._sink)
        self.parts[API] = Service(API, ["api"], self._configuration, sink=self._sink)
        self.bring_all_up()

    def _services(self, encryption_keys: str) -> dict[str, str]:
        usual = service_environment(
            ports=self.ports,
            catalog=sample_catalog().resolve(),
            database_url=self.postgres.service_url,
            temporal_address=self.temporal_address,
            temporal_namespace=NAMESPACE,
            temporal_ui_url=f"http://{LOOPBACK}:1",
            encryption_keys=encryption_keys,
            log_format="json",
        )
        return {**usual, "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000", **self._environ}

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self.parts[name].process
        if process is None or process.exit_code() is not None:
            return
        # Postgres gives every session its own process group, so signalling one group is not enough.
        children = _children(process.pid) if number != signal.SIGKILL else []
        for pid in (process.pid, *children):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(folder.name))
    return found
