"""Retries after an unknown outcome: an index is given time, and a wait goes on where it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, answering, raw_server
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, workbench

SEARCH = {"path": "/search"}
CREATE = {"method": "POST", "path": "/issue$"}


@pytest.fixture
async def lagging(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    environ = {"JIRA_SEARCH_LAG": "1h"}
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


@pytest.fixture
async def quick(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1"}
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


async def test_no_second_ticket_is_made_while_the_index_may_lag(lagging: Workbench) -> None:
    lagging.jira.fault("cut-after", match=CREATE)
    request = await lagging.submit()
    await lagging.reached(request, "failed")
    [before] = await lagging.actions(request)
    lagging.jira.fault("late-index", match=SEARCH, times=None)
    for attempt in (2, 3):
        await lagging.decide(request, "retry")
        row = await lagging.reached(request, "failed", attempt=attempt)
        assert "is certain from" in row["error"]["message"]
        assert row["error"]["outcomeUnknown"]
    [action] = await lagging.actions(request)
    assert before["doubt_since"] == action["doubt_since"] == before["finished_at"]
    lagging.jira.clear_faults()
    await lagging.decide(request, "retry")
    await lagging.reached(request, "completed")
    [action] = await lagging.actions(request)
    assert (len(lagging.jira.tickets()), action["adopted"]) == (1, True)
    assert action["doubt_since"] is None


async def test_a_refused_creation_needs_no_time(lagging: Workbench) -> None:
    lagging.jira.fault("status", status=400, match=CREATE)
    request = await lagging.submit()
    await lagging.reached(request, "failed")
    await lagging.decide(request, "retry")
    await lagging.reached(request, "completed")
    assert len(lagging.jira.tickets()) == 1


def job(bench: Workbench, server: RawServer) -> Request:
    made = new_request(ticket("job"), box=bench.box)
    made.plan[0].type = "rest-api"
    made.plan[0].timeout = 10.0
    made.plan[0].config = {
        "endpoint": {"url": f"{server.url}/jobs"},
        "async": {"until": {"path": "$.state", "values": ["done"]}, "every": 0.1, "timeout": 0.3},
    }
    return made


async def test_a_call_that_timed_out_is_asked_after_again_and_not_made_again(
    quick: Workbench,
) -> None:
    state, posts = {"state": "working"}, []

    def serve(connection: Any, request: bytes) -> None:
        if request.startswith(b"POST"):
            posts.append(request)
            headers = {"Location": "/jobs/1"}
            answering(status="202 Accepted", headers=headers)(connection, request)
            return
        answering(f'{{"state": "{state["state"]}"}}'.encode())(connection, request)

    with raw_server(serve) as server:
        request = await quick.submit(job(quick, server))
        row = await quick.reached(request, "failed")
        assert row["error"]["outcomeUnknown"]
        [action] = await quick.actions(request)
        assert action["pending"] == {"kind": "follow", "state": {"url": f"{server.url}/jobs/1"}}
        await quick.decide(request, "retry")
        await quick.reached(request, "failed", attempt=2)
        state["state"] = "done"
        await quick.decide(request, "retry")
        await quick.reached(request, "completed")
        [action] = await quick.actions(request)
    assert (len(posts), action["pending"]) == (1, None)
