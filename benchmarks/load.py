"""The client side: signed calls and bare workflows, timed. Runs in a process of its own.

Signing is done before the clock starts: what it costs a client is no time of the service.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx
from temporalio.client import Client

from benchmarks import bare
from pao.app.cli.http import RequestSigner
from pao.app.cli.profiles import ApiTarget

ITEM = "network-dns-record"
SUBMISSION = "pao"
EXECUTED = "bare"
UPDATED = "bare, update-with-start"
CREATED = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class StackAddresses:
    """Where the measured stack is, and whose keys are used."""

    api: str
    temporal: str
    namespace: str
    jira: str
    region: str
    keys: dict[str, tuple[str, str]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One call: its seconds and HTTP status; ``id`` of the request that it made."""

    seconds: float
    status: int = 200
    id: str | None = None


@dataclass(slots=True)
class Series:
    """All calls of one kind; ``elapsed`` is the seconds that its blocks took, one after another."""

    calls: list[Timed] = field(default_factory=list)
    elapsed: float = 0.0


class LoadCaller:
    """The service as one user calls it."""

    def __init__(self, place: StackAddresses, user: str) -> None:
        access_key_id, secret = place.keys[user]
        target = ApiTarget(place.api, place.region, "execute-api", access_key_id, secret)
        self._auth = RequestSigner(target)
        self._client = httpx.AsyncClient(
            base_url=f"{place.api}/api/v1",
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, **given: Any) -> tuple[float, httpx.Response]:
        """Call the service; the seconds are those from the signed request to the whole answer."""
        headers = {"X-Correlation-ID": str(uuid4())}
        request = self._client.build_request(method, path, headers=headers, **given)
        signed = next(self._auth.auth_flow(request))
        started = time.perf_counter()
        response = await self._client.send(signed)
        return time.perf_counter() - started, response

    async def submit(self) -> Timed:
        """Submit a request with one action."""
        fields = {"hostName": f"h{uuid4().hex}.example.com", "address": "10.0.0.1"}
        body = {"catalogItemId": ITEM, "fields": fields}
        seconds, response = await self.call("POST", "/requests", json=body)
        made = response.json().get("id") if response.is_success else None
        return Timed(seconds=seconds, status=response.status_code, id=made)

    async def read(self, path: str, **query: Any) -> tuple[Timed, Any]:
        """Read a document; raises for an answer that is none."""
        seconds, response = await self.call("GET", path, params=query)
        if not response.is_success:
            # An exception of httpx's own does not travel between processes.
            raise RuntimeError(f"GET {path} was answered {response.status_code}: {response.text}")
        return Timed(seconds=seconds), response.json()


Operation = Callable[[], Awaitable[Timed]]


async def submissions(
    place: StackAddresses,
    *,
    parallel: int,
    rounds: int,
    each: int,
    kinds: Sequence[str] = (EXECUTED, SUBMISSION, UPDATED),
) -> dict[str, Series]:
    """Run bare workflows and submissions by turns, so that the machine's moods hit both alike.

    In every round each kind has ``parallel`` callers making ``each`` calls, one after another.
    """
    client = await bare.connected(place.temporal, place.namespace)
    async with LoadCaller(place, "platform") as api:
        operations: dict[str, Operation] = {
            EXECUTED: lambda: _bare(bare.execute, client),
            SUBMISSION: api.submit,
            UPDATED: lambda: _bare(bare.update_with_start, client),
        }
        series = {kind: Series() for kind in kinds}
        for number in range(rounds):
            # Each kind is as often the first of a round as the others.
            turn = number % len(kinds)
            for kind in (*kinds[turn:], *kinds[:turn]):
                await _block(operations[kind], series[kind], parallel=parallel, each=each)
    return series


async def _block(operation: Operation, series: Series, *, parallel: int, each: int) -> None:
    async def caller() -> None:
        for _ in range(each):
            series.calls.append(await operation())

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(parallel)))
    series.elapsed += time.perf_counter() - started


async def _bare(run: Callable[[Client], Awaitable[str]], client: Client) -> Timed:
    started = time.perf_counter()
    await run(client)
    return Timed(seconds=time.perf_counter() - started)


async def reads(place: StackAddresses, path: str, *, parallel: int, each: int) -> Series:
    """Read one path again and again."""
    series = Series()

    async with LoadCaller(place, "developer") as api:

        async def read() -> Timed:
            return (await api.read(path))[0]

        await _block(read, series, parallel=parallel, each=each)
    return series
