"""The Temporal dev server: its settings, its start and stop, its namespace.

temporal_binary.py finds its program.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from pao.app.local.processes import ChildProcess, LineSink, Program, ignore_line
from pao.app.local.start_timeout import StartTimeout, ignore_progress
from pao.core.names import RETENTION_DAYS, SEARCH_ATTRIBUTES

NAMESPACE = "default"
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1
ANSWER_SECONDS = 10.0

DYNAMIC_CONFIGURATION: Mapping[str, object] = {
    # The default of 20 a second and shard makes every task on a one-shard server wait for the
    # next 50 ms tick: a one-action workflow took 100 ms with the default and 30 ms with this.
    "history.transferProcessorMaxPollRPS": 10_000,
    # The same tick holds back timers (retries, timeouts) ...
    "history.timerProcessorMaxPollRPS": 10_000,
    # ... and what lists and searches show.
    "history.visibilityProcessorMaxPollRPS": 10_000,
    # The first activity comes with the answer to the workflow task: one round trip less.
    "system.enableActivityEagerExecution": True,
    # With the default of four a task may wait in a partition that no poller looks at yet and is
    # then forwarded. One node gains nothing from more than one.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
}
"""Settings that make a server on one node fast, each with its reason; the times were measured."""


class TemporalDevServer:
    """A Temporal server with its UI on loopback; with ``database`` its workflows are kept there."""

    def __init__(  # noqa: PLR0913 -- one keyword per thing that is only known at run time
        self,
        program: Path,
        *,
        port: int,
        ui_port: int | None,
        database: Path | None = None,
        sink: LineSink = ignore_line,
        report: Callable[[str], None] = ignore_progress,
    ) -> None:
        self._program = program
        self._port = port
        self._ui_port = ui_port
        self._database = database
        self._sink = sink
        self._report = report
        self.process: ChildProcess | None = None

    @property
    def address(self) -> str:
        """The address of the server."""
        return f"127.0.0.1:{self._port}"

    @property
    def ui_url(self) -> str | None:
        """The address of the UI; None without one."""
        return None if self._ui_port is None else f"http://127.0.0.1:{self._ui_port}"

    def start(self) -> str:
        """Start the server and return its address when it works and its namespace is prepared.

        Raises LocalError with the server's last lines when it does not start; nothing is left
        running then.
        """
        self.process = ChildProcess(
            Program(name="temporal", command=[str(self._program), *self._arguments()]), self._sink
        )
        try:
            # In a separate thread: the caller may be running an event loop.
            with ThreadPoolExecutor(max_workers=1) as thread:
                thread.submit(asyncio.run, self._wait_until_ready(self.process)).result()
        except BaseException:
            self.stop()
            raise
        return self.address

    def stop(self) -> None:
        """Stop the server."""
        if self.process is not None:
            self.process.stop(grace=STOP_SECONDS)
            self.process = None

    def _arguments(self) -> list[str]:
        arguments = ["server", "start-dev", "--ip", "127.0.0.1", "--port", str(self._port)]
        # Its warnings are about its own parts not finding each other while they start and end.
        arguments += ["--log-level", "error", "--log-format", "text"]
        arguments += ["--headless"] if self._ui_port is None else ["--ui-port", str(self._ui_port)]
        if self._database is not None:
            arguments += ["--db-filename", str(self._database)]
        for name, kind in SEARCH_ATTRIBUTES.items():
            arguments += ["--search-attribute", f"{name}={kind}"]
        for name, value in DYNAMIC_CONFIGURATION.items():
            arguments += ["--dynamic-config-value", f"{name}={json.dumps(value)}"]
        return arguments

    async def _wait_until_ready(self, process: ChildProcess) -> None:
        timeout = StartTimeout([process], report=self._report)
        while not await _is_prepared(self.address):
            timeout.check(f"Temporal does not answer at {self.address} yet")
            await asyncio.sleep(POLL_SECONDS)


async def prepare_namespace(client: Client) -> None:
    """Set the namespace's retention, and add missing search attributes.

    The flags of a dev server only apply to a new database: what a later version of PAO
    adds would be missing in an existing one. Raises RPCError if the server does not allow it.
    """
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace,
            config=NamespaceConfig(workflow_execution_retention_ttl=_retention()),
        )
    )
    existing = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {
        name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
        for name, kind in SEARCH_ATTRIBUTES.items()
        if name not in existing.custom_attributes
    }
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )


def _retention() -> Duration:
    """Return how long finished workflows can be looked at; a dev server's default is one day."""
    duration = Duration()
    duration.FromTimedelta(timedelta(days=RETENTION_DAYS))
    return duration


async def _is_prepared(address: str) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            client = await Client.connect(address, namespace=NAMESPACE)
            await prepare_namespace(client)
    except (RPCError, RuntimeError, TimeoutError):
        # RuntimeError is what the SDK raises while nothing listens.
        return False
    return True
