"""Server time of the pages, and what a browser makes of them, against an empty page of the run.

Run it with ``python -m benchmarks.web_pages``. It starts a stack of its own, with 2,000 items, a
form of 300 fields and 200,000 stored requests, and reads the pages by turns as one person. The
empty page is the one that says that there is nothing: frame, session and navigation, and no more.

A page is interactive when its scripts have run, ``domContentLoadedEventEnd`` of Navigation Timing
Level 2. The longest task is that of the Long Tasks API, which tells those over 50 ms only. Styles
and scripts come from the browser's cache, as they do from the second page on.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import httpx
from playwright.async_api import async_playwright

from benchmarks import lists
from benchmarks.catalog_pages import generate
from benchmarks.load import ITEM, LoadCaller, StackAddresses
from benchmarks.run import ANY_FREE, ENVIRONMENT, ROOT, _drop, _place
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import StackOptions, running_stack
from tests.support.browser import ARGUMENTS, find_browser

EMPTY, NOWHERE = "an empty page", "/nowhere"
LARGE = "large-form"
FIELDS = 300
WARM_UP = 20
OBSERVE = """
    window.longestTask = 0;
    new PerformanceObserver(list => {
        for (const task of list.getEntries())
            window.longestTask = Math.max(window.longestTask, task.duration);
    }).observe({type: "longtask", buffered: true});
"""
TOLD = """() => new Promise(resolve => requestIdleCallback(() => {
    const [page] = performance.getEntriesByType("navigation");
    resolve([page.domContentLoadedEventEnd, window.longestTask]);
}))"""
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


async def sign_in_link(place: StackAddresses) -> str:
    """Return a link that signs in to the pages, as `pao web` makes it."""
    async with LoadCaller(place, "developer") as api:
        return str((await api.call("POST", "/web-sign-ins"))[1].json()["url"])


async def sign_in(client: httpx.AsyncClient, place: StackAddresses) -> None:
    """Sign in to the pages."""
    link = await sign_in_link(place)
    form = {"code": link.rpartition("#")[2], "confirmed": "yes", "to": "/"}
    answer = await client.post("/signin", data=form, headers={"Origin": place.api})
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise RuntimeError(f"signing in was answered {answer.status_code}")


async def made(place: StackAddresses, owner_url: str, *, stored: int) -> dict[str, str]:
    """Store requests; return the pages by their names."""
    async with LoadCaller(place, "developer") as api:
        request = (await api.submit()).id
    await lists.fill(owner_url, wanted=stored)
    return {
        EMPTY: NOWHERE,
        "home": "/",
        "catalog": "/catalog",
        "catalog, searched": "/catalog?q=postgresql",
        "an item": f"/catalog/{ITEM}",
        "its form": f"/catalog/{ITEM}/request",
        f"a form of {FIELDS} fields": f"/catalog/{LARGE}/request",
        "requests": "/requests",
        "a request": f"/requests/{request}",
        "waiting": "/waiting",
        "find": "/find?q=dns",
    }


async def served(
    place: StackAddresses, pages: Mapping[str, str], *, rounds: int
) -> dict[str, list[float]]:
    """Read every page by turns; return seconds by page."""
    seconds: dict[str, list[float]] = {name: [] for name in pages}
    async with httpx.AsyncClient(base_url=place.api, timeout=60, trust_env=False) as client:
        await sign_in(client, place)
        for number in range(-WARM_UP, rounds):
            for name, path in pages.items():
                started = time.perf_counter()
                answer = await client.get(path)
                if number >= 0:
                    seconds[name].append(time.perf_counter() - started)
                if answer.status_code != httpx.codes.OK and path != NOWHERE:
                    raise RuntimeError(f"{path} was answered {answer.status_code}")
    return seconds


@dataclass(frozen=True, slots=True)
class Opened:
    """One page in a browser: seconds until it is interactive, and of its longest task."""

    interactive: float
    longest_task: float


async def opened(
    place: StackAddresses, pages: Mapping[str, str], *, rounds: int
) -> dict[str, list[Opened]]:
    """Open every page by turns in a browser; return what it took by page."""
    found: dict[str, list[Opened]] = {name: [] for name in pages}
    browser = await asyncio.to_thread(find_browser)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=browser.program,
            args=ARGUMENTS,
            env={**os.environ, **browser.environment},
        )
        context = await chromium.new_context(base_url=place.api)
        await context.add_init_script(OBSERVE)
        page = await context.new_page()
        await page.goto(await sign_in_link(place))
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{place.api}/")
        for number in range(-1, rounds):
            for name, path in pages.items():
                await page.goto(path, wait_until="load")
                interactive, task = await page.evaluate(TOLD)
                if number >= 0:
                    found[name].append(Opened(interactive / 1000, task / 1000))
        await chromium.close()
    return found


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
        with running_stack(stack_options, progress=ProgressReporter(), sink=_drop) as stack:
            place = _place(stack)
            pages = asyncio.run(made(place, stack.postgres.owner_url, stored=options.requests))
            seconds = asyncio.run(served(place, pages, rounds=options.rounds))
            shown = asyncio.run(opened(place, pages, rounds=max(options.rounds // 5, 1)))
            stack.supervisor.check()
    print(f"\n{options.items:,} items, {options.requests:,} requests, {options.rounds} rounds\n")
    _print_served(seconds)
    _print_opened(shown)
    return 0


def _print_served(seconds: Mapping[str, list[float]]) -> None:
    empty = statistics.median(seconds[EMPTY])
    for name, times in seconds.items():
        p50 = statistics.median(times)
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {p50 * 1000:.1f} ms | {p95 * 1000:.1f} ms | {p50 / empty:.2f} |")


def _print_opened(shown: Mapping[str, list[Opened]]) -> None:
    print("\nIn a browser: interactive after, its ratio, longest task over 50 ms\n")
    empty = statistics.median(one.interactive for one in shown[EMPTY])
    for name, times in shown.items():
        p50 = statistics.median(one.interactive for one in times)
        task = max(one.longest_task for one in times)
        print(f"| {name} | {p50 * 1000:.0f} ms | {p50 / empty:.2f} | {task * 1000:.0f} ms |")


if __name__ == "__main__":
    sys.exit(main())
