"""Three APIs and three workers behind a balancer are one service.

Each has connections, caches and counters of its own and shares with the others Postgres, Temporal
and the configuration, as processes do. `make scale` proves the same with real processes.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from pao.app.local.postgres import PostgresAddress
from pao.app.worker.builder import GRACE
from sandbox.kit.balancer import Balancer
from tests.support.callers import ADA, DANA, Person, Signature
from tests.support.event_loop import EventLoop
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import add_fault, dns_body, new_host

APIS = 3
SHARED = (
    *("PAO_ENCRYPTION_KEYS", "TEMPORAL_TASK_QUEUE"),
    *("JIRA_BASE_URL", "JIRA_USERNAME", "JIRA_API_TOKEN"),
)
LIMIT, FAILURES = 3_000, 4
ENVIRON = {"RATE_LIMIT_REQUESTS_PER_MINUTE": str(LIMIT), "PAO_BREAKER_FAILURES": str(FAILURES)}
ANSWERED = (201, 202)


class Service:
    """The three of them, and the address of the balancer."""

    def __init__(self, stacks: list[Stack], balancer: Balancer, url: str, loop: EventLoop) -> None:
        self.stacks = stacks
        self.balancer = balancer
        self.url = url
        self._loop = loop

    def client(self, person: Person = DANA) -> httpx.Client:
        """Return a client whose every call takes a connection of its own, to the next API."""
        return httpx.Client(
            base_url=f"{self.url}/api/v1",
            auth=self.signature(person),
            headers={"Connection": "close"},
            trust_env=False,
            timeout=60,
        )

    def signature(self, person: Person = DANA) -> Signature:
        return Signature(*self.stacks[0].key(person))

    def restart_api(self, stack: Stack) -> None:
        """Restart an API as an orderly rollout does: the balancer hears of it first."""
        self._loop.run(self._taken_out(stack.port))
        wait_until(lambda: self.balancer.open[stack.port] == 0)
        stack.stop_api()
        stack.start_api()
        self.balancer.put_in(stack.port)

    async def _taken_out(self, port: int) -> None:
        self.balancer.take_out(port)

    def tickets(self, host: str) -> list[dict[str, Any]]:
        return [one for one in self.stacks[0].jira.tickets() if host in one["summary"]]


@pytest.fixture(scope="module")
def service(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    loop = EventLoop()
    folder = tmp_path_factory.mktemp("several")
    with cloned_database(postgres_address) as database, contextlib.ExitStack() as running:
        stacks: list[Stack] = []
        for number in range(APIS):
            shared = {name: stacks[0].environ[name] for name in SHARED} if stacks else {}
            stack = running_stack(
                database,
                temporal_address,
                folder / str(number),
                environ=ENVIRON | shared,
                grace=GRACE,
            )
            stacks.append(running.enter_context(stack))
        balancer = Balancer([stack.port for stack in stacks])
        url = loop.run(balancer.start())
        yield Service(stacks, balancer, url, loop)
        loop.run(balancer.stop())
    loop.close()


def at_once(calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]


def test_repeats_at_different_apis_are_one_request(service: Service) -> None:
    host, headers = new_host(), {"Idempotency-Key": str(uuid4()), "Prefer": "wait=20"}
    with service.client() as dana:
        before = service.balancer.taken.copy()
        calls = [lambda: dana.post("/requests", json=dns_body(host), headers=headers)] * APIS
        answers = at_once(calls)
        taken = service.balancer.taken - before
    assert sorted(taken.values()) == [1] * APIS
    assert sorted(one.status_code for one in answers) == [200, 200, 201]
    assert len({one.json()["id"] for one in answers}) == 1
    assert len(service.tickets(host)) == 1


def test_a_captured_call_is_refused_by_the_other_apis_too(service: Service) -> None:
    with service.client() as dana:
        request = dana.build_request("POST", "/requests", json=dns_body())
        request.headers.update(service.signature().headers_for(request))
        answers = [dana.send(request, auth=None) for _ in range(APIS)]
    assert [one.status_code in ANSWERED for one in answers] == [True, False, False]
    assert [one.status_code for one in answers[1:]] == [401, 401]


def test_a_stream_shows_what_is_decided_at_another_api(service: Service) -> None:
    host = new_host()
    add_fault(service.stacks[0], host, "status", status=400)
    with service.client() as dana:
        made = dana.post("/requests", json=dns_body(host), headers={"Prefer": "wait=20"}).json()
        assert made["status"] == "failed"
        before = service.balancer.taken.copy()
        with dana.stream("GET", f"/requests/{made['id']}/events") as stream:
            lines = stream.iter_lines()
            assert any('"failed"' in line for line in lines)
            retried = dana.post(f"/requests/{made['id']}/retry", json={"reason": "try again"})
            assert retried.is_success, retried.text
            rest = list(lines)
        assert sorted((service.balancer.taken - before).values()) == [1, 1]
    assert any('"completed"' in line for line in rest)


def test_the_rate_is_shared_out(service: Service) -> None:
    with service.client() as dana:
        wait_until(
            lambda: (
                {dana.get("/requests").headers["RateLimit-Limit"] for _ in range(APIS)}
                == {str(LIMIT // APIS)}
            )
        )


def test_a_rolling_restart_loses_no_call(service: Service) -> None:
    """Every call is answered, and becomes one request with one ticket, whoever restarts."""
    over = threading.Event()
    made: dict[str, str] = {}
    refused: list[str] = []

    def submit() -> None:
        with service.client() as dana:
            while not over.is_set():
                host = new_host()
                answer = dana.post("/requests", json=dns_body(host))
                if answer.status_code in ANSWERED:
                    made[host] = answer.json()["id"]
                else:
                    refused.append(answer.text)

    with ThreadPoolExecutor(2) as pool:
        calling = [pool.submit(submit) for _ in range(2)]
        try:
            for stack in service.stacks:
                known = len(made)
                stack.stop_worker()
                service.restart_api(stack)
                stack.start_worker()
                wait_until(lambda known=known: len(made) > known + 2 or refused)  # type: ignore[misc]
        finally:
            over.set()
        for one in calling:
            one.result()
    assert refused == []
    statuses = service.stacks[0].rows
    wait_until(
        lambda: (
            statuses(
                "select count(*) from requests where id = any($1::uuid[]) and status = 'completed'",
                list(made.values()),
            )[0]["count"]
            == len(made)
        )
    )
    assert [len(service.tickets(host)) for host in made] == [1] * len(made)


def test_a_breaker_is_seen_by_every_api(service: Service) -> None:
    """Last: it stays open. Failures at any worker count toward it."""
    with service.client() as dana, service.client(ADA) as ada:
        for _ in range(FAILURES):
            host = new_host()
            add_fault(service.stacks[0], host, "status", status=500)
            made = dana.post("/requests", json=dns_body(host), headers={"Prefer": "wait=20"}).json()
            assert made["status"] == "failed"

        def states() -> list[str]:
            seen = [ada.get("/health").json()["components"]["breakers"] for _ in range(APIS)]
            return [one["state"] for breakers in seen for one in breakers.values()]

        wait_until(lambda: states() == ["open"] * APIS)
