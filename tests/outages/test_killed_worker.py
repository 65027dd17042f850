"""A worker's process is killed while every type that reaches out is in the middle of its work.

What only waits goes on by itself; what may have had an effect waits for a person, whose retry looks
first: each effect is there once.
"""

import json
import os
import pwd
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pao.core.states import Decision
from tests.support.github import GitHubSandbox
from tests.support.github_actions import github_sandbox
from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, answering, raw_server
from tests.support.requests import Request, new_request, ticket
from tests.support.terraform import waiting_module
from tests.support.worker import Workbench, eventually, workbench
from tests.support.worker_process import worker_process

pytestmark = pytest.mark.outage


class Things:
    """Makes a thing per key; holds its answers back until it may answer."""

    def __init__(self) -> None:
        self.made: set[bytes] = set()
        self.calls = 0
        self.may_answer = False

    def serve(self, connection: socket.socket, request: bytes) -> None:
        [key] = [
            line for line in request.lower().split(b"\r\n") if line.startswith(b"idempotency-key")
        ]
        self.made.add(key)
        self.calls += 1
        if self.may_answer:
            answering(json.dumps({"id": len(self.made)}).encode())(connection, request)
            return
        connection.recv(1)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path / "github") as sandbox:
        yield sandbox


@pytest.fixture
def things() -> Things:
    return Things()


@pytest.fixture
def server(things: Things) -> Iterator[RawServer]:
    with raw_server(things.serve) as running:
        yield running


@pytest.fixture
async def bench(
    database: Database,
    temporal_address: str,
    terraform_program: Path,
    github: GitHubSandbox,
    tmp_path: Path,
) -> AsyncIterator[Workbench]:
    environ = {
        "GITHUB_API_URL": github.api_url,
        "GITHUB_FLAVOUR": "cloud",
        "GITHUB_TOKEN": github.settings.token,
        "PAO_EGRESS_ALLOW": "127.0.0.1",
        "TERRAFORM_BINARY": str(terraform_program),
        "TERRAFORM_SOURCES": str(tmp_path / "modules"),
        "TERRAFORM_STATE_PATH": str(tmp_path / "states"),
        "TERRAFORM_ALLOW_PROVISIONERS": "true",
        # The modules of these tests write into folders of whoever runs the tests.
        "TERRAFORM_USER": pwd.getpwuid(os.geteuid()).pw_name,
    }
    async with workbench(
        database, temporal_address, tmp_path, environ=environ, with_worker=False
    ) as running:
        yield running


def act(kind: str, config: dict[str, Any]) -> Request:
    made = new_request(ticket("act"))
    made.plan[0].type, made.plan[0].config = kind, config
    return made


def call(server: RawServer) -> Request:
    endpoint = {"url": f"{server.url}/things"}
    extract = {"id": {"path": "$.id", "type": "integer"}}
    return act(
        "rest-api",
        {
            "endpoint": endpoint,
            "idempotencyHeader": "Idempotency-Key",
            "response": {"extract": extract},
        },
    )


def run() -> Request:
    return act(
        "github-workflow",
        {
            "repository": "platform/provisioning",
            "workflowFile": "provision.yml",
            "ref": "main",
            "inputs": {"namespace": "orders"},
        },
    )


def commit() -> Request:
    return act(
        "git-commit",
        {
            "repository": "platform/tenants",
            "branch": "main",
            "files": [{"path": "new.yaml", "contentTemplate": "name: new\n"}],
            "commitMessage": "Add new",
        },
    )


def module(folder: Path) -> Request:
    place = folder / "modules" / "net"
    place.mkdir(parents=True)
    (place / "main.tf").write_text(waiting_module(folder))
    return act("terraform", {"source": {"path": str(place)}})


async def test_a_worker_killed_in_the_middle_of_every_type_leaves_each_effect_once(
    bench: Workbench, github: GitHubSandbox, things: Things, server: RawServer, tmp_path: Path
) -> None:
    github.fault("slow", method="PATCH", path="git/refs", seconds=60)
    unclear = [call(server), commit(), module(tmp_path)]
    waiting = run()
    async with worker_process(bench, tmp_path / "worker.log"):
        for request in (*unclear, waiting):
            await bench.submit(request)
        await bench.is_waiting(waiting)
        begun, tenants = tmp_path / "begun", "platform/tenants"
        await eventually(begun.exists)
        await eventually(lambda: things.calls and "new.yaml" in github.branch(tenants)["files"])

    things.may_answer = True
    github.clear_faults()
    github.end(github.runs()[0]["id"])
    (tmp_path / "go").touch()
    async with worker_process(bench, tmp_path / "worker.log"):
        await bench.reached(waiting, "completed")
        for request in unclear:
            row = await bench.reached(request, "failed")
            assert row["error"]["outcomeUnknown"], row["error"]
            await bench.decide(request, Decision.RETRY)
            await bench.reached(request, "completed", attempt=2)

    outputs = [(await bench.actions(request))[0]["outputs"] for request in unclear]
    assert (len(things.made), outputs[0]["id"]) == (1, 1)
    assert len(github.branch(tenants)["messages"]) == 2
    assert outputs[1]["commitSha"] == github.branch(tenants)["sha"]
    assert outputs[2]["resources"] == ["terraform_data.first", "terraform_data.second"]
    assert len(github.runs()) == 1
