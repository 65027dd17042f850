"""A catalog of 2,000 items in a repository: cold, and from a push to what is served.

Run it with ``python -m benchmarks.catalog_push``. It starts a whole PAO of its own whose catalog is
on the GitHub stand-in, pushes changes of one file, and counts the calls to the stand-in.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from benchmarks.catalog_pages import generate
from benchmarks.run import ANY_FREE, ENVIRONMENT, _drop
from pao.app.local.github_catalog import FOLDER, REPOSITORY
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack

FILE = Path("databases") / "database-postgresql-0000.yaml"
MOST_SECONDS = 600.0


class Repository:
    """The catalog on the stand-in, and what Postgres says is in service."""

    def __init__(self, stack: RunningStack) -> None:
        self._github = httpx.Client(base_url=stack.github_url, trust_env=False, timeout=60)
        self._postgres = stack.postgres.service_url

    def push(self, files: dict[str, str]) -> str:
        """Commit files; returns the commit."""
        body = {"repository": REPOSITORY, "files": files}
        return str(self._github.post("/sandbox/pushes", json=body).raise_for_status().json()["sha"])

    def reads(self) -> list[str]:
        """Return the calls that read the repository, oldest first; checks are not among them."""
        calls: list[dict[str, Any]] = self._github.get("/sandbox/calls").json()["calls"]
        told = ("check-runs", "access_tokens", "installation")
        return [one["path"] for one in calls if not any(part in one["path"] for part in told)]

    def served(self, revision: str | None = None) -> float:
        """Wait until a revision is served, or any; returns for how long."""
        began = time.perf_counter()
        while time.perf_counter() - began < MOST_SECONDS:
            found = asyncio.run(self._revision())
            if found and revision in {None, found}:
                return time.perf_counter() - began
            time.sleep(0.05)
        raise TimeoutError("the revision is not served")

    async def _revision(self) -> str | None:
        connection = await asyncpg.connect(self._postgres)
        try:
            found: str | None = await connection.fetchval("SELECT revision FROM catalog_state")
            return found
        finally:
            await connection.close()


def measure(stack: RunningStack, root: Path, *, pushes: int) -> list[tuple[str, str, int]]:
    """Return what was done, how long it took, and how many calls it needed."""
    repository = Repository(stack)
    # The stack counts as started once its worker has read the catalog.
    found = [("cold, every file new", "", len(repository.reads()))]
    seconds, calls = [], []
    for number in range(pushes):
        before = len(repository.reads())
        text = (root / FILE).read_text("utf-8").replace("version: 1.", f"version: {number + 2}.", 1)
        revision = repository.push({f"{FOLDER}/{FILE.as_posix()}": text})
        seconds.append(repository.served(revision))
        calls.append(len(repository.reads()) - before)
    median = statistics.median(seconds)
    found.append((f"one changed file, median of {pushes}", f"{median:.1f} s", max(calls)))
    before = len(repository.reads())
    revision = repository.push({"README.md": "beside the catalog"})
    took = repository.served(revision)
    found.append(("a commit beside the catalog", f"{took:.1f} s", len(repository.reads()) - before))
    return found


def main() -> int:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.catalog_push", description=__doc__)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--pushes", type=int, default=5)
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    os.environ.pop("TEMPORAL_ADDRESS", None)
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        root = Path(folder) / "catalog"
        generate(root, count=options.items)
        stack_options = StackOptions(
            home=Path(folder) / "home", ports=ANY_FREE, catalog=root, catalog_on_github=True
        )
        began = time.perf_counter()
        with running_stack(stack_options, progress=ProgressReporter(), sink=_drop) as stack:
            started = time.perf_counter() - began
            found = measure(stack, root, pushes=options.pushes)
    print(f"\n{options.items:,} items; the whole stack answered after {started:.0f} s\n")
    for what, took, calls in found:
        print(f"| {what} | {took} | {calls} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
