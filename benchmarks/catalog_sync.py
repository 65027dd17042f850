"""Bringing a catalog of 2,000 items into service: cold, unchanged, one file, other rules.

Run it with ``python -m benchmarks.catalog_sync``. It starts a stack of its own for its Postgres and
syncs within this process, as a worker does in an activity.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from activities.registry import action_schemas
from api.catalog.service import CatalogService
from benchmarks.catalog_pages import generate
from benchmarks.run import ANY_FREE, ENVIRONMENT, _drop
from catalog.sources.local import LocalFolder
from catalog.validation import ActionSchema
from db.repositories.audit import AuditEntry
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import StackOptions, running_stack
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.temporal_connection import TemporalTarget, connect


async def measure(url: str, temporal: str, root: Path) -> dict[str, tuple[float, float]]:
    """Return the seconds of each kind of run, and those of this process's processor."""
    database = Database(url)
    actions = action_schemas()
    sync = CatalogSync(database, LocalFolder(root), actions)
    other = actions | {"another": ActionSchema(config={"type": "object"})}
    found = {
        "cold, every file new": await _measure(sync.run),
        "nothing new": await _measure(sync.run),
        "nothing new, a worker that has just started": await _measure(
            CatalogSync(database, LocalFolder(root), actions).run
        ),
    }
    file = root / "databases" / "database-postgresql-0000.yaml"
    file.write_text(file.read_text("utf-8").replace("version: 1.", "version: 2.", 1), "utf-8")
    found["one changed file"] = await _measure(sync.run)
    changed_rules = CatalogSync(database, LocalFolder(root), other)
    found["other rules, contents from Postgres"] = await _measure(changed_rules.run)
    client = await connect(TemporalTarget(address=temporal), lazy=True)
    service = CatalogService(database, CatalogSyncs(client, task_queue="none"), record=_forget)
    found["what an API reads at its start"] = await _measure(service.catch_up)
    await database.close()
    return found


async def _measure(run: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    started, processor = time.perf_counter(), time.process_time()
    await run()
    return time.perf_counter() - started, time.process_time() - processor


async def _forget(_entry: AuditEntry) -> None:
    """Nothing is refreshed on anybody's word here."""


def main() -> int:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.catalog_sync", description=__doc__)
    parser.add_argument("--items", type=int, default=2000)
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    os.environ.pop("TEMPORAL_ADDRESS", None)
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        root, none = Path(folder) / "catalog", Path(folder) / "none"
        generate(root, count=options.items)
        none.mkdir()
        stack_options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE, catalog=none)
        with running_stack(stack_options, progress=ProgressReporter(), sink=_drop) as stack:
            found = asyncio.run(measure(stack.postgres.service_url, stack.temporal.address, root))
    print(f"\n{options.items:,} items\n")
    for name, (seconds, processor) in found.items():
        print(f"| {name} | {seconds:.2f} s | {processor:.2f} s |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
