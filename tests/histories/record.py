"""Records the histories beside this file: one per path that a request can take.

    python -m tests.histories.record            records every path anew
    python -m tests.histories.record abort      records one path

A history is what some worker, somewhere, may still have to replay, so a stored one is never
changed and never overwritten: a new recording gets the next number (``abort.2.json``). Record
again when a change of the workflow adds commands to a path, and keep the old ones: as long as they
replay, requests that are under way survive the deploy. What names the machine that recorded
(identities, paths in stack traces) is left out.
"""

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from activities.registry import load_all
from tests.histories.bundle_paths import OF_BUNDLES
from tests.histories.cancel_paths import OF_CANCELLED
from tests.histories.people_paths import OF_PEOPLE
from tests.histories.request_paths import JOB, OF_REQUESTS, Play
from tests.support.postgres import Database, cloned_database
from tests.support.servers import TestServers
from tests.support.worker import workbench

HERE = Path(__file__).parent
PROCESS_AT_HOST = re.compile(r"\d+@")
RECORDER = "recorder"
PATHS: dict[str, Play] = {**OF_BUNDLES, **OF_CANCELLED, **OF_PEOPLE, **OF_REQUESTS}


async def record(name: str, database: Database, temporal_address: str) -> Path:
    """Play one path and store its history under the next free name; gives that name."""
    with tempfile.TemporaryDirectory() as folder:
        async with workbench(database, temporal_address, Path(folder), with_worker=False) as bench:
            bench.types = {**load_all(), "job": JOB}
            await bench.start_worker()
            request = await PATHS[name](bench)
            await bench.handle(request).result()
            history = await bench.handle(request).fetch_history()
    document = without_the_machine(history.to_json_dict())
    file = next_free(name)
    file.write_text(json.dumps(document, indent=1) + "\n")
    return file


def next_free(name: str) -> Path:
    """Return a file name that is not taken: what is stored stays."""
    numbers = [int(file.name.split(".")[1]) for file in HERE.glob(f"{name}.*.json")]
    return HERE / f"{name}.{max(numbers, default=0) + 1}.json"


def without_the_machine(value: Any) -> Any:
    """Return a history's JSON without what names the machine on which it was recorded."""
    if isinstance(value, dict):
        return {
            key: without_the_machine(member) for key, member in value.items() if key != "stackTrace"
        }
    if isinstance(value, list):
        return [without_the_machine(member) for member in value]
    # Identities, and the sticky queues named after them, are written <process>@<host>.
    return RECORDER if isinstance(value, str) and PROCESS_AT_HOST.match(value) else value


def main(names: list[str]) -> None:
    """Record the named paths, or all, on servers of their own."""
    servers = TestServers()
    try:
        for name in names or PATHS:
            with cloned_database(servers.postgres()) as database:
                file = asyncio.run(record(name, database, servers.temporal()))
            sys.stdout.write(f"{file.name}\n")
    finally:
        servers.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
