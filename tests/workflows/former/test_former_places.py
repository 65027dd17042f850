"""Corrections that move an action elsewhere, and what stays at its former places."""

from temporalio.api.sdk.v1 import WorkflowMetadata

from db.repositories.cleanups import CleanupsRepository
from pao.core.payloads.failures import PartialResource
from pao.core.resources import resource_entry_id
from tests.support.hosts import (
    CREATE,
    Hosts,
    host_request,
    in_doubt,
    ticket_in_doubt,
)
from tests.support.raw_servers import RawServer
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually


def placed() -> Request:
    """Return a request whose title is the project that it is made in."""
    made = ticket()
    made["config"]["ticket"] = {"project": "{{fields.title}}", "summaryTemplate": "A thing"}
    return new_request(made, title="PLATFORM")


async def test_a_correction_to_another_place_leaves_nothing_behind_without_a_word(
    bench: Workbench,
) -> None:
    request = await ticket_in_doubt(bench, placed())
    [made] = bench.tickets(request)
    record = await bench.decide(request, "retry", fields={"title": "NET"})
    assert (record.outcome, record.code) == ("rejected", "WOULD_LEAVE_BEHIND")
    assert "project PLATFORM" in (record.message or "")
    assert "project NET" in (record.message or "")
    assert made["key"] in (record.message or "")

    record = await bench.decide(request, "retry", fields={"title": "NET"}, leaveBehind=True)
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert not action["adopted"]
    assert [one["id"] for one in action["left_behind"]] == [made["key"]]
    assert {one["project"] for one in bench.tickets(request)} == {"PLATFORM", "NET"}
    assert "action.left-behind" in await bench.events(request)


async def test_a_correction_to_another_place_is_free_where_nothing_was_made(
    bench: Workbench,
) -> None:
    bench.jira.fault("cut-before", match=CREATE)
    request = await in_doubt(bench, placed())
    record = await bench.decide(request, "retry", fields={"title": "NET"})
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert action["left_behind"] == []


async def test_what_may_exist_at_a_former_place_is_listed_when_nobody_can_tell(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    url = f"{server.url}/{{{{fields.title}}}}"
    request = host_request(server, look=False, endpoint={"url": url})
    await in_doubt(bench, request)
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.code == "WOULD_LEAVE_BEHIND"
    record = await bench.decide(request, "retry", fields={"title": "two"}, leaveBehind=True)
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    [left] = action["left_behind"]
    assert f"POST {server.url}/one" in left["cleanup"]
    assert hosts.made == ["one", "two"]


async def test_every_former_place_is_listed_when_a_request_moves_twice(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 2
    url = f"{server.url}/{{{{fields.title}}}}"
    request = host_request(server, endpoint={"url": url})
    await in_doubt(bench, request)
    await bench.decide(request, "retry", fields={"title": "two"}, leaveBehind=True)
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "retry", fields={"title": "three"}, leaveBehind=True)
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    told = [one["cleanup"] for one in action["left_behind"]]
    places = [f"took effect at POST {server.url}/{name}:" for name in ("one", "two")]
    assert [place in text for place, text in zip(places, told, strict=True)] == [True, True]


async def shown(bench: Workbench, request: Request) -> str:
    metadata = await bench.handle(request).query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    text: str = metadata.current_details
    return text


async def test_what_was_cleaned_up_is_shown_to_operators(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    request = await left_in_one_place(bench, server, hosts)
    [action] = await bench.actions(request)
    entry = resource_entry_id("host", PartialResource(**action["left_behind"][0]))
    mark = {"entryId": entry, "by": "dana", "note": "removed *one*"}
    assert "**Not reported as done.**" in await shown(bench, request)

    typed: dict[str, object] = {"entryId": 1, "by": None, "note": []}
    forgeries: tuple[object, ...] = (mark, mark | {"proof": "x"}, typed, "x")
    for forged in forgeries:
        await bench.signal(request, "cleanup_done", forged)
    await eventually(lambda: ignored(bench, request, times=4))
    assert "**Not reported as done.**" in await shown(bench, request)

    await bench.proven_signal(request, "cleanup_done", mark)

    async def told() -> bool:
        return r"**Done**, says dana: removed \*one\*" in await shown(bench, request)

    await eventually(told)
    assert "Not reported" not in await shown(bench, request)
    assert (await bench.row(request))["status"] == "failed"

    # A new run knows what was cleaned up before its time.
    async with bench.database.unit_of_work() as session:
        await CleanupsRepository(session).mark(request.id, entry, by=mark["by"], note=mark["note"])
    await bench.terminate(request)
    await bench.take_up(request, "It was terminated.")
    assert await told()


async def ignored(bench: Workbench, request: Request, *, times: int) -> bool:
    return (await bench.events(request)).count("signal.ignored") == times


async def left_in_one_place(bench: Workbench, server: RawServer, hosts: Hosts) -> Request:
    """Return a failed request that has moved to another place, and may have left a host."""
    hosts.cuts = 2
    url = f"{server.url}/{{{{fields.title}}}}"
    request = await in_doubt(bench, host_request(server, endpoint={"url": url}))
    await bench.decide(request, "retry", fields={"title": "two"}, leaveBehind=True)
    await bench.reached(request, "failed", attempt=2)
    return request
