"""Browsing a catalog of 2,000 items over HTTP, and bringing a changed one into service.

Run it with ``python -m benchmarks.catalog_pages``. It starts a stack of its own, as `make bench`
does, and reads it with one signed caller; the time is that from the signed call to the answer.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks import aims
from benchmarks.figures import quantile
from benchmarks.load import LoadCaller, StackAddresses
from benchmarks.report import verdict
from benchmarks.run import ANY_FREE, ENVIRONMENT, ROOT, _drop, _place
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import StackOptions, running_stack

SAMPLE = ROOT / "examples/catalog/databases/database-postgresql-standard.yaml"
SERVICES = ("postgresql", "mysql", "redis", "kafka", "rabbitmq", "elastic", "mongo", "minio")
CATEGORIES = ("databases", "queues", "storage", "network", "secrets", "access", "compute", "search")
WORDS = ("managed", "shared", "encrypted", "replicated", "audited", "regional", "cheap", "fast")
WARM_UP = 30
EMPTY = "an empty route"


def generate(root: Path, *, count: int) -> None:
    """Write items that are as long as a real one and differ in what they are found by."""
    text = SAMPLE.read_text("utf-8")
    rng = random.Random(7)  # noqa: S311 -- the same catalog in every run
    for number in range(count):
        service, category = SERVICES[number // 8 % 8], CATEGORIES[number % 8]
        ident = f"{category.removesuffix('s')}-{service}-{number:04}"
        about = (
            f"A {rng.choice(WORDS)} and {rng.choice(WORDS)} {service} for teams, number {number}"
        )
        item = (
            text.replace("id: database-postgresql-standard", f"id: {ident}", 1)
            .replace("name: PostgreSQL Database", f"name: {service.title()} {number}", 1)
            .replace("category: databases", f"category: {category}", 1)
            .replace("team: team-database", f"team: team-{number % 40}", 1)
            .replace("A managed PostgreSQL instance", about, 1)
        )
        file = root / category / f"{ident}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(item, "utf-8")


async def measure(place: StackAddresses, root: Path, *, calls: int) -> dict[str, list[float]]:
    """Read every kind of page by turns, so that the machine's moods hit all alike."""
    async with LoadCaller(place, "admin") as api:
        listed = (await api.read("/catalog", limit=200))[1]
        ids = [row["id"] for row in listed["data"]]
        kinds: dict[str, Callable[[int], Awaitable[Any]]] = {
            EMPTY: lambda _n: api.read("/health/live"),
            "list, first page of 50": lambda _n: api.read("/catalog"),
            "list, one category": lambda n: api.read("/catalog", category=CATEGORIES[n % 8]),
            "search, one word": lambda n: api.read("/catalog", q=SERVICES[n % 8]),
            "search, two words": lambda n: api.read("/catalog", q=f"{SERVICES[n % 8]} {n % 2000}"),
            "one item": lambda n: api.read(f"/catalog/items/{ids[n % 200]}"),
            "its form": lambda n: api.read(f"/catalog/items/{ids[n % 200]}/schema"),
        }
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(-WARM_UP, calls):
            for name, call in kinds.items():
                seconds = (await call(number % 1000))[0].seconds
                if number >= 0:
                    times[name].append(seconds)
        times["a changed file is served"] = [
            await _change(api, root, number) for number in range(1, 21)
        ]
        return times


async def _change(api: LoadCaller, root: Path, number: int) -> float:
    file = root / "databases" / "database-postgresql-0000.yaml"
    version = f"version: 1.3.{number}"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    changed = [f"  {version}\n" if line.startswith("  version:") else line for line in lines]
    file.write_text("".join(changed), "utf-8")
    started = time.perf_counter()
    while True:
        document = (await api.read(f"/catalog/items/{file.stem}"))[1]
        if f"version: {document['version']}" == version:
            return time.perf_counter() - started
        await asyncio.sleep(0.01)


def main() -> int:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.catalog_pages", description=__doc__)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=500)
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    os.environ.pop("TEMPORAL_ADDRESS", None)
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        root = Path(folder) / "catalog"
        generate(root, count=options.items)
        stack_options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE, catalog=root)
        with running_stack(stack_options, progress=ProgressReporter(), sink=_drop) as stack:
            times = asyncio.run(measure(_place(stack), root, calls=options.calls))
            stack.supervisor.check()
    print(f"\n{options.items:,} items, {options.calls} calls of each kind, one caller\n")
    for name, seconds in times.items():
        print(_row(name, seconds))
    empty = statistics.median(times[EMPTY])
    for name, seconds in times.items():
        if name.startswith(("list", "search")):
            ratio = statistics.median(seconds) / empty
            print(verdict(aims.at_most(f"{name}, p99", _p99(seconds), aims.CATALOG_MS, unit=" ms")))
            print(verdict(aims.at_most(f"{name} against {EMPTY}", ratio, aims.EMPTY_ROUTE)))
    return 0


def _row(name: str, seconds: list[float]) -> str:
    p50, most = statistics.median(seconds) * 1000, max(seconds) * 1000
    return f"| {name} | {p50:.1f} ms | {_p99(seconds):.1f} ms | {most:.1f} ms |"


def _p99(seconds: list[float]) -> float:
    return quantile(sorted(seconds), 0.99) * 1000


if __name__ == "__main__":
    sys.exit(main())
