"""`make bench`: measures PAO against a bare Temporal workflow, in one run on one server.

Starts a stack of its own on free ports in a folder of its own, which is removed at the end. The
exit code tells whether anything was lost or wrong; speed is shown and judged by people.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import asyncpg
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from benchmarks import bare
from benchmarks.load import StackAddresses
from benchmarks.phases import FULL, QUICK, Bench
from benchmarks.report import Report, machine
from pao.app.local.env_file import read_env_file
from pao.app.local.ports import Ports
from pao.app.local.processes import ChildProcess, LocalError, Program
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack
from pao.app.local.users import USERS

ROOT = Path(__file__).resolve().parent.parent
ANY_FREE = Ports(api=0, temporal=0, temporal_ui=0, jira=0, github=0, postgres=0)
ENVIRONMENT = {
    # What calls here is one caller that makes thousands of calls.
    "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
    "LOG_FORMAT": "json",
}


def main() -> int:
    """Run it; the exit code is 0 unless something was lost or wrong."""
    options = _options()
    os.environ.update(ENVIRONMENT)
    # A sourced env file of `pao up` names a server; this run has one of its own.
    os.environ.pop("TEMPORAL_ADDRESS", None)
    # Without kept bytecode every workflow's sandbox compiles the workflow's module anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    progress = ProgressReporter()
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        stack_options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE)
        with (
            running_stack(stack_options, progress=progress, sink=_drop) as stack,
            _bare_worker(stack),
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        ):
            bench = Bench(
                place=_place(stack),
                postgres=stack.postgres,
                size=QUICK if options.quick else FULL,
                pool=pool,
                progress=progress,
                report=Report(machine(*asyncio.run(_versions(stack)))),
            )
            bench.run()
            stack.supervisor.check()
    print(bench.report.text())
    bench.report.write(options.json)
    print(f"\nAlso in {options.json}")
    return 0 if bench.report.right else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a first look in under a minute")
    parser.add_argument(
        "--json", type=Path, default=Path(".pao/bench.json"), help="where the result is written"
    )
    return parser.parse_args()


def _drop(_name: str, _line: str) -> None:
    """Show no log: the result is what is read."""


@contextmanager
def _bare_worker(stack: RunningStack) -> Iterator[None]:
    temporal = stack.temporal
    command = [sys.executable, "-m", "benchmarks.bare", temporal.address, temporal.namespace]
    worker = ChildProcess(Program(name="bare worker", command=command, folder=ROOT))
    try:
        yield
        if worker.exit_code() is not None:
            raise LocalError("The bare worker died:\n" + "\n".join(worker.drain()))
    finally:
        worker.stop(grace=5)


def _place(stack: RunningStack) -> StackAddresses:
    env = {user.role: read_env_file(stack.home.env_file(user.role)) for user in USERS}
    return StackAddresses(
        api=stack.api_url,
        temporal=stack.temporal.address,
        namespace=stack.temporal.namespace,
        jira=stack.jira_url,
        region=next(iter(env.values()))["PAO_REGION"],
        keys={
            role: (one["PAO_ACCESS_KEY_ID"], one["PAO_SECRET_ACCESS_KEY"])
            for role, one in env.items()
        },
    )


async def _versions(stack: RunningStack) -> tuple[str, str]:
    client = await bare.connected(stack.temporal.address, stack.temporal.namespace)
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    connection = await asyncpg.connect(stack.postgres.service_url)
    try:
        postgres: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return info.server_version, postgres


if __name__ == "__main__":
    sys.exit(main())
