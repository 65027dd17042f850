"""Server time of the pages, against an empty page in the same run.

Run it with ``python -m benchmarks.web_pages``. It starts a stack of its own, with 2,000 items, a
form of 300 fields and 200,000 stored requests, and reads the pages by turns as one person. The
empty page is the one that says that there is nothing: frame, session and navigation, and no more.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from shutil import copytree

import httpx

from benchmarks import lists
from benchmarks.catalog_pages import generate
from benchmarks.load import ITEM, Api, Place
from benchmarks.run import ANY_FREE, ENVIRONMENT, ROOT, _drop, _place
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import StackOptions, running_stack

EMPTY = "/nowhere"
LARGE = "large-form"
FIELDS = 300
WARM_UP = 20
NO_LIMIT = {"PAO_WEB_RATE_LIMIT": "1000000"}


def large_form(root: Path) -> None:
    """Write an item whose form is as long as no form should be."""
    fields = [
        {"id": f"field{number}", "type": ("string", "integer", "boolean")[number % 3]}
        for number in range(FIELDS)
    ]
    ticket = {"project": "PLATFORM", "summaryTemplate": "Large"}
    item = {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {"id": LARGE, "name": "Large", "version": "1.0.0", "category": "network"},
        "presentation": {"form": {"groups": [{"id": "all", "fields": fields}]}},
        "fulfillment": {
            "strategy": {"mode": "manual"},
            "manual": {"actions": [{"type": "jira-ticket", "config": {"ticket": ticket}}]},
        },
    }
    (root / "network" / f"{LARGE}.yaml").write_text(json.dumps(item))


async def sign_in(client: httpx.AsyncClient, place: Place) -> None:
    """Sign in to the pages with a link, as `pao web` does."""
    async with Api(place, "developer") as api:
        link = (await api.call("POST", "/web-sign-ins"))[1].json()["url"]
    form = {"code": link.rpartition("#")[2], "confirmed": "yes", "to": "/"}
    answer = await client.post("/signin", data=form, headers={"Origin": place.api})
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise RuntimeError(f"signing in was answered {answer.status_code}")


async def measure(
    place: Place, owner_url: str, *, rounds: int, stored: int
) -> dict[str, list[float]]:
    """Read every page by turns; return seconds by page."""
    async with Api(place, "developer") as api:
        made = (await api.submit()).id
    await lists.fill(owner_url, wanted=stored)
    pages = {
        "an empty page": EMPTY,
        "home": "/",
        "catalog": "/catalog",
        "catalog, searched": "/catalog?q=postgresql",
        "an item": f"/catalog/{ITEM}",
        "its form": f"/catalog/{ITEM}/request",
        f"a form of {FIELDS} fields": f"/catalog/{LARGE}/request",
        "requests": "/requests",
        "a request": f"/requests/{made}",
        "waiting": "/waiting",
        "find": "/find?q=dns",
    }
    seconds: dict[str, list[float]] = {name: [] for name in pages}
    async with httpx.AsyncClient(base_url=place.api, timeout=60, trust_env=False) as client:
        await sign_in(client, place)
        for number in range(-WARM_UP, rounds):
            for name, path in pages.items():
                started = time.perf_counter()
                answer = await client.get(path)
                if number >= 0:
                    seconds[name].append(time.perf_counter() - started)
                if answer.status_code != httpx.codes.OK and path != EMPTY:
                    raise RuntimeError(f"{path} was answered {answer.status_code}")
    return seconds


def main() -> int:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.web_pages", description=__doc__)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT | NO_LIMIT)
    os.environ.pop("TEMPORAL_ADDRESS", None)
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        root = Path(folder) / "catalog"
        copytree(ROOT / "examples" / "catalog", root)
        generate(root, count=options.items)
        large_form(root)
        stack_options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE, catalog=root)
        with running_stack(stack_options, narrator=ProgressReporter(), sink=_drop) as stack:
            seconds = asyncio.run(
                measure(
                    _place(stack),
                    stack.postgres.owner_url,
                    rounds=options.rounds,
                    stored=options.requests,
                )
            )
            stack.supervisor.check()
    print(f"\n{options.items:,} items, {options.requests:,} requests, {options.rounds} rounds\n")
    empty = statistics.median(seconds["an empty page"])
    for name, times in seconds.items():
        p50 = statistics.median(times)
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {p50 * 1000:.1f} ms | {p95 * 1000:.1f} ms | {p50 / empty:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
