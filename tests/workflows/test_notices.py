"""What an item tells people when its requests fail or wait, as a channel receives it."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, answering, raw_server
from tests.support.requests import Document, Request, item, new_request
from tests.support.worker import Workbench, eventually, workbench

HOOK = "T0S3CRET/B0S3CRET"


@pytest.fixture
def channel() -> Iterator[RawServer]:
    with raw_server(answering(b"ok")) as server:
        yield server


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path, channel: RawServer
) -> AsyncIterator[Workbench]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "channel_hook").write_text(f"{channel.url}/services/{HOOK}")
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1", "PAO_SECRETS_DIR": str(secrets)}
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


def notice(text: str) -> Document:
    config = {"url": "{{secrets.channel_hook}}", "text": text}
    return {"type": "notification", "name": "The channel", "config": config}


def messages(channel: RawServer) -> list[Any]:
    return [json.loads(one.partition(b"\r\n\r\n")[2])["text"] for one in channel.requests]


def asking() -> Request:
    approvers = {"approvers": {"users": ["ann"]}, "message": "May {{fields.title}}?"}
    definition = item([{"id": "ok", "type": "approval", "name": "The yes", "config": approvers}])
    waits = "{{fulfillment.event}} {{fulfillment.action}}: {{fulfillment.message}}"
    fails = "{{fulfillment.event}} {{request.id}}: {{fulfillment.message}}"
    definition["fulfillment"] |= {"onWaiting": [notice(waits)], "onFailure": [notice(fails)]}
    return new_request(definition=definition)


async def test_a_channel_is_told_of_a_wait_and_of_each_failure_once(
    bench: Workbench, channel: RawServer
) -> None:
    request = await bench.submit(asking())
    title = request.context.fields["title"]
    await eventually(lambda: bench.has_logged(request, "The channel was sent"))
    assert messages(channel) == [f"waiting The yes: May {title}?"]
    assert channel.requests[0].startswith(f"POST /services/{HOOK} ".encode())

    await bench.decide(request, "reject", actionId="ok", by="ann", reason="not now")
    await eventually(lambda: bench.has_logged(request, "The channel was sent", times=2))
    assert messages(channel)[1:] == [f"failed {request.id}: It was rejected by ann: not now"]
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    assert channel.count == 2
    assert [row["action_id"] for row in await bench.actions(request)] == ["ok"]


async def test_the_address_of_a_channel_is_kept_nowhere(
    bench: Workbench, channel: RawServer
) -> None:
    request = await bench.submit(asking())
    await eventually(lambda: bench.has_logged(request, "The channel was sent"))
    history = (await bench.handle(request).fetch_history()).to_json()
    assert HOOK not in history
    for table in ("request_events", "audit_logs", "request_actions"):
        rows = await bench.rows(f"SELECT * FROM {table} WHERE request_id = $1", request.id)  # noqa: S608 -- names of ours
        assert HOOK not in str(rows)
    assert channel.count == 1
