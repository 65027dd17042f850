"""A request whose action calls an asynchronous interface, over real servers and workers."""

import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sandbox import target
from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, answering, raw_server
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually, workbench

SECRET = "s3cret-of-the-operator"
SAMPLE = Path(__file__).resolve().parents[2] / "examples/catalog/network/network-dns-alias.yaml"


class Jobs:
    """Accepts jobs; each is done when the test says so."""

    def __init__(self) -> None:
        self.state = "working"
        self.posts = 0
        self.asked = 0

    def serve(self, connection: socket.socket, request: bytes) -> None:
        assert SECRET.encode() in request
        if request.startswith(b"POST"):
            self.posts += 1
            answering(status="202 Accepted", headers={"Location": "/jobs/1"})(connection, request)
            return
        self.asked += 1
        body = {"state": self.state, "id": "J-1", "echo": SECRET}
        answering(json.dumps(body).encode())(connection, request)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def server(jobs: Jobs) -> Iterator[RawServer]:
    with raw_server(jobs.serve) as running:
        yield running


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "jobs_token").write_text(SECRET)
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1", "PAO_SECRETS_DIR": str(secrets)}
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


def job_request(bench: Workbench, server: RawServer) -> Request:
    made = new_request(ticket("job"), ticket("after"), box=bench.box)
    made.plan[0].type = "rest-api"
    made.plan[0].timeout = 10.0
    made.plan[0].config = {
        "endpoint": {"url": f"{server.url}/jobs"},
        "authentication": {"type": "bearer", "token": "{{secrets.jobs_token}}"},
        "response": {"extract": {"job": "$.id"}},
        "async": {"until": {"path": "$.state", "values": ["done"]}, "every": 0.1},
    }
    return made


async def test_a_followed_call_survives_the_end_of_its_worker_and_is_made_once(
    bench: Workbench, server: RawServer, jobs: Jobs
) -> None:
    request = await bench.submit(job_request(bench, server))
    await eventually(lambda: jobs.asked >= 2)
    await bench.stop_worker()
    asked = jobs.asked
    await bench.start_worker()
    await eventually(lambda: jobs.asked > asked)
    jobs.state = "done"
    await bench.reached(request, "completed")
    first, second = await bench.actions(request)
    assert (jobs.posts, first["attempt"], second["status"]) == (1, 1, "completed")
    assert first["outputs"]["job"] == "J-1"
    assert first["outputs"]["body"]["echo"] == "********"
    assert SECRET not in await everything(bench, request)


async def everything(bench: Workbench, request: Request) -> str:
    """Return all that Postgres and Temporal keep of a request."""
    history = (await bench.handle(request).fetch_history()).to_json()
    tables: list[Any] = [await bench.row(request), await bench.actions(request)]
    events = "SELECT * FROM request_events WHERE request_id = $1"
    tables += [await bench.rows(events, request.id), await bench.audit(request)]
    return f"{history} {tables}"


async def test_what_an_action_says_stands_in_the_requests_log(
    bench: Workbench, server: RawServer, jobs: Jobs
) -> None:
    jobs.state = "done"
    request = await bench.submit(job_request(bench, server))
    await bench.reached(request, "completed")
    found = await bench.rows(
        "SELECT data FROM request_events WHERE request_id = $1 AND kind = 'log' ORDER BY id",
        request.id,
    )
    messages = [row["data"]["message"] for row in found]
    assert "The target answered 202." in messages
    assert messages.index("The target answered 202.") < len(messages) - 1


async def test_the_sample_is_fulfilled_by_machines_against_its_local_target(
    database: Database, temporal_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"sample_target_token": target.TOKEN, "sample_hook_key": target.HOOK_KEY}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
    environ = {
        "PAO_EGRESS_ALLOW": "127.0.0.1",
        "PAO_SECRETS_DIR": str(tmp_path),
        "TEMPLATE_ENVIRONMENT": "SAMPLE_TARGET_URL",
    }
    async with workbench(
        database, temporal_address, tmp_path / "jira", environ=environ, with_worker=False
    ) as bench:
        monkeypatch.setenv("SAMPLE_TARGET_URL", f"{bench.jira.url}{target.PREFIX}")
        await bench.start_worker()
        definition = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
        made = new_request(definition=definition, name="www2", target="www.example.com")
        await bench.submit(made)
        await bench.reached(made, "completed")
        record, told = await bench.actions(made)
        async with httpx.AsyncClient(trust_env=False) as client:
            hooks = (await client.get(f"{bench.jira.url}{target.PREFIX}/hooks")).json()["hooks"]
    assert record["outputs"]["recordId"] == "rec-1"
    assert hooks == [{"record": "rec-1", "name": "www2"}]
    assert told["outputs"]["status"] == 204


async def held_back(bench: Workbench) -> AsyncIterator[tuple[Request, threading.Event]]:
    """Submit a request whose first call is in the target's hands, until the event is set."""
    answer, arrived = threading.Event(), threading.Event()

    def serve(connection: socket.socket, request: bytes) -> None:
        arrived.set()
        answer.wait(20)
        answering(b'{"id": "J-1"}', status="201 Created")(connection, request)

    with raw_server(serve) as slow:
        made = job_request(bench, slow)
        del made.plan[0].config["async"]
        await bench.submit(made)
        await eventually(arrived.is_set)
        yield made, answer
        answer.set()
        assert slow.count == 1


@pytest.fixture
async def in_hand(bench: Workbench) -> AsyncIterator[tuple[Request, threading.Event]]:
    async for held in held_back(bench):
        yield held


async def test_an_abort_during_a_call_is_refused_and_the_call_goes_on(
    bench: Workbench, in_hand: tuple[Request, threading.Event]
) -> None:
    request, answer = in_hand
    await bench.signal(request, "abort", {"by": "ann", "reason": "in a hurry"})
    await eventually(lambda: rejected(bench, request))
    answer.set()
    await bench.reached(request, "completed")


async def rejected(bench: Workbench, request: Request) -> bool:
    return [row["outcome"] for row in await bench.decisions(request)] == ["rejected"]


async def test_a_cancellation_during_a_call_fails_the_request_and_tells_what_was_made(
    bench: Workbench, in_hand: tuple[Request, threading.Event]
) -> None:
    request, answer = in_hand
    await bench.handle(request).cancel()
    answer.set()
    row = await bench.reached(request, "failed")
    [made] = row["error_context"]["partialResources"]
    [cleanup] = row["error_context"]["cleanup"]
    assert made["action"] == "job"
    assert "Undo in the target by hand" in str(cleanup)
    assert bench.tickets(request) == []
