"""`make scale`: a day of 20,000 requests, as three APIs and three workers behind a balancer see it.

The day is not played whole: its busiest hour at its true rate for as long as ``--seconds``, its
worst moment (``--burst`` requests at once), and a rollout, during which every API and every worker
is replaced while the busiest hour goes on. Processor time does not depend on the hour, so that what
the whole day takes follows from it. The exit code is not 0 when a call was lost, or a request.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import httpx

from benchmarks import processor, truth
from benchmarks.figures import figures, milliseconds
from pao.app.cli.http import BASE_PATH
from pao.app.local.progress import ProgressReporter
from pao.app.local.temporal_binary import find_or_build
from sandbox.chaos.stack import API, WORKER, ChaosStack
from sandbox.kit.balancer import LOOPBACK, Balancer

A_DAY = 20_000
# A working day has one hour in which four times the average arrives.
BUSIEST = 4 * A_DAY / 86_400
PROCESSES = 3
ENVIRON = {"PAO_DRAIN": "3s", "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000"}
WATCH_SECONDS = 0.3
POLLS = "worker polls"
ANSWERED = (201, 202)

T = TypeVar("T")


@dataclass(slots=True)
class Played:
    """What came of a part of the day."""

    seconds: list[float] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    open: int = 0
    lost: list[str] = field(default_factory=list)


class Callers:
    """Callers and balancer, in a thread of their own: the main one drives the stack."""

    def __init__(self, stack: ChaosStack, ports: Mapping[str, int]) -> None:
        self._auth = stack.client().auth
        self._ports = ports
        self._balancer = Balancer(list(ports.values()))
        self._random = random.Random(7)  # noqa: S311 -- the same day in every run

    async def steadily(self, seconds: float, until: Callable[[], bool] = lambda: True) -> Played:
        """Submit at the rate of the busiest hour, for so long and until something is true."""

        async def arrivals(submit: Callable[[], None]) -> None:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends or not until():
                await asyncio.sleep(self._random.expovariate(BUSIEST))
                submit()

        return await self._play(arrivals)

    async def at_once(self, count: int) -> Played:
        """Submit so many at the same moment."""

        async def arrivals(submit: Callable[[], None]) -> None:
            for _ in range(count):
                submit()

        return await self._play(arrivals)

    async def _play(self, arrivals: Callable[[Callable[[], None]], Awaitable[None]]) -> Played:
        played = Played()
        url = await self._balancer.start()
        watching = asyncio.create_task(self._watch())
        async with httpx.AsyncClient(
            base_url=f"{url}{BASE_PATH}",
            auth=self._auth,
            # A connection for each call, so that each goes to the next API.
            headers={"Connection": "close"},
            timeout=60,
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        ) as client:
            calls: list[asyncio.Task[None]] = []
            await arrivals(lambda: calls.append(asyncio.create_task(_submit(client, played))))
            await asyncio.gather(*calls)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await self._balancer.stop()
        return played

    async def _watch(self) -> None:
        """Ask every API whether it takes calls, as a balancer's health check does."""
        while True:
            for port in self._ports.values():
                ready = await is_ready(port)
                (self._balancer.put_in if ready else self._balancer.take_out)(port)
            await asyncio.sleep(WATCH_SECONDS)


async def is_ready(port: int) -> bool:
    """Return whether an API says that it takes calls."""
    with contextlib.suppress(httpx.TransportError):
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            url = f"http://{LOOPBACK}:{port}{BASE_PATH}/health/ready"
            return (await client.get(url, params={"scope": "process"})).is_success
    return False


async def _submit(client: httpx.AsyncClient, played: Played) -> None:
    fields = {"hostName": f"h{uuid4().hex}.example.com", "address": "10.0.0.1"}
    body = {"catalogItemId": "network-dns-record", "fields": fields}
    started = time.perf_counter()
    try:
        answer = await client.post(
            "/requests", json=body, headers={"X-Correlation-ID": str(uuid4())}
        )
    except httpx.TransportError as error:
        played.lost.append(repr(error))
        return
    if answer.status_code not in ANSWERED:
        played.lost.append(answer.text)
        return
    played.seconds.append(time.perf_counter() - started)
    played.made.append(answer.json()["id"])
    played.open += answer.status_code != ANSWERED[0]


class Day:
    """The parts of the day, one after another."""

    def __init__(
        self, stack: ChaosStack, progress: ProgressReporter, polling: Counter[str]
    ) -> None:
        self._stack = stack
        self._polling = polling
        self._progress = progress
        self._made: list[str] = []
        self.lost = 0
        ports = {API: stack.ports.api}
        for number in range(2, PROCESSES + 1):
            ports[f"api-{number}"] = int(stack.add_api(f"api-{number}").rpartition(":")[2])
            stack.add_worker(f"worker-{number}")
        self._parts = [*ports, WORKER, *(f"worker-{n}" for n in range(2, PROCESSES + 1))]
        self._ports = ports
        self._callers = Callers(stack, ports)
        self._pool = ThreadPoolExecutor(1)
        self._rolled = False

    def run(self, *, seconds: float, burst: int) -> bool:
        """Play it, print what came of it, and return whether nothing was lost."""
        self._run_in_thread(self._callers.at_once(PROCESSES))
        before, began = processor.used(), time.monotonic()
        steady = self._run_and_report("the busiest hour", self._callers.steadily(seconds))
        spent = processor.spent(before, processor.used(), calls=len(steady.made))
        elapsed = time.monotonic() - began
        self._run_and_report(f"{burst} at once", self._callers.at_once(burst))
        rolling = self._pool.submit(
            asyncio.run, self._callers.steadily(seconds, lambda: self._rolled)
        )
        for name in self._parts:
            self._progress.report(f"Replacing {name}")
            polled = self._polling[name]
            self._stack.end(name)
            self._stack.bring_up(name)
            self._wait(name, polled)
        self._rolled = True
        self._print_result("the busiest hour, while all are replaced", rolling.result())
        _print_costs(spent, rate=len(steady.made) / elapsed)
        stack = self._stack
        found = asyncio.run(
            truth.count(stack.postgres.service_url, jira=stack.jira_url, made=self._made)
        )
        for name in self._parts:
            stack.remove(name)
        print(f"\n{found.text()}; {self.lost} calls lost")
        for message, times in Counter(found.waiting).items():
            print(f"  {times} wait: {message}")
        return found.nothing_lost and not self.lost

    def _wait(self, name: str, before: int) -> None:
        """Wait until an API takes calls, or a worker polls once more than ``before``."""
        port = self._ports.get(name)
        while not (asyncio.run(is_ready(port)) if port else self._polling[name] > before):
            time.sleep(WATCH_SECONDS)

    def _run_in_thread(self, playing: Awaitable[Played]) -> Played:
        return self._pool.submit(asyncio.run, playing).result()  # type: ignore[arg-type]

    def _run_and_report(self, name: str, playing: Awaitable[Played]) -> Played:
        self._progress.report(name)
        played = self._run_in_thread(playing)
        self._print_result(name, played)
        return played

    def _print_result(self, name: str, played: Played) -> None:
        self._made += played.made
        self.lost += len(played.lost)
        one = figures(played.seconds)
        print(
            f"| {name} | {one.count} | {milliseconds(one.p50)} | {milliseconds(one.p99)} "
            f"| {played.open} | {len(played.lost)} |"
        )
        for lost_id in played.lost[:3]:
            print(f"  lost: {lost_id}")


def _print_costs(spent: Mapping[str, float], *, rate: float) -> None:
    """Print the cost of a request and of a day, idle processes included."""
    each = sum(spent.values())
    parts = ", ".join(f"{name} {milliseconds(cost)}" for name, cost in spent.items())
    print(f"\nProcessor time of a request: {milliseconds(each)} ({parts})")
    print(f"At {rate:.2f} a second that is {rate * each / 10:.0f} % of a core;")
    print(f"a day of {A_DAY:,}: {A_DAY * each / 3_600_000:.2f} hours of a core, at most")


def main() -> int:
    """Run the day; the exit code is 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of the busiest hour")
    parser.add_argument("--burst", type=int, default=100, help="requests at the worst moment")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    progress = ProgressReporter()
    with tempfile.TemporaryDirectory(prefix="pao-day-") as folder:
        program = find_or_build(progress)
        polling: Counter[str] = Counter()

        def hear(name: str, line: str) -> None:
            polling[name] += POLLS in line

        home = Path(folder) / "home"
        with ChaosStack(home, program, environ=ENVIRON, sink=hear) as stack:
            right = Day(stack, progress, polling).run(seconds=options.seconds, burst=options.burst)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
