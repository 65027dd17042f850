"""A target that makes hosts, and requests whose calls to it may have had an effect."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, answering, cutting
from tests.support.requests import Request, new_request
from tests.support.worker import Workbench, workbench

CREATE = {"method": "POST", "path": "/issue$"}
OPERATORS = "s3cret-of-the-operator"


class Hosts:
    """Makes a host with each POST, and says which names are there."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.asked: list[str] = []
        self.cuts = 0
        self.answers: bytes | None = None
        self.looks = True
        self.unseen = 0

    def serve(self, connection: socket.socket, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        if not head.startswith(b"POST"):
            name = head.split(b" ")[1].partition(b"=")[2].decode()
            self.asked.append(name)
            if not self.looks:
                cutting(connection, request)
                return
            found = name if name in self.made and self.unseen <= 0 else None
            self.unseen -= 1
            answering(json.dumps({"found": found, "id": f"H-{name}"}).encode())(connection, request)
            return
        if self.cuts > 0:
            self.cuts -= 1
            self.made.append(json.loads(body)["name"])
            cutting(connection, request)
            return
        self.made.append(json.loads(body)["name"])
        answering(self.answers or b'{"id": "H-1"}')(connection, request)


@asynccontextmanager
async def bench_with_token(
    database: Database, temporal_address: str, folder: Path
) -> AsyncIterator[Workbench]:
    """Run a worker that may call this machine, with the secret that the calls carry."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "token").write_text(OPERATORS)
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1", "PAO_SECRETS_DIR": str(secrets)}
    async with workbench(database, temporal_address, folder, environ=environ) as running:
        yield running


def host_request(server: RawServer, *, look: bool = True, **config: Any) -> Request:
    """Return a request for a host by its title, which can be looked for by the same."""
    called = {
        "endpoint": {"url": f"{server.url}/hosts"},
        "headers": {"Authorization": "Bearer {{secrets.token}}"},
        "body": {"type": "json", "contentTemplate": {"name": "{{fields.title}}"}},
        **config,
    }
    if look:
        called["look"] = {
            "url": f"{server.url}/find",
            "query": {"name": "{{fields.title}}"},
            "found": {"path": "$.found", "values": ["{{fields.title}}"]},
        }
    action = {"id": "host", "name": "Host", "type": "rest-api", "config": called}
    return new_request(action, title="one")


async def in_doubt(bench: Workbench, request: Request) -> Request:
    request = await bench.submit(request)
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    return request


async def ticket_in_doubt(bench: Workbench, request: Request | None = None) -> Request:
    bench.jira.fault("cut-after", match=CREATE)
    return await in_doubt(bench, request or new_request(title="old"))
