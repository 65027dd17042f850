"""Plans that are graphs: branches, conditions, failures in several of them, the manual way."""

import asyncio
from typing import Any

import pytest

from pao.core.payloads.requests import WorkflowTimeouts
from tests.support.requests import Document, Request, automatic, new_request, ticket
from tests.support.worker import Workbench, eventually

CREATE = {"method": "POST", "path": "/issue$"}


def creation(name: str) -> dict[str, Any]:
    return {**CREATE, "summaryContains": f"{name}:"}


def parallel(*actions: Document, **fields: Any) -> Request:
    return new_request(definition=automatic(*actions, parallel=True), **fields)


async def statuses(bench: Workbench, request: Request) -> dict[str, str]:
    return {row["action_id"]: row["status"] for row in await bench.actions(request)}


async def made(bench: Workbench, request: Request) -> list[str]:
    return sorted(one["summary"].partition(":")[0] for one in bench.tickets(request))


async def test_branches_run_beside_each_other_and_what_depends_on_both_runs_last(
    bench: Workbench,
) -> None:
    last = ticket(
        "last",
        summary="last: {{outputs.left.key}} {{fulfillment.id}}",
        dependsOn=["left", "right"],
    )
    bench.jira.fault("slow", seconds=3.0, when="before", match=creation("left"), times=1)
    request = parallel(ticket("left"), ticket("right", outputs=["id"]), last)
    await bench.submit(request)
    await eventually(lambda: _is(bench, request, left="in_progress", right="completed"))
    assert (await statuses(bench, request))["last"] == "pending"
    await bench.reached(request, "completed")
    tickets = {one["summary"].partition(":")[0]: one for one in bench.tickets(request)}
    left, right = tickets["left"]["key"], tickets["right"]["id"]
    assert tickets["last"]["summary"] == f"last: {left} {right}"


async def _is(bench: Workbench, request: Request, **wanted: str) -> bool:
    found = await statuses(bench, request)
    return all(found[name] == status for name, status in wanted.items())


async def test_when_one_branch_fails_the_others_finish_and_nothing_new_starts(
    bench: Workbench,
) -> None:
    bench.jira.fault("status", status=400, match=creation("left"))
    bench.jira.fault("slow", seconds=0.6, when="before", match=creation("right"))
    request = parallel(ticket("left"), ticket("right"), ticket("after", dependsOn=["right"]))
    await bench.submit(request)
    await bench.reached(request, "failed")
    assert await statuses(bench, request) == {
        "left": "failed",
        "right": "completed",
        "after": "pending",
    }
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    assert [row["attempt"] for row in await bench.actions(request)] == [2, 1, 1]
    assert await made(bench, request) == ["after", "left", "right"]


async def test_one_retry_runs_every_branch_that_failed_and_what_failed_again_is_told(
    bench: Workbench,
) -> None:
    for name in ("left", "right"):
        bench.jira.fault("status", status=400, match=creation(name))
    request = parallel(
        ticket("left"), ticket("right"), ticket("sound"), ticket("after", dependsOn=["left"])
    )
    await bench.submit(request)
    row = await bench.reached(request, "failed")
    failed = row["error_context"]["failedActions"]
    assert [one["id"] for one in failed] == ["left", "right"]
    assert row["error"]["message"].startswith("2 actions failed. Ask for the left: JIRA")
    bench.jira.fault("status", status=400, match=creation("right"))
    record = await bench.decide(request, "retry", fields={"size": 7})
    assert record.message == "Ask for the right failed again"
    await bench.reached(request, "failed", attempt=2)
    assert await statuses(bench, request) == {
        "left": "completed",
        "right": "failed",
        "sound": "completed",
        "after": "pending",
    }
    record = await bench.decide(request, "retry")
    assert (record.outcome, record.message) == ("done", None)
    await bench.reached(request, "completed")
    assert [row["attempt"] for row in await bench.actions(request)] == [2, 3, 1, 1]


async def test_of_two_people_who_decide_at_once_about_two_failed_branches_one_is_refused(
    bench: Workbench,
) -> None:
    for name in ("left", "right"):
        bench.jira.fault("status", status=400, match=creation(name))
    request = await bench.submit(parallel(ticket("left"), ticket("right")))
    await bench.reached(request, "failed")
    bench.jira.fault("slow", seconds=3.0, when="before", match=creation("left"))
    first, second = await asyncio.gather(
        bench.decide(request, "retry", by="ann"), bench.decide(request, "abort", by="bob")
    )
    accepted = [record.by for record in (first, second) if record.accepted]
    assert len(accepted) == 1
    refused = first if second.accepted else second
    assert refused.message
    ended = "completed" if first.accepted else "aborted"
    await bench.reached(request, ended)


@pytest.mark.parametrize(("size", "status"), [(1, "skipped"), (50, "completed")])
async def test_a_condition_decides_whether_an_action_runs(
    bench: Workbench, size: int, status: str
) -> None:
    large = ticket("large", when="fields.size > 10")
    after = ticket("after", summary="after: {{outputs.large.key | default('nothing')}}")
    request = await bench.submit(new_request(large, after, size=size))
    await bench.reached(request, "completed")
    rows = {row["action_id"]: row for row in await bench.actions(request)}
    assert rows["large"]["status"] == status
    if status == "skipped":
        assert rows["large"]["note"] == "when fields.size > 10: not true"
        assert await made(bench, request) == ["after"]
        assert bench.tickets(request)[0]["summary"] == "after: nothing"


async def test_a_condition_that_cannot_be_evaluated_fails_its_action_until_it_can(
    bench: Workbench,
) -> None:
    action = ticket("large", when="fulfillment.answer == 'yes'")
    request = await bench.submit(new_request(ticket("first"), action))
    row = await bench.reached(request, "failed")
    assert "Its condition cannot be evaluated" in row["error"]["message"]
    assert [one["attempt"] for one in await bench.actions(request)] == [1, 0]
    record = await bench.decide(request, "retry")
    assert record.message == "Ask for the large failed again"
    await bench.decide(request, "abort")


async def test_what_an_earlier_action_made_does_not_go_away_by_corrected_fields(
    bench: Workbench,
) -> None:
    """A condition is not asked again once an attempt was made: its effect may exist."""
    bench.jira.fault("cut-after", match=creation("large"))
    request = await bench.submit(new_request(ticket("large", when="fields.size > 10"), size=50))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", fields={"size": 1})
    await bench.reached(request, "completed")
    [row] = await bench.actions(request)
    assert (row["status"], row["adopted"]) == ("completed", True)


async def test_a_hybrid_item_falls_back_to_its_manual_way_when_a_human_says_so(
    bench: Workbench,
) -> None:
    definition = automatic(
        ticket("ticket"),
        ticket("second", cleanup="Remove it."),
        ticket("third"),
        manual=[
            ticket("ticket", summary="by hand: {{fields.title}}"),
            ticket("check", summary="check: {{outputs.ticket.key}}"),
        ],
    )
    bench.jira.fault("cut-after", match=creation("second"))
    request = await bench.submit(new_request(definition=definition))
    row = await bench.reached(request, "failed")
    assert row["error_context"]["manualWay"] is True
    assert list(await statuses(bench, request)) == ["ticket", "second", "third"]
    record = await bench.decide(request, "retry", mode="manual")
    assert (record.accepted, record.outcome) == (True, "done")
    await bench.reached(request, "completed")
    assert await statuses(bench, request) == {
        "ticket": "completed",
        "second": "skipped",
        "third": "skipped",
        "manual-ticket": "completed",
        "manual-check": "completed",
    }
    assert await made(bench, request) == ["by hand", "check", "second", "ticket"]
    by_hand = next(one for one in bench.tickets(request) if one["summary"].startswith("by hand"))
    assert any(one["summary"] == f"check: {by_hand['key']}" for one in bench.tickets(request))


async def test_what_automatic_actions_left_is_listed_when_the_manual_way_fails_too(
    bench: Workbench,
) -> None:
    definition = automatic(ticket("first"), ticket("second"), manual=[ticket("by-hand")])
    bench.jira.fault("cut-after", match=creation("second"))
    bench.jira.fault("status", status=400, match=creation("by-hand"))
    request = await bench.submit(new_request(definition=definition))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", mode="manual")
    row = await bench.reached(request, "failed")
    context = row["error_context"]
    assert [one["id"] for one in context["failedActions"]] == ["manual-by-hand"]
    assert [one["action"] for one in context["partialResources"]] == ["first"]
    assert any(
        "whether 'Ask for the second' took effect" in one["instructions"]
        for one in context["cleanup"]
    )
    record = await bench.decide(request, "retry", mode="manual")
    assert record.message == "there is no manual way, or it was used already; retry without mode"
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")


async def test_only_a_hybrid_item_has_a_manual_way_to_take(bench: Workbench) -> None:
    request = await bench.failed(new_request(ticket("only")))
    record = await bench.decide(request, "retry", mode="manual")
    assert record.outcome == "rejected"
    assert "no manual way" in str(record.message)


async def test_an_action_may_take_as_long_as_its_own_timeout_says(bench: Workbench) -> None:
    request = new_request(
        ticket("short", timeout="1s"), waits=WorkflowTimeouts(start_to_close=60.0)
    )
    bench.jira.fault("slow", seconds=3.0, when="after", match=creation("short"))
    await bench.submit(request)
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


async def _completed(bench: Workbench, request: Request) -> bool:
    return bool((await bench.row(request))["status"] == "completed")


@pytest.mark.timeout(700)
async def test_two_hundred_actions_fit_into_one_request(bench: Workbench) -> None:
    branches = [ticket(f"t{n}", dependsOn=[f"t{n - 1}"] if n % 10 else []) for n in range(200)]
    request = await bench.submit(parallel(*branches, note="x" * 50_000))
    await eventually(lambda: _completed(bench, request), seconds=600.0)
    assert len(bench.tickets(request)) == 200
    description = await bench.handle(request).describe()
    assert description.history_length < 4_000
    size = description.raw_description.workflow_execution_info.history_size_bytes
    assert size < 2_000_000, size
